# A new bucket whose photos are labelled, and an EventBridge event for each photo that was labelled, changed, rejected or
# removed.

provider "aws" {
  region = var.region

  # For emulators (AWS_ENDPOINT_URL): the host name <bucket>.localhost does not resolve. AWS accepts path-style requests
  # too.
  s3_use_path_style = true
}

module "image_labels" {
  source = "../.."

  name = var.name

  # The consumer compares a photo's item before and after each change.
  stream_view_type = "NEW_AND_OLD_IMAGES"

  # Lets `terraform destroy` remove the example with its photos and labels. Omit both to keep them.
  bucket_force_destroy = true
  deletion_protection  = false

  tags = local.tags
}

module "photo_events" {
  source = "./consumer"

  name       = "${var.name}-events"
  stream_arn = module.image_labels.images_table_stream_arn

  tags = local.tags
}

locals {
  tags = { Example = "image-labels/stream-consumer" }
}

################################################################################
# A subscriber: a queue that receives the events of all photos
################################################################################

resource "aws_cloudwatch_event_rule" "photos" {
  name        = "${var.name}-events"
  description = "Events of photos"

  # For instance, only rejected and removed photos: add "detail-type" = ["Photo rejected", "Photo removed"].
  event_pattern = jsonencode({
    source    = [module.photo_events.event_source]
    resources = [module.image_labels.images_table_arn]
  })

  tags = local.tags
}

resource "aws_cloudwatch_event_target" "subscriber" {
  rule = aws_cloudwatch_event_rule.photos.name
  arn  = aws_sqs_queue.subscriber.arn
}

resource "aws_sqs_queue" "subscriber" {
  name                    = local.subscriber_name
  sqs_managed_sse_enabled = true
  policy                  = data.aws_iam_policy_document.subscriber.json

  tags = local.tags
}

locals {
  # From its name: a reference from the queue's policy to the queue would be a cycle.
  subscriber_name = "${var.name}-subscriber"
  subscriber_arn  = replace(module.image_labels.queue_arn, "/[^:]+$/", local.subscriber_name)
}

data "aws_iam_policy_document" "subscriber" {
  statement {
    sid       = "LetTheRuleSendEvents"
    actions   = ["sqs:SendMessage"]
    resources = [local.subscriber_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.photos.arn]
    }
  }
}
