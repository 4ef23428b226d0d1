# The pipeline: queues -> function -> tables, and the names and places that all files use. What feeds it is in bucket.tf
# and trigger.tf, its capacity in sizing.tf, permissions in iam.tf and resource_policies.tf, monitoring in observability.tf.

################################################################################
# Place: partition, Region and account
################################################################################

locals {
  # By data sources, not out of a resource's ARN: known at plan time, and before there is anything under kms_key_arn,
  # so that the key's own policy can be made of them (output kms_key_policy_json).
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id # `name` is deprecated in provider 6, `region` is not in 5
  account_id = data.aws_caller_identity.current.account_id
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = contains(local.regions, self.id) || var.rekognition_tps != null
      error_message = "The provider's Region, ${self.id}, is not known to have DetectLabels: photos can be labelled in ${join(", ", local.regions)}. If ${self.id} has it, set rekognition_tps to your quota of calls per second there, and this check is left out. Bucket, function and Rekognition must be in one Region."
    }
  }
}

# Only the provider's configuration; it asks AWS nothing.
data "aws_default_tags" "current" {
  lifecycle {
    postcondition {
      condition     = length(merge(self.tags, var.tags)) <= 50
      error_message = "tags must be 50 at most together with the provider's default_tags: AWS takes no more for a resource, and these are ${length(merge(self.tags, var.tags))}."
    }

    postcondition {
      condition     = length(distinct([for key in keys(merge(self.tags, var.tags)) : lower(key)])) == length(merge(self.tags, var.tags))
      error_message = "tags and the provider's default_tags must not have names that differ in case alone, such as Team and team: IAM takes them for one and refuses both. Given: ${join(", ", keys(merge(self.tags, var.tags)))}."
    }

    postcondition {
      condition = alltrue([
        for key, value in merge(self.tags, var.tags) :
        can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value))
      ])
      error_message = "The provider's default_tags must have names of 1 to 128 and values of at most 256 letters, digits, spaces and _ . : / = + - @: IAM takes no others."
    }
  }
}

################################################################################
# Queue names
################################################################################

locals {
  # The queues name each other and the queue's policy names the queue: only a name known beforehand breaks the cycle.
  queue_name = "${var.name}-photos"
  queue_arn  = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.queue_name}"

  waiting_queue_name     = "${var.name}-waiting"
  waiting_queue_arn      = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.waiting_queue_name}"
  dead_letter_queue_name = "${var.name}-dead-letters"
  dead_letter_queue_arn  = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.dead_letter_queue_name}"
}

################################################################################
# Queues: what is to be looked at, and what could not be done
################################################################################

locals {
  # 14 days, the longest SQS keeps a message: time to notice and mend what is broken before an event is lost.
  message_retention_seconds = 14 * 24 * 3600

  # SQS keeps the data key it got from KMS this long; 300 s is its own default and keeps KMS calls (and their price)
  # at one per client and five minutes.
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300
}

resource "aws_sqs_queue" "photos" {
  name = local.queue_name

  # Six times the function's time-out, as AWS advises: a batch must not come back while a throttled poller still
  # tries to hand it to the function. A photo that fails does not wait so long: the function says when it comes back.
  visibility_timeout_seconds = 6 * var.lambda_timeout
  message_retention_seconds  = local.message_retention_seconds
  receive_wait_time_seconds  = 20

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.kms_data_key_reuse_period_seconds

  # Here, not in an aws_sqs_queue_policy: the provider waits about 25 s for each of the two to settle.
  policy = data.aws_iam_policy_document.queue["photos"].json

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receive_count
  })

  tags = var.tags
}

resource "aws_sqs_queue" "dead_letters" {
  name = local.dead_letter_queue_name

  message_retention_seconds = local.message_retention_seconds
  receive_wait_time_seconds = 20

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.kms_data_key_reuse_period_seconds

  policy = data.aws_iam_policy_document.queue["dead_letters"].json

  # No other queue may leave its failures here. SQS takes the ARN of a queue that is still to be made.
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })

  tags = var.tags
}

# Photos over daily_image_limit, until the function takes them back. Not in the queue above, where each look at a photo
# would be one of its tries; nor by holding that queue up, which would keep deleted photos findable.
#
# It is there without a limit too: a queue that went together with the limit would take the photos in it along.
resource "aws_sqs_queue" "waiting" {
  name = local.waiting_queue_name

  # The function hides what it moves for this long; what it could not move is there again after it.
  visibility_timeout_seconds = 120
  message_retention_seconds  = local.message_retention_seconds

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.kms_data_key_reuse_period_seconds

  policy = data.aws_iam_policy_document.queue["waiting"].json

  tags = var.tags
}

################################################################################
# Function: look at each photo as it is now, and make the table agree
################################################################################

locals {
  package = var.lambda_package == null ? {
    filename          = "${path.module}/dist/lambda.zip"
    s3_bucket         = null
    s3_key            = null
    s3_object_version = null
    source_code_hash  = null
  } : var.lambda_package

  package_is_there = local.package.filename == null ? true : fileexists(local.package.filename)

  # A missing file is left to the function's precondition, which says what to do about it.
  package_hash = (
    (local.package.source_code_hash != null || local.package.filename == null || !local.package_is_there)
    ? local.package.source_code_hash
    : filebase64sha256(local.package.filename)
  )

  # What the function reads at its start; variables.tf keeps callers from overriding these names.
  environment = {
    BUCKET_NAME       = local.bucket_name
    IMAGES_TABLE_NAME = aws_dynamodb_table.images.name
    LABELS_TABLE_NAME = aws_dynamodb_table.labels.name
    MIN_CONFIDENCE    = tostring(var.min_confidence)
    MAX_LABELS        = tostring(var.max_labels)
    CONCURRENCY       = tostring(local.batch_size)

    DETECT_LABELS_PER_SECOND = format("%.4f", local.detect_labels_per_second)

    QUEUE_URL             = aws_sqs_queue.photos.url
    DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
    MAX_RECEIVE_COUNT     = tostring(var.max_receive_count)
    RETRY_DELAY_SECONDS   = tostring(var.retry_delay_seconds)

    # Ten minutes of the quota, half of which is worked off until the schedule rings again: more would only stand in the
    # way of what is uploaded and deleted meanwhile.
    WAITING_QUEUE_URL = aws_sqs_queue.waiting.url
    MOVE_AHEAD        = tostring(ceil(600 * local.rekognition_tps))
  }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:traces would show what the log lines and Rekognition's metrics do, and are billed by the photo
  #checkov:skip=CKV_AWS_115:the event source mapping limits it; reserved slots would keep small accounts from deploying
  #checkov:skip=CKV_AWS_116:its dead letters are the queue's; S3 Batch sees failures itself, and the schedule rings again
  #checkov:skip=CKV_AWS_173:names and numbers, nothing secret, and Lambda encrypts them in any case
  #checkov:skip=CKV_AWS_272:a signature needs a signing profile of the account's; lambda_package takes a zip that you have signed
  function_name = var.name
  description   = "Keeps the Rekognition labels of photos in DynamoDB"
  role          = aws_iam_role.function.arn

  handler       = "image_labels.handler.handler"
  runtime       = var.lambda_runtime
  architectures = [var.lambda_architecture]
  memory_size   = var.lambda_memory_size
  timeout       = var.lambda_timeout

  filename          = local.package.filename
  s3_bucket         = local.package.s3_bucket
  s3_key            = local.package.s3_key
  s3_object_version = local.package.s3_object_version
  source_code_hash  = local.package_hash

  environment {
    variables = merge(
      var.lambda_environment_variables,
      local.environment,
      var.daily_image_limit == null ? {} : { DAILY_IMAGE_LIMIT = tostring(var.daily_image_limit) },
    )
  }

  dynamic "vpc_config" {
    for_each = length(var.vpc_subnet_ids) == 0 ? [] : [var.vpc_subnet_ids]

    content {
      subnet_ids         = vpc_config.value
      security_group_ids = var.vpc_security_group_ids
    }
  }

  logging_config {
    log_group             = aws_cloudwatch_log_group.function.name
    log_format            = "JSON"
    application_log_level = var.log_level
    # INFO, whatever log_level says: at WARN Lambda leaves out platform.report, the line with duration and memory.
    system_log_level = "INFO"
  }

  tags = var.tags

  lifecycle {
    precondition {
      condition     = local.package_is_there
      error_message = "There is no file ${coalesce(local.package.filename, "-")}. The module comes with dist/lambda.zip: build that again, or say with lambda_package where yours is."
    }
  }

  depends_on = [
    # Lambda makes a missing log group itself, and that one keeps its lines for ever.
    aws_cloudwatch_log_group.function,
    # The first event may wait in the queue already: without its policy the function would fail it.
    aws_iam_role_policy.function,
    # Lambda makes the network interfaces with the role's permissions, and deletes them with these when the function goes.
    aws_iam_role_policy.network_interfaces,
  ]
}

locals {
  # https://aws.amazon.com/compliance/fips/; the SDK makes up names for other Regions, which lead nowhere.
  regions_with_fips_endpoints = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "us-gov-west-1"]
  uses_fips_endpoints         = lower(lookup(var.lambda_environment_variables, "AWS_USE_FIPS_ENDPOINT", "false")) == "true"
}

check "fips_endpoints" {
  assert {
    condition     = !local.uses_fips_endpoints || contains(local.regions_with_fips_endpoints, local.region)
    error_message = "lambda_environment_variables: AWS_USE_FIPS_ENDPOINT is set, but ${local.region} is not known to have FIPS endpoints for S3, SQS, DynamoDB and Rekognition. Known are ${join(", ", local.regions_with_fips_endpoints)}. Without them the function reaches nothing."
  }
}

resource "aws_lambda_event_source_mapping" "photos" {
  event_source_arn = aws_sqs_queue.photos.arn
  function_name    = aws_lambda_function.this.arn

  batch_size = local.batch_size
  # Take what is there: a window would only add its seconds to every single photo. Under load batches fill without it.
  maximum_batching_window_in_seconds = 0

  # One photo that fails must not send the other nine to Rekognition, and on the bill, again.
  function_response_types = ["ReportBatchItemFailures"]

  # A limit here rather than reserved concurrency: what is over it stays in the queue instead of being throttled (and
  # so counted as tried), and accounts with few concurrency slots can still deploy.
  scaling_config {
    maximum_concurrency = local.maximum_concurrency
  }

  tags = var.tags
}

################################################################################
# Schedule: taking back the photos over the daily limit
################################################################################

# Every 5 minutes the function takes back what waits, as far as the day's limit allows: soon after midnight UTC, when the
# day's count begins anew, and soon after the limit was raised or taken away.
resource "aws_cloudwatch_event_rule" "waiting" {
  name                = local.waiting_queue_name
  description         = "Lets ${var.name} take back the photos that wait for the end of the day"
  schedule_expression = "rate(5 minutes)"

  tags = var.tags
}

resource "aws_cloudwatch_event_target" "waiting" {
  rule = aws_cloudwatch_event_rule.waiting.name
  arn  = aws_lambda_function.this.arn

  # Older than that the next is due.
  retry_policy {
    maximum_event_age_in_seconds = 300
    maximum_retry_attempts       = 2
  }
}

resource "aws_lambda_permission" "waiting" {
  statement_id  = "LetTheScheduleInvokeTheFunction"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.waiting.arn

  # No source_account: the rule's ARN has the account in it, and with both EventBridge does not invoke the function.
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
}

################################################################################
# Tables: one item per photo, and one row per label and photo
################################################################################

resource "aws_dynamodb_table" "images" {
  #checkov:skip=CKV_AWS_119:under a key of the caller's if kms_key_arn names one, else under DynamoDB's own
  name         = "${var.name}-images"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "PK"

  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "PK"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # DynamoDB encrypts every table; "false" is under a key of its own, free of charge. Said in any case: a block that is
  # no longer there would leave the table under the old key, and the plan would not show it.
  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }

  tags = var.tags
}

resource "aws_dynamodb_table" "labels" {
  #checkov:skip=CKV_AWS_119:under a key of the caller's if kms_key_arn names one, else under DynamoDB's own
  name         = "${var.name}-labels"
  billing_mode = "PAY_PER_REQUEST"
  # One partition per label, its photos in order of confidence: finding them is a Query, not a Scan.
  hash_key  = "Term"
  range_key = "Rank"

  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "Term"
    type = "S"
  }

  attribute {
    name = "Rank"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }

  tags = var.tags
}
