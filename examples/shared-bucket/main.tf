# Two copies of the module on one bucket, each with its own prefix, settings and tables. They use EventBridge, because a
# bucket has one notification configuration, and each copy would replace the other's.

provider "aws" {
  region = var.region

  # For emulators (AWS_ENDPOINT_URL): the host name <bucket>.localhost does not resolve. AWS accepts path-style requests
  # too.
  s3_use_path_style = true
}

locals {
  copies = {
    catalogue = { prefix = "catalogue/", min_confidence = 90, max_labels = 10, text = null }
    archive   = { prefix = "archive/", min_confidence = 60, max_labels = 50, text = {} }
  }

  # The copies share Rekognition's quota, which applies per account and Region.
  rekognition_tps = 50
}

resource "aws_s3_bucket" "shared" {
  #checkov:skip=CKV_AWS_18:a short-lived bucket for this example
  #checkov:skip=CKV_AWS_21:a short-lived bucket for this example
  #checkov:skip=CKV_AWS_144:a short-lived bucket for this example
  #checkov:skip=CKV_AWS_145:a short-lived bucket for this example
  #checkov:skip=CKV2_AWS_6:a short-lived bucket for this example
  #checkov:skip=CKV2_AWS_61:a short-lived bucket for this example
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

  # Copies in one account and Region need different names.
  name = "${var.name}-${each.key}"

  create_bucket = false
  bucket_name   = aws_s3_bucket.shared.id
  trigger       = "eventbridge"
  filter_prefix = each.value.prefix

  min_confidence  = each.value.min_confidence
  max_labels      = each.value.max_labels
  rekognition_tps = local.rekognition_tps / length(local.copies)

  # A second call of Rekognition for each photo, which finds the lines of text in it.
  text = each.value.text

  # Lets `terraform destroy` remove the example with its labels. Omit it to keep them.
  deletion_protection = false

  tags = {
    Example = "image-labels/shared-bucket"
  }
}
