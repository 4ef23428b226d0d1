# The bucket of photos: a new bucket with its settings, or the lookup of an existing bucket (create_bucket = false).

locals {
  # An existing bucket's name comes from the variable: a depends_on in the caller's module block defers data sources to the
  # apply, and their attributes would be unknown in the plan.
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
      # Not self.region: in provider 5 it is the bucket's Region, in provider 6 the provider's.
      condition     = strcontains(self.bucket_regional_domain_name, ".s3.${local.region}.")
      error_message = "bucket_name: the bucket ${self.bucket} is not in the provider's Region, ${local.region}. It must be, because Rekognition reads photos and S3 sends events only within a Region. Pass the module a provider for the bucket's Region: providers = { aws = aws.<alias> }."
    }
  }
}

################################################################################
# New bucket
################################################################################

resource "aws_s3_bucket" "photos" {
  #checkov:skip=CKV_AWS_18:access logs need another bucket, which belongs to the account, not to each module
  #checkov:skip=CKV_AWS_144:labelling needs no copy of the photos in a second Region
  #checkov:skip=CKV2_AWS_62:aws_s3_bucket_notification.photos configures them; checkov does not resolve its count
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

# Only with a key, because S3 applies SSE-S3 by default. This resource also has a cost: provider 6.22 to 6.39 shows a change
# in every plan unless blocked_encryption_types is set, which 5.100 does not support, and each apply removes the block on
# SSE-C that S3 sets on new buckets.
# https://github.com/hashicorp/terraform-provider-aws/issues/47320
resource "aws_s3_bucket_server_side_encryption_configuration" "photos" {
  count = var.create_bucket && var.kms_key_arn != null ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  rule {
    # One KMS call for many photos instead of one per photo.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "photos" {
  # No resource instead of status "Suspended", which creates null versions and delete markers in an unversioned bucket. If
  # versioning is disabled later, the provider suspends it: S3 cannot remove it.
  count = var.create_bucket && var.bucket_versioning ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "photos" {
  #checkov:skip=CKV_AWS_300:the first rule aborts incomplete uploads; checkov misreads the dynamic rule
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

  # Also without versioning, to remove the noncurrent versions that remain after versioning was suspended.
  dynamic "rule" {
    for_each = var.bucket_noncurrent_version_days == null ? [] : [var.bucket_noncurrent_version_days]

    content {
      id     = "expire-noncurrent-versions"
      status = "Enabled"

      filter {}

      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }

      # Removes a delete marker whose last noncurrent version has expired.
      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  # S3 requires versioning to be configured before rules on noncurrent versions.
  depends_on = [aws_s3_bucket_versioning.photos]
}

resource "aws_s3_bucket_policy" "photos" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id
  policy = data.aws_iam_policy_document.bucket[0].json

  # S3 returns OperationAborted for concurrent writes of a bucket's access settings.
  depends_on = [aws_s3_bucket_public_access_block.photos]
}
