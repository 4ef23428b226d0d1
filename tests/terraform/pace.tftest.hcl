# How many invocations there are at a time, and the pace of each, follow from the calls per second Rekognition takes.

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
    error_message = "At 5 calls a second, 2 invocations (SQS's least) must make 2.5 each."
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
    error_message = "At 200 calls a second and 1.5 s a photo, 300 photos must be in work: 30 invocations of 10."
  }
}

# The three below are what bench/drain.py measures.
run "quota_of_20" {
  variables {
    rekognition_tps = 20
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 3
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "6.6667"
    )
    error_message = "At 20 calls a second there must be 3 invocations of 6.67 each."
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
    error_message = "At 50 calls a second there must be 8 invocations of 6.25 each."
  }
}

run "short_time_out" {
  variables {
    rekognition_tps = 2
    lambda_timeout  = 6
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.batch_size == 3
      && aws_lambda_function.this.environment[0].variables.CONCURRENCY == "3"
    )
    error_message = "At 1 call a second, an invocation of 6 s must take no more than 3 photos: the others would wait in vain."
  }
}

run "least" {
  variables {
    rekognition_tps = 1
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "0.5000"
    )
    error_message = "SQS runs 2 invocations at least: one call every two seconds each."
  }
}
