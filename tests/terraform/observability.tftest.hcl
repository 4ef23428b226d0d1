# Metrics, alarms and the dashboard.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
  alarm_actions  = ["arn:aws:sns:eu-west-1:111122223333:pager"]
}

# tests/e2e/test_watch.py evaluates these patterns.
run "metrics" {
  assert {
    condition = {
      for name, filter in aws_cloudwatch_log_metric_filter.photos :
      name => "${filter.pattern} ${one(filter.metric_transformation).value} ${one(filter.metric_transformation).unit}"
      } == {
      Labelled         = "{ $.outcome = \"labelled\" } 1 Count"
      Rejected         = "{ $.outcome = \"rejected\" } 1 Count"
      Removed          = "{ $.outcome = \"removed\" } 1 Count"
      Skipped          = "{ $.outcome = \"unchanged\" } 1 Count"
      Failed           = "{ $.outcome = \"failed\" || $.outcome = \"handed back\" } 1 Count"
      Throttled        = "{ $.throttled = 1 } 1 Count"
      Latency          = "{ $.outcome = \"labelled\" && $.latency_ms = * } $.latency_ms Milliseconds"
      RekognitionCalls = "{ $.rekognition_calls > 0 } $.rekognition_calls Count"
    }
    error_message = "Every metric must have this filter pattern."
  }

  assert {
    condition = alltrue([
      for name, filter in aws_cloudwatch_log_metric_filter.photos :
      filter.log_group_name == "/aws/lambda/image-labels"
      && one(filter.metric_transformation).namespace == "ImageLabels/image-labels"
      && one(filter.metric_transformation).name == name
      && one(filter.metric_transformation).default_value == (name == "Latency" ? null : "0")
    ])
    error_message = "Metrics must be counted from this function's log group, in a namespace that no other copy uses."
  }
}

run "alarms" {
  variables {
    alarm_oldest_message_seconds = 600
  }

  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      name => "${alarm.namespace} ${alarm.metric_name} ${join(" ", values(alarm.dimensions))} ${alarm.statistic} ${alarm.period} > ${alarm.threshold}"
      } == {
      dead-letters     = "AWS/SQS ApproximateNumberOfMessagesVisible image-labels-dead-letters Maximum 60 > 0"
      oldest-message   = "AWS/SQS ApproximateAgeOfOldestMessage image-labels-photos Maximum 300 > 600"
      function-errors  = "AWS/Lambda Errors image-labels Sum 300 > 0"
      daily-limit      = "AWS/SQS ApproximateNumberOfMessagesVisible image-labels-waiting Maximum 60 > 0"
      schedule-not-run = "AWS/Events FailedInvocations image-labels-waiting Sum 300 > 0"
    }
    error_message = "Every alarm must have this condition."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.this), aws_cloudwatch_metric_alarm.throttled_share) :
      alarm.alarm_actions == toset(["arn:aws:sns:eu-west-1:111122223333:pager"])
      && alarm.ok_actions == alarm.alarm_actions
      && alarm.comparison_operator == "GreaterThanThreshold"
      && alarm.treat_missing_data == "notBreaching"
      && startswith(alarm.alarm_name, "image-labels-")
    ])
    error_message = "Every alarm must run alarm_actions for ALARM and for OK, and must treat missing data as not breaching."
  }
}

run "throttled_share" {
  variables {
    alarm_throttled_percent = 2.5
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.throttled_share[0].threshold == 2.5
      && aws_cloudwatch_metric_alarm.throttled_share[0].evaluation_periods == 3
      && { for q in aws_cloudwatch_metric_alarm.throttled_share[0].metric_query : q.id => one(q.metric[*].metric_name) if length(q.metric) > 0 } == {
        throttled = "Throttled", labelled = "Labelled", rejected = "Rejected", failed = "Failed"
      }
      && one([for q in aws_cloudwatch_metric_alarm.throttled_share[0].metric_query : q.expression if coalesce(q.return_data, false)])
      == "100 * FILL(throttled, 0) / (FILL(labelled, 0) + FILL(rejected, 0) + FILL(failed, 0))"
    )
    error_message = "The alarm must compare throttled attempts with all attempts."
  }
}

run "alarms_of_eventbridge" {
  variables {
    trigger = "eventbridge"
  }

  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      name => "${alarm.namespace} ${alarm.metric_name} ${join(" ", values(alarm.dimensions))} ${alarm.statistic} ${alarm.period} > ${alarm.threshold}"
      if startswith(name, "events-")
      } == {
      events-not-delivered   = "AWS/Events InvocationsSentToDlq image-labels-photos Sum 300 > 0"
      events-dropped         = "AWS/Events InvocationsFailedToBeSentToDlq image-labels-photos Sum 300 > 0"
      events-not-delivered-2 = "AWS/Events InvocationsSentToDlq image-labels-photos-2 Sum 300 > 0"
      events-dropped-2       = "AWS/Events InvocationsFailedToBeSentToDlq image-labels-photos-2 Sum 300 > 0"
    }
    error_message = "Every rule must have one alarm on events that went to the dead-letter queue and one on dropped events."
  }

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      strcontains(alarm.alarm_description, startswith(name, "events-dropped") ? "backfill" : "send them back")
      && contains(keys(output.alarm_arns), name)
      if startswith(name, "events-")
    ])
    error_message = "The alarm's description must state whether events are lost."
  }
}

run "dashboard" {
  assert {
    condition     = aws_cloudwatch_dashboard.this[0].dashboard_name == "image-labels-eu-west-1" && output.dashboard_name == "image-labels-eu-west-1"
    error_message = "The dashboard's name must contain the Region, because it is unique per account."
  }

  # A metric on the dashboard without a metric filter would never have data.
  assert {
    condition = length(setsubtract(
      toset(flatten([
        for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : [
          for metric in try(widget.properties.metrics, []) : metric[1] if try(metric[0] == "ImageLabels/image-labels", false)
        ]
      ])),
      toset(keys(aws_cloudwatch_log_metric_filter.photos)),
    )) == 0
    error_message = "Every module metric on the dashboard must have a metric filter."
  }

  assert {
    condition = one(flatten([
      for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : [
        for metric in try(widget.properties.metrics, []) : metric[0].expression if try(metric[0].id == "rekognition_dollars", false)
      ]
    ])) == "calls * 0.001"
    error_message = "The dashboard must compute $1 per 1,000 Rekognition calls."
  }

  assert {
    condition = (
      jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).periodOverride == "inherit"
      && sort(distinct([
        for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : tostring(widget.properties.period)
        if try(strcontains(widget.properties.title, " a day"), false)
      ])) == tolist(["86400"])
    )
    error_message = "Widgets with values per day must have a period of one day, regardless of the time range."
  }
}

run "no_dashboard" {
  variables {
    create_dashboard = false
  }

  assert {
    condition     = length(aws_cloudwatch_dashboard.this) == 0 && output.dashboard_name == null
    error_message = "With create_dashboard = false there must be no dashboard."
  }
}

run "log_level_above_info" {
  command = plan

  variables {
    log_level = "WARN"
  }

  expect_failures = [check.metrics_are_counted]

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.throttled_share) == 0 && !contains(keys(output.alarm_arns), "throttled-share")
    error_message = "Above INFO there must be no alarm on the throttled share, because successful attempts are not logged."
  }
}

run "alarm_actions_of_another_region" {
  command = plan

  variables {
    alarm_actions = ["arn:aws:sns:us-west-2:111122223333:pager"]
  }

  expect_failures = [aws_cloudwatch_metric_alarm.this]
}
