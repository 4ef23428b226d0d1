# text: what it switches on, and the capacity if the function calls two APIs for each photo.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package          = { filename = "versions.tf" }
  enable_batch_operations = true
}

run "off" {
  assert {
    condition = (
      length([for s in data.aws_iam_policy_document.function.statement : s.sid if strcontains(s.sid, "Text")]) == 0
      && length([for name in keys(aws_lambda_function.this.environment[0].variables) : name if strcontains(name, "TEXT")]) == 0
      && output.cli_environment.IMAGE_LABELS_TEXT_MIN_CONFIDENCE == ""
      && !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "Text")
    )
    error_message = "Without text, the function must have no permission and no variable for it."
  }
}

run "on" {
  variables {
    text = {}
  }

  assert {
    condition = [
      for s in data.aws_iam_policy_document.function.statement : "${s.sid} ${join(" ", s.actions)}" if contains(s.resources, "*")
    ] == ["DetectLabelsInPhotos rekognition:DetectLabels", "DetectTextInPhotos rekognition:DetectText"]
    error_message = "The function must get the permission for DetectText."
  }

  # least_privilege.tftest.hcl has the statements without text.
  assert {
    condition     = length(data.aws_iam_policy_document.function.statement) == 11
    error_message = "The function must get no other permission."
  }

  assert {
    condition = {
      for name, value in aws_lambda_function.this.environment[0].variables : name => value if strcontains(name, "TEXT") || strcontains(name, "PER_SECOND")
      } == {
      TEXT_MIN_CONFIDENCE      = "80"
      DETECT_LABELS_PER_SECOND = "3.3333"
      DETECT_TEXT_PER_SECOND   = "3.3333"
    }
    error_message = "The function must get the settings of text, and its share of a fifth of both quotas of 50."
  }

  assert {
    condition = {
      for name, value in aws_lambda_function.batch[0].environment[0].variables : name => value if strcontains(name, "TEXT") || strcontains(name, "PER_SECOND")
      } == {
      TEXT_MIN_CONFIDENCE      = "80"
      DETECT_LABELS_PER_SECOND = "0.4000"
      DETECT_TEXT_PER_SECOND   = "0.4000"
    }
    error_message = "The function for S3 Batch Operations must get the same settings, and its share of the rest."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 3
      && aws_lambda_function.batch[0].reserved_concurrent_executions == 100
    )
    error_message = "At 10 and 40 photos per second and 2.5 s per photo, 25 and 100 photos must be in progress."
  }

  assert {
    condition = (
      setsubtract(keys(aws_cloudwatch_log_metric_filter.photos), [
        "Labelled", "Rejected", "Removed", "Skipped", "Failed", "Throttled", "Latency", "RekognitionCalls",
      ]) == toset(["DetectTextCalls"])
      && aws_cloudwatch_log_metric_filter.photos["DetectTextCalls"].pattern == "{ $.detect_text_calls > 0 }"
      && one(aws_cloudwatch_log_metric_filter.photos["DetectTextCalls"].metric_transformation).value == "$.detect_text_calls"
    )
    error_message = "The calls of DetectText must be counted."
  }

  assert {
    condition = {
      for metric in flatten([
        for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget.properties.metrics
        if try(widget.properties.title, "") == "Rekognition calls per second"
      ]) : metric.id => metric.expression if try(metric.expression, null) != null
      } == {
      ours_per_second       = "(FILL(ours, 0) - FILL(detecttext, 0)) / PERIOD(ours)"
      everybodys_per_second = "FILL(everybodys, 0) / PERIOD(everybodys)"
      detecttext_per_second = "FILL(detecttext, 0) / PERIOD(detecttext)"
    }
    error_message = "The dashboard must show the calls per second of each API."
  }

  assert {
    condition     = output.cli_environment.IMAGE_LABELS_TEXT_MIN_CONFIDENCE == "80" && output.cli_environment.IMAGE_LABELS_REKOGNITION_TPS == "10"
    error_message = "The command must know what the function asks for, and how many photos per second it processes."
  }
}

run "slower_than_labels" {
  variables {
    enable_batch_operations = false
    rekognition_tps         = 20
    lambda_timeout          = 10
    text                    = { min_confidence = 62.5, tps = 2 }
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_event_source_mapping.photos.batch_size == 5
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "10.0000"
      && aws_lambda_function.this.environment[0].variables.DETECT_TEXT_PER_SECOND == "1.0000"
      && aws_lambda_function.this.environment[0].variables.TEXT_MIN_CONFIDENCE == "62.5"
      && aws_lambda_function.this.environment[0].variables.MAX_QUEUE_BACKLOG == "1200"
      && output.cli_environment.IMAGE_LABELS_REKOGNITION_TPS == "2"
    )
    error_message = "Concurrency, batch size and the pace of a backfill must follow the slower API."
  }
}
