# How many photos are in work at a time follows from how many calls per second Rekognition takes.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

run "small_region" {
  override_resource {
    target = aws_cloudwatch_log_group.function
    values = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/image-labels" }
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_function.this.environment[0].variables.CONCURRENCY == "2"
    )
    error_message = "At 5 calls a second, 4 photos of 0.8 s each must be in work: 2 invocations of 2."
  }
}

run "raised_quota" {
  variables {
    rekognition_tps = 200
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 16
      && aws_lambda_function.this.environment[0].variables.CONCURRENCY == "10"
    )
    error_message = "At 200 calls a second, 160 photos must be in work: 16 invocations of 10."
  }
}

run "least" {
  variables {
    rekognition_tps = 1
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_function.this.environment[0].variables.CONCURRENCY == "1"
    )
    error_message = "SQS runs 2 invocations at least: one photo each is the least there is."
  }
}
