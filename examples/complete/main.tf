# Everything new in one go: a bucket, and behind it all that labels the photos in it.

provider "aws" {
  region = var.region

  # For emulators, which are reached by setting AWS_ENDPOINT_URL: on localhost there is no name <bucket>.localhost to
  # find. AWS takes path style as well.
  s3_use_path_style = true
}

module "image_labels" {
  source = "../.."

  name        = var.name
  bucket_name = var.bucket_name

  # Labels of at least 75 %, 20 at most.
  min_confidence = 75
  max_labels     = 20

  # What Rekognition may cost in a day, in thousandths of a dollar. Photos beyond it wait until the next.
  daily_image_limit = var.daily_image_limit

  alarm_actions = [aws_sns_topic.alarms.arn]

  # An example should go as easily as it came: photos, labels and all. Leave these two out where either is worth keeping.
  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Example = "image-labels/complete"
  }
}

# Who hears of alarms. Whoever is subscribed gets a mail first, with a link to confirm it.
resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:names of alarms, no photos and no labels; CloudWatch cannot send to a topic under SNS's own key
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
