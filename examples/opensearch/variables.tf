variable "name" {
  description = "Name of this copy of the module, of the OpenSearch domain and of the pipeline: 3 to 28 lower-case letters, digits and hyphens."
  type        = string
  default     = "image-labels-search"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,27}$", var.name))
    error_message = "name must have 3 to 28 lower-case letters, digits and hyphens, and start with a letter: OpenSearch allows no other."
  }
}

variable "region" {
  description = "AWS Region of all resources. It must support Rekognition's DetectLabels and OpenSearch Ingestion."
  type        = string
  default     = "us-east-1"
}

variable "reader_arns" {
  description = "ARNs of the IAM roles and users that may search the photos."
  type        = list(string)
  default     = []
}

variable "instance_type" {
  description = "Type of the domain's instances."
  type        = string
  default     = "t3.small.search"
}

variable "instance_count" {
  description = "Number of the domain's instances. With 2, searches continue if one fails."
  type        = number
  default     = 1
}

variable "volume_size" {
  description = "Storage of each instance in GB. A photo takes about 2 KB per 10 labels."
  type        = number
  default     = 20
}

variable "pipeline_max_units" {
  description = "Maximum capacity of the pipeline in OCUs; the minimum is 1. AWS bills each OCU by the hour."
  type        = number
  default     = 2
}
