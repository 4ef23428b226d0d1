# Unwanted photos (var.unwanted): their rules, and the permissions and the alarm for what is done with them. The function
# matches the rules on Rekognition's own answer, before label_policy. lambda_src/image_labels/unwanted/ applies them.

################################################################################
# Rules: a row of the labels table, because the function's environment variables have only 4 KB
################################################################################

locals {
  # Nothing is done with photos otherwise.
  acts_on_unwanted = var.unwanted == null ? false : !var.unwanted.dry_run
  quarantines      = try(var.unwanted.action, "") == "quarantine"

  quarantine_bucket = try(coalesce(var.unwanted.quarantine_bucket, local.bucket_name), local.bucket_name)

  # Only what the action needs, so that other values of an unused argument do not change the id.
  unwanted_rules = var.unwanted == null ? null : jsonencode({
    labels            = var.unwanted.labels
    categories        = var.unwanted.categories
    moderation_labels = var.unwanted.moderation_labels
    min_confidence    = var.unwanted.min_confidence
    action            = var.unwanted.action
    dry_run           = var.unwanted.dry_run
    quarantine_bucket = local.quarantines ? local.quarantine_bucket : ""
    quarantine_prefix = local.quarantines ? var.unwanted.quarantine_prefix : ""
    tag               = var.unwanted.action == "tag" ? var.unwanted.tag : {}
  })
  # Not of the JSON: the name of a new bucket is unknown before the first apply, and the id is a key of for_each.
  unwanted_id = var.unwanted == null ? null : substr(sha256(jsonencode([
    var.unwanted.labels, var.unwanted.categories, var.unwanted.moderation_labels, var.unwanted.min_confidence,
    var.unwanted.action, var.unwanted.dry_run,
    local.quarantines ? [coalesce(var.unwanted.quarantine_bucket, "*"), var.unwanted.quarantine_prefix] : [],
    var.unwanted.action == "tag" ? var.unwanted.tag : {},
  ])), 0, 16)

  # Rekognition's whole answer is wanted: an unwanted label may be the eleventh best one.
  requests_all_labels = try(length(var.unwanted.labels) + length(var.unwanted.categories), 0) > 0
  detects_moderation  = try(length(var.unwanted.moderation_labels), 0) > 0
}

resource "aws_dynamodb_table_item" "unwanted" {
  # By id, as the label policy: a changed set of rules is a new row.
  for_each = toset(var.unwanted == null ? [] : [local.unwanted_id])

  table_name = aws_dynamodb_table.labels.name
  hash_key   = aws_dynamodb_table.labels.hash_key
  range_key  = aws_dynamodb_table.labels.range_key

  item = jsonencode({
    Term  = { S = "*unwanted" }
    Rank  = { S = each.key }
    Rules = { S = local.unwanted_rules }
  })

  lifecycle {
    create_before_destroy = true
  }
}

################################################################################
# Permissions: only those of the chosen action, and none for a dry run
################################################################################

resource "aws_iam_role_policy" "moderation" {
  count = local.detects_moderation ? 1 : 0

  name   = "detect-moderation-labels"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.moderation[0].json
}

data "aws_iam_policy_document" "moderation" {
  #checkov:skip=CKV_AWS_356:DetectModerationLabels has no resource type
  count = local.detects_moderation ? 1 : 0

  # DetectModerationLabels has no resource type: IAM accepts only "*".
  statement {
    sid       = "DetectModerationLabelsInPhotos"
    actions   = ["rekognition:DetectModerationLabels"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "unwanted" {
  count = local.acts_on_unwanted ? 1 : 0

  name   = "${var.unwanted.action}-unwanted-photos"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.unwanted[0].json
}

data "aws_iam_policy_document" "unwanted" {
  count = local.acts_on_unwanted ? 1 : 0

  # PutObjectTagging replaces all tags of an object, so the function reads them first.
  dynamic "statement" {
    for_each = var.unwanted.action == "tag" ? [1] : []

    content {
      sid       = "TagUnwantedPhotos"
      actions   = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"]
      resources = ["${local.bucket_arn}/${var.filter_prefix}*"]
    }
  }

  # CopyObject copies the tags of the photo, too.
  dynamic "statement" {
    for_each = local.quarantines ? [1] : []

    content {
      sid       = "ReadTagsOfUnwantedPhotos"
      actions   = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"]
      resources = ["${local.bucket_arn}/${var.filter_prefix}*"]
    }
  }

  # GetObject serves HeadObject, which verifies the copy before the photo is deleted.
  dynamic "statement" {
    for_each = local.quarantines ? [1] : []

    content {
      sid       = "CopyUnwantedPhotosToQuarantine"
      actions   = ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"]
      resources = ["arn:${local.partition}:s3:::${local.quarantine_bucket}/${var.unwanted.quarantine_prefix}*"]
    }
  }

  # As TellMissingPhotosFromForbiddenOnes, for the copies.
  dynamic "statement" {
    for_each = local.quarantines ? [1] : []

    content {
      sid       = "TellMissingCopiesFromForbiddenOnes"
      actions   = ["s3:ListBucket"]
      resources = ["arn:${local.partition}:s3:::${local.quarantine_bucket}"]
    }
  }

  # With versions and without. DeleteObject with If-Match also needs GetObject, which the function has.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
  dynamic "statement" {
    for_each = var.unwanted.action == "tag" ? [] : [1]

    content {
      sid       = "DeleteUnwantedPhotos"
      actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      resources = ["${local.bucket_arn}/${var.filter_prefix}*"]
    }
  }
}

################################################################################
# Metric and alarm
################################################################################

locals {
  # One line per photo that was tagged, moved or deleted (lambda_src/image_labels/unwanted/guard.py).
  unwanted_metrics = local.acts_on_unwanted ? { Unwanted = { pattern = "{ $.acted = 1 }" } } : {}

  unwanted_alarms = local.acts_on_unwanted ? {
    unwanted = {
      description = "Unwanted photos were found, and the function did with them what unwanted.action says (${var.unwanted.action}): see \"photo unwanted\" in its log, and image-labels status"
      namespace   = local.metric_namespace
      metric      = "Unwanted"
      dimensions  = {}
      statistic   = "Sum"
      period      = 300
      threshold   = 0
    }
  } : {}
}

check "unwanted_photos_are_logged" {
  assert {
    condition     = !local.acts_on_unwanted || contains(["DEBUG", "INFO", "WARN"], var.log_level)
    error_message = "log_level: \"${var.log_level}\" omits the lines from which the alarm on unwanted photos is counted, so it never fires. Set log_level to \"WARN\" or lower."
  }
}
