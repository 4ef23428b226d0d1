variable "name" {
  description = "Name of this copy of the module, 3 to 36 lower-case letters, digits and hyphens; what the VPC's names start with, too."
  type        = string
  default     = "image-labels-vpc"
}

variable "region" {
  description = "AWS Region that has Rekognition's DetectLabels."
  type        = string
  default     = "us-east-1"
}

variable "cidr_block" {
  description = "Addresses of the VPC, /16 to /24; each of its two subnets has a sixteenth of them."
  type        = string
  default     = "10.0.0.0/20"
}
