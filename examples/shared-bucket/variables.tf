variable "name" {
  description = "What the names of bucket and copies start with, 3 to 26 lower-case letters, digits and hyphens."
  type        = string
  default     = "image-labels-shared"

  validation {
    condition     = length(var.name) <= 26
    error_message = "name must have 26 characters at most here: \"-catalogue\" is added to it, and the module takes 36."
  }
}

variable "region" {
  description = "AWS Region that has Rekognition's DetectLabels, at 50 calls a second: us-east-1, us-west-2 or eu-west-1."
  type        = string
  default     = "us-east-1"
}
