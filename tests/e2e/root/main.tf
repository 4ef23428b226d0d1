# What the end-to-end tests apply: the module as it is, with time-outs short enough to see five tries fail.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "name" {
  description = "Name of this copy of the module."
  type        = string
  default     = "image-labels-e2e"
}

variable "lambda_timeout" {
  description = "Seconds for a batch. A batch whose function is killed is back six times as long after."
  type        = number
  default     = 5
}

provider "aws" {
  region = "us-east-1"

  # The emulator is on localhost, where there is no name <bucket>.localhost to find.
  s3_use_path_style = true
}

module "image_labels" {
  source = "../../.."

  name           = var.name
  lambda_timeout = var.lambda_timeout

  # Waits of 1, 4 and 16 s between four tries.
  retry_delay_seconds = 1
  max_receive_count   = 4

  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Test = "e2e"
  }
}

output "image_labels" {
  description = "All outputs of the module."
  value       = module.image_labels
}
