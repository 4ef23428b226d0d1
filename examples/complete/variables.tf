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

variable "daily_image_limit" {
  description = "Most images a day that Rekognition is asked about; the default costs $10 a day at most. null means no limit."
  type        = number
  default     = 10000
}

variable "alarm_email" {
  description = "Address that is told of alarms. null tells nobody: alarms show in the CloudWatch console only."
  type        = string
  default     = null
}
