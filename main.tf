# The core of the pipeline: queues -> function -> tables, and the partition, Region, account and queue names that all files
# use. Events come from bucket.tf and trigger.tf. sizing.tf has the capacity, iam.tf and resource_policies.tf have the
# permissions, observability.tf and dashboard.tf the monitoring.

################################################################################
# Partition, Region and account
################################################################################

locals {
  # From data sources instead of a resource's ARN: the plan knows them before any resource exists, so the policy of the KMS
  # key can use them (output kms_key_policy_json).
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id # provider 6 deprecates `name`, provider 5 has no `region`
  account_id = data.aws_caller_identity.current.account_id
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = contains(local.regions, self.id) || var.rekognition_tps != null
      error_message = "The provider's Region, ${self.id}, is not a Region that the module knows to have DetectLabels: ${join(", ", local.regions)}. If ${self.id} has DetectLabels, set rekognition_tps to your quota of calls per second there, which skips this check. Bucket, function and Rekognition must be in the same Region."
    }
  }
}

# Reads only the provider's configuration; it calls no AWS API.
data "aws_default_tags" "current" {
  lifecycle {
    postcondition {
      condition     = length(merge(self.tags, var.tags)) <= 50
      error_message = "tags and the provider's default_tags must have at most 50 entries in total: AWS allows no more per resource. Given: ${length(merge(self.tags, var.tags))}."
    }

    postcondition {
      condition     = length(distinct([for key in keys(merge(self.tags, var.tags)) : lower(key)])) == length(merge(self.tags, var.tags))
      error_message = "tags and the provider's default_tags must not have names that differ only in case, such as Team and team: IAM treats them as duplicates and refuses them. Given: ${join(", ", keys(merge(self.tags, var.tags)))}."
    }

    postcondition {
      condition = alltrue([
        for key, value in merge(self.tags, var.tags) :
        can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value))
      ])
      error_message = "The provider's default_tags must have names of 1 to 128 and values of at most 256 letters, digits, spaces and _ . : / = + - @: IAM allows no other characters."
    }
  }
}

################################################################################
# Queue names
################################################################################

locals {
  # ARNs built from names: the queues refer to each other, and each policy refers to its queue. References to the resources
  # would form cycles.
  queue_name = "${var.name}-photos"
  queue_arn  = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.queue_name}"

  waiting_queue_name     = "${var.name}-waiting"
  waiting_queue_arn      = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.waiting_queue_name}"
  dead_letter_queue_name = "${var.name}-dead-letters"
  dead_letter_queue_arn  = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.dead_letter_queue_name}"
}

################################################################################
# Queues: events to process, dead letters, and photos over the daily limit
################################################################################

locals {
  # 14 days, the maximum: time to notice and repair a fault before SQS deletes the events.
  message_retention_seconds = 14 * 24 * 3600

  # How long SQS reuses a data key from KMS. 300 s is SQS's default; it limits the billed KMS calls to one per client and
  # five minutes.
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300
}

resource "aws_sqs_queue" "photos" {
  name = local.queue_name

  # Six times the function's timeout, as AWS recommends: a batch must not become visible while Lambda still retries a
  # throttled invocation with it. A failed photo is retried sooner, because the function changes its message's visibility.
  visibility_timeout_seconds = 6 * var.lambda_timeout
  message_retention_seconds  = local.message_retention_seconds
  receive_wait_time_seconds  = 20

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.kms_data_key_reuse_period_seconds

  # Not an aws_sqs_queue_policy: the provider waits about 25 s for each of the two resources.
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

  # Only the queue of photos may use this dead-letter queue. SQS accepts the ARN of a queue that does not exist yet.
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })

  tags = var.tags
}

# Photos over daily_image_limit, until the function moves them back to the queue of photos. They do not stay in that queue:
# every receive would count as an attempt, and pausing it would delay deletions, so deleted photos would still be found.
#
# The queue exists without a limit too: removing it together with the limit would delete the messages in it.
resource "aws_sqs_queue" "waiting" {
  name = local.waiting_queue_name

  # A message that the function receives but fails to move becomes visible again after this time.
  visibility_timeout_seconds = 120
  message_retention_seconds  = local.message_retention_seconds

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.kms_data_key_reuse_period_seconds

  policy = data.aws_iam_policy_document.queue["waiting"].json

  tags = var.tags
}

################################################################################
# Function: reconciles the tables with the current state of each photo
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

  # If the file is missing, the function's precondition reports it.
  package_hash = (
    (local.package.source_code_hash != null || local.package.filename == null || !local.package_is_there)
    ? local.package.source_code_hash
    : filebase64sha256(local.package.filename)
  )

  # The function's settings. A validation of lambda_environment_variables refuses these names. The function for S3 Batch
  # Operations has others for CONCURRENCY and the calls per second.
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

    # Messages that the queue of photos may hold before the function moves no more back: ten minutes of its part of the
    # quota, half of which is processed before the next scheduled run. More would delay new uploads and deletions.
    WAITING_QUEUE_URL = aws_sqs_queue.waiting.url
    MAX_QUEUE_BACKLOG = tostring(ceil(600 * local.queue_tps))
  }

  # The settings that are set only if they are used.
  optional_environment = merge(
    var.daily_image_limit == null ? {} : { DAILY_IMAGE_LIMIT = tostring(var.daily_image_limit) },
    local.requested_min_confidence == var.min_confidence ? {} : { REQUESTED_MIN_CONFIDENCE = tostring(local.requested_min_confidence) },
    local.label_policy_id == null ? {} : { LABEL_POLICY_ID = local.label_policy_id },
    var.unwanted == null ? {} : { UNWANTED_ID = local.unwanted_id },
    local.requests_all_labels ? { REQUESTED_MAX_LABELS = "1000" } : {},
    local.text_environment,
    local.detects_moderation ? { MODERATION_MIN_CONFIDENCE = tostring(var.unwanted.min_confidence) } : {},
    { for api in local.detectors : local.api_variables[api] => format("%.4f", local.calls_per_second[api]) },
    local.faces_environment,
  )
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:logs and metrics show the same as traces, which are billed per photo
  #checkov:skip=CKV_AWS_115:the event source mapping limits concurrency; small accounts cannot reserve any
  #checkov:skip=CKV_AWS_116:the queue has one, and the schedule runs again
  #checkov:skip=CKV_AWS_173:the variables hold no secrets, and Lambda encrypts them with its own key
  #checkov:skip=CKV_AWS_272:signing requires a profile in the account; lambda_package accepts a signed zip
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
      local.optional_environment,
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
    # Independent of log_level: at WARN Lambda omits platform.report, the line with duration and memory.
    system_log_level = "INFO"
  }

  tags = var.tags

  lifecycle {
    precondition {
      condition     = local.package_is_there
      error_message = "lambda_package: the file ${coalesce(local.package.filename, "-")} does not exist. The default is dist/lambda.zip of the module: build it with `make package`, or set lambda_package to the location of your zip file."
    }
  }

  depends_on = [
    # Lambda creates a missing log group itself, without a retention period.
    aws_cloudwatch_log_group.function,
    # The queue may already hold an event, which the function would fail without its permissions.
    aws_iam_role_policy.function,
    # Lambda uses the role's permissions to create network interfaces, and to delete them with the function.
    aws_iam_role_policy.network_interfaces,
    aws_iam_role_policy.faces,
    aws_iam_role_policy.moderation,
    aws_iam_role_policy.unwanted,
    # The function reads the rows that LABEL_POLICY_ID and UNWANTED_ID name.
    aws_dynamodb_table_item.label_policy,
    aws_dynamodb_table_item.unwanted,
  ]
}

locals {
  # In other Regions the SDK constructs endpoint names that do not exist. https://aws.amazon.com/compliance/fips/
  regions_with_fips_endpoints = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "us-gov-west-1"]
  uses_fips_endpoints         = lower(lookup(var.lambda_environment_variables, "AWS_USE_FIPS_ENDPOINT", "false")) == "true"
}

check "fips_endpoints" {
  assert {
    condition     = !local.uses_fips_endpoints || contains(local.regions_with_fips_endpoints, local.region)
    error_message = "lambda_environment_variables: AWS_USE_FIPS_ENDPOINT is set, but ${local.region} is not a Region that the module knows to have FIPS endpoints for S3, SQS, DynamoDB and Rekognition: ${join(", ", local.regions_with_fips_endpoints)}. Without these endpoints the function cannot call AWS."
  }
}

resource "aws_lambda_event_source_mapping" "photos" {
  event_source_arn = aws_sqs_queue.photos.arn
  function_name    = aws_lambda_function.this.arn

  batch_size = local.batch_size
  # A batching window would delay every single photo. Under load batches fill without one.
  maximum_batching_window_in_seconds = 0

  # A failed photo must not return the rest of its batch to the queue: Rekognition would bill those photos again.
  function_response_types = ["ReportBatchItemFailures"]

  # Instead of reserved concurrency: messages over this limit stay in the queue instead of being throttled, which would count
  # as an attempt, and accounts with a low concurrency quota can deploy the module.
  scaling_config {
    maximum_concurrency = local.maximum_concurrency
  }

  tags = var.tags
}

################################################################################
# Schedule: returns the photos over the daily limit to the queue
################################################################################

# Every 5 minutes the function moves waiting photos back to the queue, as far as the daily limit allows: soon after midnight
# UTC, when the count restarts, and soon after the limit was raised or removed.
resource "aws_cloudwatch_event_rule" "waiting" {
  name                = local.waiting_queue_name
  description         = "Invokes ${var.name} to process the photos over the daily limit"
  schedule_expression = "rate(5 minutes)"

  tags = var.tags
}

resource "aws_cloudwatch_event_target" "waiting" {
  rule = aws_cloudwatch_event_rule.waiting.name
  arn  = aws_lambda_function.this.arn

  # Drop stale events: the next run is already due.
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

  # No source_account: the rule's ARN contains the account, and with both conditions EventBridge cannot invoke the function.
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
}

################################################################################
# Tables: one item per photo, and one row per label and photo
################################################################################

resource "aws_dynamodb_table" "images" {
  #checkov:skip=CKV_AWS_119:kms_key_arn sets a customer managed key; the default is DynamoDB's own
  name         = "${var.name}-images"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "PK"

  deletion_protection_enabled = var.deletion_protection

  # DynamoDB cannot change the view type of an enabled stream: the provider disables the stream and enables another one.
  stream_enabled   = var.stream_view_type != null
  stream_view_type = var.stream_view_type

  attribute {
    name = "PK"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # DynamoDB encrypts every table; enabled = false means an AWS-owned key, free of charge. The block is always present: if it
  # were removed, the table would keep the old key and the plan would show no change.
  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }

  tags = var.tags
}

resource "aws_dynamodb_table" "labels" {
  #checkov:skip=CKV_AWS_119:kms_key_arn sets a customer managed key; the default is DynamoDB's own
  name         = "${var.name}-labels"
  billing_mode = "PAY_PER_REQUEST"
  # One partition per label, sorted by confidence: finding photos takes a Query instead of a Scan.
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
