# What can be seen of the function at work: its log, the metrics counted from it, and the alarms. The dashboard that
# shows them is in dashboard.tf.

################################################################################
# Log group
################################################################################

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_338:30 days of keys and causes by default; whoever must keep them longer sets log_retention_in_days
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.kms_key_arn

  tags = var.tags

  lifecycle {
    # The first thing that is made under the key, and the queues and tables need the same of it.
    precondition {
      condition     = var.kms_key_arn == null ? true : split(":", var.kms_key_arn)[3] == local.region
      error_message = "kms_key_arn: the key ${coalesce(var.kms_key_arn, "-")} is not in the provider's Region, ${local.region}: queues, tables and logs take keys of their own Region only. Name a key (or a multi-Region key's replica) of ${local.region}."
    }
  }
}

################################################################################
# Metrics, counted from the function's log lines
################################################################################

locals {
  # A namespace of its own for each copy of the module: metrics of one name in one namespace would be added up, and a
  # filter's dimensions come out of the log line, which does not name the copy.
  metric_namespace = "ImageLabels/${var.name}"

  # Each is one line of the function (worker.py) for one photo. A line is one try, so that Failed counts tries, not photos.
  # A minute with lines, but none of these, counts 0, so that shares can be made of them; for a latency that would be a lie.
  metrics = {
    Labelled = { pattern = "{ $.outcome = \"labelled\" }" }
    Rejected = { pattern = "{ $.outcome = \"rejected\" }" }
    Removed  = { pattern = "{ $.outcome = \"removed\" }" }
    Skipped  = { pattern = "{ $.outcome = \"unchanged\" }" }
    Failed   = { pattern = "{ $.outcome = \"failed\" || $.outcome = \"handed back\" }" }
    # By Rekognition mostly; DynamoDB's throttling is counted as well.
    Throttled = { pattern = "{ $.throttled = 1 }" }
    # From the arrival of the event in the queue, the last time if there were several, to the labels in the table.
    Latency = { pattern = "{ $.outcome = \"labelled\" && $.latency_ms = * }", value = "$.latency_ms", unit = "Milliseconds" }
    # Answered ones, which are those on the bill.
    RekognitionCalls = { pattern = "{ $.rekognition_calls > 0 }", value = "$.rekognition_calls" }
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
    error_message = "log_level = \"${var.log_level}\" leaves out the lines of INFO that most metrics are counted from: the dashboard shows only what fails, and there is no alarm on throttling, which is a share of all tries."
  }
}

################################################################################
# Alarms
################################################################################

locals {
  all_lines_are_logged = contains(["DEBUG", "INFO"], var.log_level)

  # By the last part of their names. README.md, "When an alarm rings", has a paragraph for each.
  alarms = merge({
    dead-letters = {
      description = "Photos have failed all their tries, and wait in the dead-letter queue with the reason: image-labels status"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = local.dead_letter_queue_name }
      statistic   = "Maximum"
      period      = 60
      threshold   = 0
    }
    oldest-message = {
      description = "Labelling does not keep up: the oldest event has been in the queue for more than ${var.alarm_oldest_message_seconds} s"
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = local.queue_name }
      statistic   = "Maximum"
      period      = 300
      threshold   = var.alarm_oldest_message_seconds
    }
    function-errors = {
      description = "The function itself failed: it crashed, ran out of time or memory, or something is wrong with its settings or permissions. Photos are tried again"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = var.name }
      statistic   = "Sum"
      period      = 300
      threshold   = 0
    }
    daily-limit = {
      description = "The daily limit of images (daily_image_limit) is reached: photos wait for the end of the day (UTC), none is lost"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = local.waiting_queue_name }
      statistic   = "Maximum"
      period      = 60
      threshold   = 0
      # The function hides what it looks at for a minute every five: over only when nothing was seen for so long.
      periods = 5
    }
    schedule-not-run = {
      # Its target has no dead-letter queue: the next run does the same.
      description = "The schedule could not invoke the function, and dropped the run: photos over the daily limit are not taken back"
      namespace   = "AWS/Events"
      metric      = "FailedInvocations"
      dimensions  = { RuleName = local.waiting_queue_name }
      statistic   = "Sum"
      period      = 300
      threshold   = 0
    }
    }, [
    # Every rule's target has a dead-letter queue, so one of the two counts each event that could not be delivered:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    for rule in local.event_rules : {
      "events-not-delivered${rule.number}" = {
        description = "EventBridge could not put events into the queue, and left them in the dead-letter queue: send them back"
        namespace   = "AWS/Events"
        metric      = "InvocationsSentToDlq"
        dimensions  = { RuleName = "${local.queue_name}${rule.number}" }
        statistic   = "Sum"
        period      = 300
        threshold   = 0
      }
      "events-dropped${rule.number}" = {
        description = "EventBridge could put events neither into the queue nor into the dead-letter queue, and dropped them: backfill the photos uploaded since a day before the alarm"
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
  # A queue that nobody uses and a function that does not run have no data.
  treat_missing_data = "notBreaching"

  alarm_actions = var.alarm_actions
  ok_actions    = var.alarm_actions

  tags = var.tags

  lifecycle {
    # For the alarm below as well: it has the same actions.
    precondition {
      condition     = alltrue([for arn in var.alarm_actions : contains(["", local.region], split(":", arn)[3])])
      error_message = "alarm_actions must be in the provider's Region, ${local.region}: CloudWatch tells nobody in another. Given: ${join(", ", var.alarm_actions)}."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled_share" {
  count = local.all_lines_are_logged ? 1 : 0

  alarm_name        = "${var.name}-throttled-share"
  alarm_description = "AWS throttles more than ${var.alarm_throttled_percent} % of the tries, for a quarter of an hour: others use the same quota of Rekognition, or rekognition_tps is set above it."

  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_throttled_percent
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    label       = "Throttled tries, percent"
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
