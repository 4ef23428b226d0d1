# The module with S3 Batch Operations and with a face collection, applied like the examples.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "us-east-1"

  # The emulator is on localhost, and the host name <bucket>.localhost does not resolve.
  s3_use_path_style = true
}

module "image_labels" {
  source = "../../.."

  name = "image-labels-jobs"

  enable_batch_operations = true

  faces = { index = true }

  bucket_force_destroy = true
  deletion_protection  = false
}

output "image_labels" {
  description = "All outputs of the module."
  value       = module.image_labels
}
