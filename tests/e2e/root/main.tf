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

  alarm_actions = [aws_sns_topic.pager.arn]

  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Test = "e2e"
  }
}

# Whoever is on duty: a queue keeps what they are told.
resource "aws_sns_topic" "pager" {
  name = "${var.name}-pager"
}

resource "aws_sqs_queue" "pager" {
  name = "${var.name}-pager"
}

resource "aws_sns_topic_subscription" "pager" {
  topic_arn            = aws_sns_topic.pager.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.pager.arn
  raw_message_delivery = true
}

output "pager_queue_url" {
  description = "URL of the queue of what alarms have told."
  value       = aws_sqs_queue.pager.url
}

output "image_labels" {
  description = "All outputs of the module."
  value       = module.image_labels
}
