# S3 Batch Operations (enable_batch_operations): a second function that jobs invoke, and the role of the jobs. The command
# `image-labels backfill --batch-operations` creates the jobs. AWS runs them.
#
# A function apart from that of the queue, because a job has no setting for its rate. Reserved concurrency and the pace of
# each invocation limit it. They must neither throttle the queue's invocations nor let both exceed the quota.

################################################################################
# Names and capacity
################################################################################

locals {
  batch_function_name = "${var.name}-batch"

  # Where jobs write manifests and reports. A validation of enable_batch_operations keeps the key filter from matching it.
  batch_prefix = "${local.batch_function_name}/"

  # What sizing.tf leaves of the quotas.
  batch_tps     = local.photos_per_second - local.queue_tps
  batch_api_tps = { for api, tps in local.api_tps : api => tps - local.queue_api_tps[api] }

  # An invocation has one photo. S3 starts as many as it can, and Lambda throttles those above this number.
  batch_concurrency      = max(1, ceil(local.seconds_per_photo * local.batch_tps))
  batch_calls_per_second = { for api, tps in local.batch_api_tps : api => tps / local.batch_concurrency }

  # Of an invocation of either function, for the slowest API.
  fewest_calls_per_second = min(concat(values(local.calls_per_second), values(local.batch_calls_per_second))...)
}

################################################################################
# Function
################################################################################

resource "aws_lambda_function" "batch" {
  #checkov:skip=CKV_AWS_50:logs and metrics show the same as traces, which are billed per photo
  #checkov:skip=CKV_AWS_116:the report of a job names the photos that failed
  #checkov:skip=CKV_AWS_173:the variables hold no secrets, and Lambda encrypts them with its own key
  #checkov:skip=CKV_AWS_272:signing requires a profile in the account; lambda_package accepts a signed zip
  count = var.enable_batch_operations ? 1 : 0

  function_name = local.batch_function_name
  description   = "Keeps the Rekognition labels of photos in DynamoDB, for S3 Batch Operations"
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

  reserved_concurrent_executions = local.batch_concurrency

  environment {
    variables = merge(
      var.lambda_environment_variables,
      local.environment,
      local.optional_environment,
      { CONCURRENCY = "1" },
      # Rounded down: the sum of all invocations must not exceed the share.
      { for api, each in local.batch_calls_per_second : local.api_variables[api] => format("%.4f", floor(10000 * each) / 10000) },
    )
  }

  dynamic "vpc_config" {
    for_each = length(var.vpc_subnet_ids) == 0 ? [] : [var.vpc_subnet_ids]

    content {
      subnet_ids         = vpc_config.value
      security_group_ids = var.vpc_security_group_ids
    }
  }

  # The same log group, from which the metrics are counted.
  logging_config {
    log_group             = aws_cloudwatch_log_group.function.name
    log_format            = "JSON"
    application_log_level = var.log_level
    system_log_level      = "INFO"
  }

  tags = var.tags

  lifecycle {
    # An invocation waits for its turn, and then takes up to twice that long. Otherwise no photo would be done in time.
    precondition {
      condition     = var.lambda_timeout >= 3 / local.fewest_calls_per_second
      error_message = "lambda_timeout must be at least ${ceil(3 / local.fewest_calls_per_second)} seconds with enable_batch_operations and ${local.photos_per_second} calls per second: an invocation makes one call of ${join(" and ", keys(local.api_tps))} in ${ceil(1 / local.fewest_calls_per_second)} seconds."
    }
  }

  depends_on = [
    aws_cloudwatch_log_group.function,
    aws_iam_role_policy.function,
    aws_iam_role_policy.network_interfaces,
    aws_iam_role_policy.faces,
    aws_iam_role_policy.moderation,
    aws_iam_role_policy.unwanted,
    aws_dynamodb_table_item.label_policy,
    aws_dynamodb_table_item.unwanted,
  ]
}

################################################################################
# Role of the jobs
################################################################################

resource "aws_iam_role" "batch_operations" {
  count = var.enable_batch_operations ? 1 : 0

  # IAM allows a prefix of 38 characters.
  name_prefix          = "${substr(var.name, 0, 31)}-batch-"
  path                 = var.role_path
  description          = "Role of the S3 Batch Operations jobs that invoke ${local.batch_function_name}"
  assume_role_policy   = data.aws_iam_policy_document.batch_operations_assume_role.json
  permissions_boundary = var.role_permissions_boundary

  tags = var.tags
}

resource "aws_iam_role_policy" "batch_operations" {
  count = var.enable_batch_operations ? 1 : 0

  name   = "run-batch-jobs"
  role   = aws_iam_role.batch_operations[0].id
  policy = data.aws_iam_policy_document.batch_operations[0].json
}

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
data "aws_iam_policy_document" "batch_operations_assume_role" {
  # No aws:SourceAccount: the guide does not document that S3 sets it. Only principals of this account can pass the role.
  statement {
    sid     = "LetBatchOperationsRunAsThisRole"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["batchoperations.s3.amazonaws.com"]
    }
  }
}

# The guide's permissions for a generated manifest and a report, and for a function. No key: S3 encrypts reports with its
# own keys (SSE-S3), and the command asks for the same for manifests.
data "aws_iam_policy_document" "batch_operations" {
  count = var.enable_batch_operations ? 1 : 0

  statement {
    sid       = "InvokeTheFunction"
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.batch[0].arn]
  }

  # S3 lists the photos with an inventory.
  statement {
    sid       = "ListPhotosInManifest"
    actions   = ["s3:PutInventoryConfiguration"]
    resources = [local.bucket_arn]
  }

  statement {
    sid       = "ReadManifests"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.bucket_arn}/${local.batch_prefix}*"]
  }

  statement {
    sid       = "WriteManifestsAndReports"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/${local.batch_prefix}*"]
  }
}
