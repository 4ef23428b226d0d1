variable "name" {
  description = "Name of this copy of the module, 3 to 36 lower-case letters, digits and hyphens, and name prefix of the VPC's resources."
  type        = string
  default     = "image-labels-vpc"
}

variable "region" {
  description = "AWS Region that supports Rekognition's DetectLabels."
  type        = string
  default     = "us-east-1"
}

variable "cidr_block" {
  description = "CIDR block of the VPC, /16 to /24. Each of its two subnets gets one sixteenth of it."
  type        = string
  default     = "10.0.0.0/20"
}
