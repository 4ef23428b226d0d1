variable "name" {
  description = "Name of this copy of the module, 3 to 36 lower-case letters, digits and hyphens, and name of the key's alias."
  type        = string
  default     = "image-labels-kms"
}

variable "region" {
  description = "AWS Region that supports Rekognition's DetectLabels."
  type        = string
  default     = "us-east-1"
}
