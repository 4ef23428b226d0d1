variable "name" {
  description = "Name of the function, and start of the names of its queue and role: at most 36 characters."
  type        = string
}

variable "stream_arn" {
  description = "ARN of the DynamoDB stream, with the view type NEW_AND_OLD_IMAGES: images_table_stream_arn of the module."
  type        = string
}

variable "event_bus_name" {
  description = "Name of the event bus in the stream's account and Region."
  type        = string
  default     = "default"
}

variable "filter_patterns" {
  description = "Patterns of the records that the function receives: those that match one of at most 5. [] means all records."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "ARN of the KMS key of the table: kms_key_arn of the module. null means that it has none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
