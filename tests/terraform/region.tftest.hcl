# A Region in which no photo can be labelled is refused at plan time, unless the caller says that it can.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

# AWS's pages disagree about it.
run "that_may_have_detect_labels" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "ca-central-1" }
  }

  expect_failures = [data.aws_region.current]
}

run "that_may_have_detect_labels_and_the_caller_says_so" {
  command = plan

  variables {
    rekognition_tps = 5
  }

  override_data {
    target = data.aws_region.current
    values = { id = "ca-central-1" }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
    error_message = "The caller's word must count in every Region."
  }
}

run "without_rekognition" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "eu-north-1" }
  }

  expect_failures = [data.aws_region.current]
}

# AWS brings it to new Regions; nobody shall have to wait for a version of the module.
run "that_has_got_it_since" {
  command = plan

  variables {
    rekognition_tps = 5
  }

  override_data {
    target = data.aws_region.current
    values = { id = "eu-north-1" }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
    error_message = "The quota that the caller names must count."
  }
}

run "without_fips_endpoints" {
  command = plan

  variables {
    lambda_environment_variables = { AWS_USE_FIPS_ENDPOINT = "true" }
  }

  expect_failures = [check.fips_endpoints]
}

run "with_fips_endpoints" {
  command = plan

  variables {
    lambda_environment_variables = { AWS_USE_FIPS_ENDPOINT = "true" }
  }

  override_data {
    target = data.aws_region.current
    values = { id = "us-east-2" }
  }
}
