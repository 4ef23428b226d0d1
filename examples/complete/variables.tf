variable "name" {
  description = "Name of this copy of the module, 3 to 36 lower-case letters, digits and hyphens."
  type        = string
  default     = "image-labels-example"
}

variable "region" {
  description = "AWS Region that has Rekognition's DetectLabels. Bucket, function and Rekognition are all in it."
  type        = string
  default     = "us-east-1"
}

variable "bucket_name" {
  description = "Name of the new bucket. null takes `name` and a random part."
  type        = string
  default     = null
}
