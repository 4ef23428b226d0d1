# Labels for the photos in an existing bucket that another team manages. The module does not change the bucket.

provider "aws" {
  region = var.region

  # For emulators (AWS_ENDPOINT_URL): the host name <bucket>.localhost does not resolve. AWS accepts path-style requests
  # too.
  s3_use_path_style = true
}

################################################################################
# The other team's bucket, with event notifications to the team's queue. In practice it is in another configuration.
################################################################################

resource "aws_s3_bucket" "theirs" {
  #checkov:skip=CKV_AWS_18:represents a bucket that another team manages
  #checkov:skip=CKV_AWS_21:represents a bucket that another team manages
  #checkov:skip=CKV_AWS_144:represents a bucket that another team manages
  #checkov:skip=CKV_AWS_145:represents a bucket that another team manages
  #checkov:skip=CKV2_AWS_6:represents a bucket that another team manages
  #checkov:skip=CKV2_AWS_61:represents a bucket that another team manages
  bucket_prefix = "${var.name}-theirs-"
  force_destroy = true
}

resource "aws_sqs_queue" "theirs" {
  name                    = "${var.name}-theirs"
  sqs_managed_sse_enabled = true
}

data "aws_iam_policy_document" "theirs" {
  statement {
    sid       = "LetTheBucketSendItsEvents"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.theirs.arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_s3_bucket.theirs.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "theirs" {
  queue_url = aws_sqs_queue.theirs.url
  policy    = data.aws_iam_policy_document.theirs.json
}

resource "aws_s3_bucket_notification" "theirs" {
  bucket = aws_s3_bucket.theirs.bucket

  # The only change that the bucket's owner makes: enable EventBridge in addition to the existing notifications.
  eventbridge = true

  queue {
    id        = "theirs"
    queue_arn = aws_sqs_queue.theirs.arn
    events    = ["s3:ObjectCreated:*"]
  }

  # S3 sends a test message to the queue when the notification is created.
  depends_on = [aws_sqs_queue_policy.theirs]
}

################################################################################
# The module
################################################################################

module "image_labels" {
  source = "../.."

  name = var.name

  create_bucket = false
  bucket_name   = aws_s3_bucket.theirs.id
  trigger       = "eventbridge"
  filter_prefix = "photos/"

  # Lets `terraform destroy` remove the example with its labels. Omit it to keep them.
  deletion_protection = false

  tags = {
    Example = "image-labels/existing-bucket"
  }
}
