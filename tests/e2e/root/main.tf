# The root module of the end-to-end tests: the module with timeouts short enough to observe all attempts fail.

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
  description = "Timeout of the function in seconds. If the function is killed, its batch becomes visible after six times as long."
  type        = number
  default     = 5
}

provider "aws" {
  region = "us-east-1"

  # The emulator is on localhost, and the host name <bucket>.localhost does not resolve.
  s3_use_path_style = true
}

module "image_labels" {
  source = "../../.."

  name           = var.name
  lambda_timeout = var.lambda_timeout

  # Delays of 1, 4 and 16 s between four attempts.
  retry_delay_seconds = 1
  max_receive_count   = 4

  # Of labels that no other test expects.
  label_policy = {
    rename = { Zebra = "Striped Horse" }
    drop   = ["Weapon", "Rifle"]
  }

  unwanted = {
    labels = ["Firearm"]
    action = "quarantine"
  }

  stream_view_type = "NEW_AND_OLD_IMAGES"

  alarm_actions = [aws_sns_topic.pager.arn]

  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Test = "e2e"
  }
}

# Receives the alarms: an SNS topic that forwards them to a queue.
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

# The consumer of the example stream-consumer, and a queue that receives its events. To apply the example too would take
# another minute.
module "photo_events" {
  source = "../../../examples/stream-consumer/consumer"

  name       = "${var.name}-events"
  stream_arn = module.image_labels.images_table_stream_arn
}

resource "aws_cloudwatch_event_rule" "photos" {
  name = "${var.name}-events"

  event_pattern = jsonencode({
    source    = [module.photo_events.event_source]
    resources = [module.image_labels.images_table_arn]
  })
}

resource "aws_cloudwatch_event_target" "photos" {
  rule = aws_cloudwatch_event_rule.photos.name
  arn  = aws_sqs_queue.photo_events.arn
}

resource "aws_sqs_queue" "photo_events" {
  name = "${var.name}-photo-events"
}

# A face collection that is not the module's, with tags.
resource "aws_rekognition_collection" "people" {
  collection_id = "${var.name}-people"

  tags = {
    Test = "e2e"
  }
}

output "pager_queue_url" {
  description = "URL of the queue that receives the notifications of alarms."
  value       = aws_sqs_queue.pager.url
}

output "photo_events_queue_url" {
  description = "URL of the queue that receives the events of the consumer of the stream."
  value       = aws_sqs_queue.photo_events.url
}

output "image_labels" {
  description = "All outputs of the module."
  value       = module.image_labels
}
