variable "name" {
  description = "Name of this copy of the module, 3 to 36 lower-case letters, digits and hyphens."
  type        = string
  default     = "image-labels-existing"

  validation {
    condition     = length(var.name) <= 29
    error_message = "name must have at most 29 characters in this example: the name of the other team's bucket starts with it too."
  }
}

variable "region" {
  description = "AWS Region of the bucket. It must support Rekognition's DetectLabels."
  type        = string
  default     = "us-east-1"
}
