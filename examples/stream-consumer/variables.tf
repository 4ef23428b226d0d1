variable "name" {
  description = "Name of this copy of the module, 3 to 29 lower-case letters, digits and hyphens."
  type        = string
  default     = "image-labels-stream"
}

variable "region" {
  description = "AWS Region of all resources. It must support Rekognition's DetectLabels."
  type        = string
  default     = "us-east-1"
}
