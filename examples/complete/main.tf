# A new bucket whose photos are labelled, with a daily limit and an SNS topic for alarms.

provider "aws" {
  region = var.region

  # For emulators (AWS_ENDPOINT_URL): the host name <bucket>.localhost does not resolve. AWS accepts path-style requests
  # too.
  s3_use_path_style = true
}

module "image_labels" {
  source = "../.."

  name        = var.name
  bucket_name = var.bucket_name

  # At most 20 labels per photo, with a confidence of at least 75 %.
  min_confidence = 75
  max_labels     = 20

  # Limits the cost of Rekognition: 1,000 images cost $1. Photos over the limit wait until the next day.
  daily_image_limit = var.daily_image_limit

  alarm_actions = [aws_sns_topic.alarms.arn]

  # Lets `terraform destroy` remove the example with its photos and labels. Omit both to keep them.
  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Example = "image-labels/complete"
  }
}

# Receives all alarms. SNS sends each new email subscriber a link to confirm the subscription.
resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:messages contain no photos and no labels; CloudWatch cannot publish to a topic with the key alias/aws/sns
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
