# Photos over the day's limit have a queue to wait in, and somebody who takes them back.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

override_resource {
  target = aws_sqs_queue.waiting
  values = {
    arn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-waiting"
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-waiting"
  }
}

run "limit" {
  variables {
    daily_image_limit = 10000
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables["DAILY_IMAGE_LIMIT"] == "10000"
      && aws_lambda_function.this.environment[0].variables["WAITING_QUEUE_URL"] == "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-waiting"
    )
    error_message = "The function must know the limit and where photos wait."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["MOVE_AHEAD"] == "30000"
    error_message = "No more photos must be taken back than ten minutes at 50 a second can do."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["daily-limit"].evaluation_periods == 5
      && aws_cloudwatch_metric_alarm.this["daily-limit"].datapoints_to_alarm == 1
      && aws_cloudwatch_metric_alarm.this["dead-letters"].evaluation_periods == 1
    )
    error_message = "The alarm must ring at once, and not be over because the function looks at what waits."
  }

  assert {
    condition     = aws_sqs_queue.waiting.name == "image-labels-waiting" && aws_sqs_queue.waiting.message_retention_seconds == 1209600
    error_message = "Photos must be able to wait as long as SQS keeps messages."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "\"daily_image_limit\",\"value\":10000")
    error_message = "The dashboard must show the limit."
  }
}

# What waits when the limit is taken away must come back, too.
run "no_limit" {
  assert {
    condition     = !contains(keys(aws_lambda_function.this.environment[0].variables), "DAILY_IMAGE_LIMIT")
    error_message = "Without a limit the function must count nothing."
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables["WAITING_QUEUE_URL"] == aws_sqs_queue.waiting.url
      && aws_cloudwatch_event_rule.waiting.schedule_expression == "rate(5 minutes)"
      && aws_cloudwatch_event_target.waiting.rule == aws_cloudwatch_event_rule.waiting.name
      && aws_cloudwatch_event_target.waiting.arn == aws_lambda_function.this.arn
    )
    error_message = "The function must take back what waits, limit or not."
  }
}
