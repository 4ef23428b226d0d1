# The bucket that holds the photos: a new one with its settings, or an existing one that is only looked up.

locals {
  # Of an existing bucket not by the data source, which a depends_on of the caller's would make unknown until apply.
  bucket_name = var.create_bucket ? aws_s3_bucket.photos[0].bucket : var.bucket_name
  bucket_arn  = var.create_bucket ? aws_s3_bucket.photos[0].arn : "arn:${local.partition}:s3:::${var.bucket_name}"
}

################################################################################
# Existing bucket
################################################################################

data "aws_s3_bucket" "existing" {
  count = var.create_bucket ? 0 : 1

  bucket = var.bucket_name

  lifecycle {
    postcondition {
      # The attribute `region` is the bucket's in provider 5, and the provider's in 6.
      condition     = strcontains(self.bucket_regional_domain_name, ".s3.${local.region}.")
      error_message = "bucket_name: the bucket ${self.bucket} is not in the provider's Region, ${local.region}: Rekognition reads photos of its own Region only, and S3 sends events to queues of its own Region only. Give the module the provider of the bucket's Region: providers = { aws = aws.<alias> }."
    }
  }
}

################################################################################
# New bucket
################################################################################

resource "aws_s3_bucket" "photos" {
  #checkov:skip=CKV_AWS_18:access logs need a bucket of their own, which is for the account to have, not for each module
  #checkov:skip=CKV_AWS_144:a second Region would need a second copy of photos that the labels do not need
  #checkov:skip=CKV2_AWS_62:it has notifications, in aws_s3_bucket_notification.photos, which checkov cannot tell by its count
  count = var.create_bucket ? 1 : 0

  bucket        = var.bucket_name
  bucket_prefix = var.bucket_name == null ? "${var.name}-" : null
  force_destroy = var.bucket_force_destroy

  tags = var.tags
}

resource "aws_s3_bucket_public_access_block" "photos" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "photos" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# Only with a key: S3 encrypts a bucket without this configuration under SSE-S3. It would also be harmful. Provider 6.22 to
# 6.39 shows a change in every plan unless blocked_encryption_types is set, which 5.100 does not know, and each apply lifts
# the block on SSE-C that S3 sets on new buckets.
# https://github.com/hashicorp/terraform-provider-aws/issues/47320
resource "aws_s3_bucket_server_side_encryption_configuration" "photos" {
  count = var.create_bucket && var.kms_key_arn != null ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  rule {
    # One KMS call for many photos instead of one for each.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "photos" {
  # No resource rather than "Suspended": that makes null versions and delete markers, which an unversioned bucket has
  # not. Switched off later, the provider suspends versioning, the only way back that S3 has.
  count = var.create_bucket && var.bucket_versioning ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "photos" {
  #checkov:skip=CKV_AWS_300:the first rule does it; checkov gets lost at the dynamic one
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  rule {
    id     = "abort-incomplete-multipart-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Also without versioning: it does nothing there, but clears up behind versioning that was switched off.
  dynamic "rule" {
    for_each = var.bucket_noncurrent_version_days == null ? [] : [var.bucket_noncurrent_version_days]

    content {
      id     = "expire-noncurrent-versions"
      status = "Enabled"

      filter {}

      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }

      # The delete marker that is left when the last version behind it has gone.
      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  # S3 wants versioning settled before rules about versions.
  depends_on = [aws_s3_bucket_versioning.photos]
}

resource "aws_s3_bucket_policy" "photos" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id
  policy = data.aws_iam_policy_document.bucket[0].json

  # S3 answers OperationAborted when two of a bucket's access settings are written at once.
  depends_on = [aws_s3_bucket_public_access_block.photos]
}
