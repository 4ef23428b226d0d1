# Concurrency and rate per invocation are derived from rekognition_tps.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

run "small_region" {
  override_data {
    target = data.aws_region.current
    values = { id = "eu-central-1" }
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_event_source_mapping.photos.batch_size == 10
      && aws_lambda_function.this.environment[0].variables.CONCURRENCY == "10"
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "2.5000"
    )
    error_message = "At 5 calls per second, 2 invocations (SQS's minimum) must make 2.5 calls per second each."
  }
}

run "raised_quota" {
  variables {
    rekognition_tps = 200
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 30
      && aws_lambda_event_source_mapping.photos.batch_size == 10
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "6.6667"
    )
    error_message = "At 200 calls per second and 1.5 s per photo, 300 photos must be in progress: 30 invocations of 10."
  }
}

# bench/drain.py measures the next three.
run "quota_of_20" {
  variables {
    rekognition_tps = 20
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 3
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "6.6667"
    )
    error_message = "At 20 calls per second, 3 invocations must make 6.67 calls per second each."
  }
}

run "quota_of_50" {
  variables {
    rekognition_tps = 50
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 8
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "6.2500"
    )
    error_message = "At 50 calls per second, 8 invocations must make 6.25 calls per second each."
  }
}

run "short_timeout" {
  variables {
    rekognition_tps = 2
    lambda_timeout  = 6
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.batch_size == 3
      && aws_lambda_function.this.environment[0].variables.CONCURRENCY == "3"
    )
    error_message = "At 1 call per second, an invocation with a timeout of 6 s must get at most 3 photos, which it can finish in time."
  }
}

run "lowest_quota" {
  variables {
    rekognition_tps = 1
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "0.5000"
    )
    error_message = "At 1 call per second, 2 invocations (SQS's minimum) must make one call every two seconds each."
  }
}
