# A function that reads the stream of the images table and publishes an event to EventBridge for each photo that was
# labelled, changed, rejected or removed. src/photo_events.py is its code, and function.zip is built from it.

locals {
  partition = data.aws_partition.current.partition
  # arn:aws:dynamodb:<Region>:<account>:table/<table>/stream/<time>
  region     = split(":", var.stream_arn)[3]
  account_id = split(":", var.stream_arn)[4]
  log_group  = "/aws/lambda/${var.name}"
}

data "aws_partition" "current" {}

################################################################################
# Function
################################################################################

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:logs and metrics show the same as traces, which are billed
  #checkov:skip=CKV_AWS_115:one invocation per shard of the stream; small accounts cannot reserve concurrency
  #checkov:skip=CKV_AWS_116:the event source mapping sends records that fail to a queue
  #checkov:skip=CKV_AWS_117:it talks to AWS only
  #checkov:skip=CKV_AWS_173:the variable holds no secret, and Lambda encrypts it with its own key
  #checkov:skip=CKV_AWS_272:signing requires a profile in the account
  function_name = var.name
  description   = "Publishes events of photos to EventBridge"
  role          = aws_iam_role.this.arn

  handler       = "photo_events.handler"
  runtime       = "python3.13"
  architectures = ["arm64"]
  memory_size   = 256
  timeout       = 60

  filename         = "${path.module}/function.zip"
  source_code_hash = filebase64sha256("${path.module}/function.zip")

  environment {
    variables = { EVENT_BUS_NAME = var.event_bus_name }
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
  }

  tags = var.tags

  depends_on = [
    # Lambda creates a missing log group itself, without a retention period.
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy.this,
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:the log has counts and causes of errors, no keys of photos
  #checkov:skip=CKV_AWS_338:the log repeats the stream, so 30 days suffice
  name              = local.log_group
  retention_in_days = 30

  tags = var.tags
}

resource "aws_lambda_event_source_mapping" "stream" {
  event_source_arn = var.stream_arn
  function_name    = aws_lambda_function.this.arn

  # From the oldest record: LATEST would miss photos until the mapping is active, some minutes after the apply.
  starting_position = "TRIM_HORIZON"
  batch_size        = 100

  # After an error, Lambda retries from the record that the function names, or else halves the batch.
  function_response_types        = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error = true

  # Until then, records wait for EventBridge, or for a permission, in their order. DynamoDB deletes them after 24 hours.
  maximum_record_age_in_seconds = 6 * 3600

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.failed.arn
    }
  }

  dynamic "filter_criteria" {
    for_each = length(var.filter_patterns) == 0 ? [] : [var.filter_patterns]

    content {
      dynamic "filter" {
        for_each = filter_criteria.value

        content {
          pattern = filter.value
        }
      }
    }
  }

  tags = var.tags
}

# Receives the shard and the sequence numbers of records that were too old, not the records: read them from the stream while
# it has them.
resource "aws_sqs_queue" "failed" {
  name                      = "${var.name}-failed"
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true

  tags = var.tags
}

################################################################################
# Permissions
################################################################################

resource "aws_iam_role" "this" {
  name_prefix        = "${var.name}-"
  description        = "Role of the function ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json

  tags = var.tags
}

data "aws_iam_policy_document" "assume" {
  statement {
    sid     = "LetLambdaAssumeTheRole"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "photo-events"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "ReadTheStream"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [var.stream_arn]
  }

  # Lambda requires it of a stream's reader.
  statement {
    sid       = "ListStreams"
    actions   = ["dynamodb:ListStreams"]
    resources = ["*"]
  }

  statement {
    sid       = "PublishEvents"
    actions   = ["events:PutEvents"]
    resources = ["arn:${local.partition}:events:${local.region}:${local.account_id}:event-bus/${var.event_bus_name}"]

    condition {
      test     = "StringEquals"
      variable = "events:source"
      values   = ["image-labels"]
    }
  }

  statement {
    sid       = "ReportFailedRecords"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failed.arn]
  }

  statement {
    sid       = "WriteTheLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "DecryptRecordsOfTheStream"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}
