# Labels for the photos in a bucket that is there already and belongs to somebody else: nothing of it is changed.

provider "aws" {
  region = var.region

  # For emulators, which are reached by setting AWS_ENDPOINT_URL: on localhost there is no name <bucket>.localhost to
  # find. AWS takes path style as well.
  s3_use_path_style = true
}

################################################################################
# Theirs: a bucket that tells a queue of theirs of every upload. In your case all this is somewhere else.
################################################################################

resource "aws_s3_bucket" "theirs" {
  #checkov:skip=CKV_AWS_18:stands for a bucket that somebody else looks after
  #checkov:skip=CKV_AWS_21:stands for a bucket that somebody else looks after
  #checkov:skip=CKV_AWS_144:stands for a bucket that somebody else looks after
  #checkov:skip=CKV_AWS_145:stands for a bucket that somebody else looks after
  #checkov:skip=CKV2_AWS_6:stands for a bucket that somebody else looks after
  #checkov:skip=CKV2_AWS_61:stands for a bucket that somebody else looks after
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

  # The one thing that the bucket's owner has to do: switch EventBridge on, besides all that is there already.
  eventbridge = true

  queue {
    id        = "theirs"
    queue_arn = aws_sqs_queue.theirs.arn
    events    = ["s3:ObjectCreated:*"]
  }

  # S3 tries the queue when the notification is made.
  depends_on = [aws_sqs_queue_policy.theirs]
}

################################################################################
# Ours
################################################################################

module "image_labels" {
  source = "../.."

  name = var.name

  create_bucket = false
  bucket_name   = aws_s3_bucket.theirs.id
  trigger       = "eventbridge"
  filter_prefix = "photos/"

  # An example should go as easily as it came. Leave this out where the labels are worth keeping.
  deletion_protection = false

  tags = {
    Example = "image-labels/existing-bucket"
  }
}
