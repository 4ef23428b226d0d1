# AWS gets tags merged with the provider's default_tags, so the limits apply to both together.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

run "most" {
  command = plan

  variables {
    tags = { for n in range(49) : "${n}" => "ours" }
  }

  # The module's tags replace two of them.
  override_data {
    target = data.aws_default_tags.current
    values = { tags = { "0" = "default", "1" = "default", "Team" = "photos" } }
  }
}

run "too_many_together" {
  command = plan

  variables {
    tags = { for n in range(49) : "${n}" => "ours" }
  }

  override_data {
    target = data.aws_default_tags.current
    values = { tags = { "CostCentre" = "4711", "Team" = "photos" } }
  }

  expect_failures = [data.aws_default_tags.current]
}

run "names_that_differ_in_case" {
  command = plan

  variables {
    tags = { team = "photos" }
  }

  override_data {
    target = data.aws_default_tags.current
    values = { tags = { Team = "media" } }
  }

  expect_failures = [data.aws_default_tags.current]
}

run "wrong_characters" {
  command = plan

  override_data {
    target = data.aws_default_tags.current
    values = { tags = { Contact = "media, press" } }
  }

  expect_failures = [data.aws_default_tags.current]
}
