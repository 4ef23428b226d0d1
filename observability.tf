# Monitoring: the function's log group, the metrics counted from its log, and the alarms. dashboard.tf has the dashboard.

################################################################################
# Log group
################################################################################

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_338:the default is 30 days; log_retention_in_days sets a longer retention
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.kms_key_arn

  tags = var.tags

  lifecycle {
    # Checked here, because the log group is created first; it holds for the queues and tables as well.
    precondition {
      condition     = var.kms_key_arn == null ? true : split(":", var.kms_key_arn)[3] == local.region
      error_message = "kms_key_arn: the key ${coalesce(var.kms_key_arn, "-")} is not in the provider's Region, ${local.region}. Queues, tables and log groups accept only keys of their Region. Use a key, or a replica of a multi-Region key, in ${local.region}."
    }
  }
}

################################################################################
# Metrics, counted from the function's log lines
################################################################################

locals {
  # One namespace per copy of the module: in a common namespace, metrics with the same name would add up. Dimensions cannot
  # tell the copies apart, because a metric filter takes them from the log line, which does not name the copy.
  metric_namespace = "ImageLabels/${var.name}"

  # Each metric counts log lines of the function (worker.py): one line per photo and attempt, so Failed counts attempts, not
  # photos. A minute with log lines but no match counts as 0, so that ratios can be computed; Latency has no such default.
  metrics = merge(local.unwanted_metrics, {
    Labelled = { pattern = "{ $.outcome = \"labelled\" }" }
    Rejected = { pattern = "{ $.outcome = \"rejected\" }" }
    Removed  = { pattern = "{ $.outcome = \"removed\" }" }
    Skipped  = { pattern = "{ $.outcome = \"unchanged\" }" }
    Failed   = { pattern = "{ $.outcome = \"failed\" || $.outcome = \"handed back\" }" }
    # Mostly by Rekognition; throttling by DynamoDB counts as well.
    Throttled = { pattern = "{ $.throttled = 1 }" }
    # From the arrival of the event in the queue (the last arrival, if there were several) to the labels in the table.
    Latency = { pattern = "{ $.outcome = \"labelled\" && $.latency_ms = * }", value = "$.latency_ms", unit = "Milliseconds" }
    # Successful calls, which AWS bills.
    RekognitionCalls = { pattern = "{ $.rekognition_calls > 0 }", value = "$.rekognition_calls" }
    }, {
    # Those of a single API other than DetectLabels.
    for api, field in local.call_fields : "${api}Calls" => { pattern = "{ $.${field} > 0 }", value = "$.${field}" }
  })

  # The fields of the log lines, such as detect_text_calls.
  call_fields = {
    for api in local.detectors : api => "${lower(trimsuffix(local.api_variables[api], "_PER_SECOND"))}_calls"
  }
}

resource "aws_cloudwatch_log_metric_filter" "photos" {
  for_each = local.metrics

  name           = each.key
  log_group_name = aws_cloudwatch_log_group.function.name
  pattern        = each.value.pattern

  metric_transformation {
    namespace = local.metric_namespace
    name      = each.key
    value     = try(each.value.value, "1")
    unit      = try(each.value.unit, "Count")

    default_value = each.key == "Latency" ? null : "0"
  }
}

check "metrics_are_counted" {
  assert {
    condition     = local.all_lines_are_logged
    error_message = "log_level: \"${var.log_level}\" omits the INFO lines from which most metrics are counted. The dashboard shows only failures, and there is no alarm on throttling, which compares throttled attempts with all attempts. Set log_level to \"INFO\" or \"DEBUG\" for all metrics."
  }
}

################################################################################
# Alarms
################################################################################

locals {
  all_lines_are_logged = contains(["DEBUG", "INFO"], var.log_level)

  # Keys are the last parts of the alarms' names. The alarm runbook has a section for each.
  alarms = merge(local.unwanted_alarms, {
    dead-letters = {
      description = "Photos failed all attempts and are in the dead-letter queue with the reason: run image-labels status, then image-labels redrive"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = local.dead_letter_queue_name }
      statistic   = "Maximum"
      period      = 60
      threshold   = 0
    }
    oldest-message = {
      description = "Labelling does not keep up with uploads: the oldest event has been in the queue for more than ${var.alarm_oldest_message_seconds} seconds"
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = local.queue_name }
      statistic   = "Maximum"
      period      = 300
      threshold   = var.alarm_oldest_message_seconds
    }
    function-errors = {
      description = "The function failed: it crashed, timed out, ran out of memory, or has wrong settings or permissions. Photos are retried"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = var.name }
      statistic   = "Sum"
      period      = 300
      threshold   = 0
    }
    daily-limit = {
      description = "The limit of images per day (daily_image_limit) is reached. Photos wait until the end of the day (UTC); none is lost"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = local.waiting_queue_name }
      statistic   = "Maximum"
      period      = 60
      threshold   = 0
      # The function receives waiting messages every 5 minutes, which hides them for a minute. The alarm returns to OK only
      # if none was visible for 5 minutes.
      periods = 5
    }
    schedule-not-run = {
      # The schedule's target has no dead-letter queue, because the next run does the same work.
      description = "The schedule could not invoke the function and dropped the run: photos over the daily limit stay in the waiting queue"
      namespace   = "AWS/Events"
      metric      = "FailedInvocations"
      dimensions  = { RuleName = local.waiting_queue_name }
      statistic   = "Sum"
      period      = 300
      threshold   = 0
    }
    }, var.enable_batch_operations ? {
    # None on throttled invocations: S3 invokes the function more often than its concurrency allows, by design.
    batch-function-errors = {
      description = "The function for S3 Batch Operations failed: it crashed, timed out, ran out of memory, or has wrong settings or permissions. The job's report names the photos"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = local.batch_function_name }
      statistic   = "Sum"
      period      = 300
      threshold   = 0
    }
    } : {}, [
    # Every rule's target has a dead-letter queue, so one of the two metrics counts each event that was not delivered.
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    for rule in local.event_rules : {
      "events-not-delivered${rule.number}" = {
        description = "EventBridge could not deliver events to the queue and sent them to the dead-letter queue: correct the policies, then send them back with image-labels redrive"
        namespace   = "AWS/Events"
        metric      = "InvocationsSentToDlq"
        dimensions  = { RuleName = "${local.queue_name}${rule.number}" }
        statistic   = "Sum"
        period      = 300
        threshold   = 0
      }
      "events-dropped${rule.number}" = {
        description = "EventBridge could not deliver events to the queue or to the dead-letter queue and dropped them: backfill the photos uploaded since 24 hours before the alarm"
        namespace   = "AWS/Events"
        metric      = "InvocationsFailedToBeSentToDlq"
        dimensions  = { RuleName = "${local.queue_name}${rule.number}" }
        statistic   = "Sum"
        period      = 300
        threshold   = 0
      }
    }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.description}."

  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = try(each.value.periods, 1)
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  # An idle queue and an idle function publish no data.
  treat_missing_data = "notBreaching"

  alarm_actions = var.alarm_actions
  ok_actions    = var.alarm_actions

  tags = var.tags

  lifecycle {
    # Holds for throttled_share as well, which has the same actions.
    precondition {
      condition     = alltrue([for arn in var.alarm_actions : contains(["", local.region], split(":", arn)[3])])
      error_message = "alarm_actions must be in the provider's Region, ${local.region}: CloudWatch runs no actions in other Regions. Given: ${join(", ", var.alarm_actions)}."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled_share" {
  count = local.all_lines_are_logged ? 1 : 0

  alarm_name        = "${var.name}-throttled-share"
  alarm_description = "AWS has throttled more than ${var.alarm_throttled_percent} % of attempts for 15 minutes: other programs use the same Rekognition quota, or rekognition_tps is above the quota."

  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_throttled_percent
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    label       = "Throttled attempts, percent"
    expression  = "100 * FILL(throttled, 0) / (FILL(labelled, 0) + FILL(rejected, 0) + FILL(failed, 0))"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = toset(["Throttled", "Labelled", "Rejected", "Failed"])

    content {
      id = lower(metric_query.value)

      metric {
        namespace   = local.metric_namespace
        metric_name = metric_query.value
        stat        = "Sum"
        period      = 300
      }
    }
  }

  alarm_actions = var.alarm_actions
  ok_actions    = var.alarm_actions

  tags = var.tags
}
