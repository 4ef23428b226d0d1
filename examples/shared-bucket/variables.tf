variable "name" {
  description = "Name prefix of the bucket and the copies of the module: 3 to 26 lower-case letters, digits and hyphens."
  type        = string
  default     = "image-labels-shared"

  validation {
    condition     = length(var.name) <= 26
    error_message = "name must have at most 26 characters in this example: it appends \"-catalogue\", and the module allows 36."
  }
}

variable "region" {
  description = "AWS Region with a DetectLabels quota of 50 calls per second: us-east-1, us-west-2 or eu-west-1."
  type        = string
  default     = "us-east-1"
}
