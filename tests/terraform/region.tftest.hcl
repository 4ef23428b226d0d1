# The plan refuses a Region without DetectLabels, unless rekognition_tps is set.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

# AWS's pages disagree about whether this Region has DetectLabels.
run "uncertain_detect_labels" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "ca-central-1" }
  }

  expect_failures = [data.aws_region.current]
}

run "uncertain_detect_labels_with_a_given_quota" {
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
    error_message = "rekognition_tps must admit every Region."
  }
}

run "no_detect_labels" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "eu-north-1" }
  }

  expect_failures = [data.aws_region.current]
}

# A Region to which AWS adds DetectLabels after this version of the module.
run "newer_detect_labels_with_a_given_quota" {
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
    error_message = "The given quota must be used."
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
