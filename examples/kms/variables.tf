variable "name" {
  description = "Name of this copy of the module, 3 to 36 lower-case letters, digits and hyphens; the key's alias, too."
  type        = string
  default     = "image-labels-kms"
}

variable "region" {
  description = "AWS Region that has Rekognition's DetectLabels."
  type        = string
  default     = "us-east-1"
}
