variable "name" {
  description = "Name of this copy of the module, 3 to 36 lower-case letters, digits and hyphens."
  type        = string
  default     = "image-labels-example"
}

variable "region" {
  description = "AWS Region of all resources. It must support Rekognition's DetectLabels."
  type        = string
  default     = "us-east-1"
}

variable "bucket_name" {
  description = "Name of the new bucket. null generates one from `name` and a random suffix."
  type        = string
  default     = null
}

variable "daily_image_limit" {
  description = "Maximum number of images per day to send to Rekognition; the default costs at most $10 a day. null means no limit."
  type        = number
  default     = 10000
}

variable "alarm_email" {
  description = "Email address that receives alarms. With null, alarms appear only in the CloudWatch console."
  type        = string
  default     = null
}
