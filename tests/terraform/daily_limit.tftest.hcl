# Photos over the daily limit wait in a queue, and a schedule invokes the function to move them back.

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
    error_message = "The function must have the limit and the URL of the waiting queue."
  }

  assert {
    condition     = output.cli_environment.IMAGE_LABELS_DAILY_IMAGE_LIMIT == "10000"
    error_message = "The command must know the limit, for the number of days that a backfill takes."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["MAX_QUEUE_BACKLOG"] == "30000"
    error_message = "The function must move back at most the photos that ten minutes at 50 calls per second can label."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["daily-limit"].evaluation_periods == 5
      && aws_cloudwatch_metric_alarm.this["daily-limit"].datapoints_to_alarm == 1
      && aws_cloudwatch_metric_alarm.this["dead-letters"].evaluation_periods == 1
    )
    error_message = "The alarm must fire at once, and must not return to OK because the function receives waiting messages."
  }

  assert {
    condition     = aws_sqs_queue.waiting.name == "image-labels-waiting" && aws_sqs_queue.waiting.message_retention_seconds == 1209600
    error_message = "The waiting queue must retain messages for as long as SQS allows."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "\"daily_image_limit\",\"value\":10000")
    error_message = "The dashboard must show the limit."
  }
}

# Photos that wait when the limit is removed must be moved back too.
run "no_limit" {
  assert {
    condition     = !contains(keys(aws_lambda_function.this.environment[0].variables), "DAILY_IMAGE_LIMIT")
    error_message = "Without a limit the function must not count images."
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables["WAITING_QUEUE_URL"] == aws_sqs_queue.waiting.url
      && aws_cloudwatch_event_rule.waiting.schedule_expression == "rate(5 minutes)"
      && aws_cloudwatch_event_target.waiting.rule == aws_cloudwatch_event_rule.waiting.name
      && aws_cloudwatch_event_target.waiting.arn == aws_lambda_function.this.arn
    )
    error_message = "The schedule must invoke the function, with or without a limit."
  }
}
