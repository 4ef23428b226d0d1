# Two copies of the module on one bucket, each with a prefix, settings and tables of its own. By EventBridge, since S3
# keeps one set of notifications for each bucket: the copies would replace each other's.

provider "aws" {
  region = var.region

  # For emulators, which are reached by setting AWS_ENDPOINT_URL: on localhost there is no name <bucket>.localhost to
  # find. AWS takes path style as well.
  s3_use_path_style = true
}

locals {
  copies = {
    catalogue = { prefix = "catalogue/", min_confidence = 90, max_labels = 10 }
    archive   = { prefix = "archive/", min_confidence = 60, max_labels = 50 }
  }

  # Rekognition's quota is the account's: the copies share it.
  rekognition_tps = 50
}

resource "aws_s3_bucket" "shared" {
  #checkov:skip=CKV_AWS_18:a bucket in passing, made to show the copies of the module
  #checkov:skip=CKV_AWS_21:a bucket in passing, made to show the copies of the module
  #checkov:skip=CKV_AWS_144:a bucket in passing, made to show the copies of the module
  #checkov:skip=CKV_AWS_145:a bucket in passing, made to show the copies of the module
  #checkov:skip=CKV2_AWS_6:a bucket in passing, made to show the copies of the module
  #checkov:skip=CKV2_AWS_61:a bucket in passing, made to show the copies of the module
  bucket_prefix = "${var.name}-"
  force_destroy = true
}

resource "aws_s3_bucket_notification" "shared" {
  bucket      = aws_s3_bucket.shared.bucket
  eventbridge = true
}

module "image_labels" {
  source   = "../.."
  for_each = local.copies

  # Everything that a copy makes is named after it: two copies in one account and Region need two names.
  name = "${var.name}-${each.key}"

  create_bucket = false
  bucket_name   = aws_s3_bucket.shared.id
  trigger       = "eventbridge"
  filter_prefix = each.value.prefix

  min_confidence  = each.value.min_confidence
  max_labels      = each.value.max_labels
  rekognition_tps = local.rekognition_tps / length(local.copies)

  # An example should go as easily as it came. Leave this out where the labels are worth keeping.
  deletion_protection = false

  tags = {
    Example = "image-labels/shared-bucket"
  }
}
