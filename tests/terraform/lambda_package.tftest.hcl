# The location of the deployment package.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

run "file" {
  variables {
    lambda_package = { filename = "versions.tf" }
  }

  assert {
    condition     = aws_lambda_function.this.filename == "versions.tf" && aws_lambda_function.this.source_code_hash == filebase64sha256("versions.tf")
    error_message = "A file must be uploaded, and uploaded again when its content changes."
  }
}

run "file_with_a_given_hash" {
  variables {
    lambda_package = { filename = "versions.tf", source_code_hash = "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=" }
  }

  assert {
    condition     = aws_lambda_function.this.source_code_hash == "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="
    error_message = "A given hash must take precedence."
  }
}

run "object_in_s3" {
  variables {
    lambda_package = { s3_bucket = "releases", s3_key = "image-labels/0.1.0.zip", s3_object_version = "v1" }
  }

  assert {
    condition = (
      aws_lambda_function.this.s3_bucket == "releases"
      && aws_lambda_function.this.s3_key == "image-labels/0.1.0.zip"
      && aws_lambda_function.this.s3_object_version == "v1"
      && aws_lambda_function.this.filename == null
    )
    error_message = "The code must come from the object and not from a file."
  }
}

run "missing_file" {
  command = plan

  variables {
    lambda_package = { filename = "dist/no-such-file.zip" }
  }

  expect_failures = [aws_lambda_function.this]
}

run "file_and_object" {
  command = plan

  variables {
    lambda_package = { filename = "versions.tf", s3_bucket = "releases", s3_key = "image-labels.zip" }
  }

  expect_failures = [var.lambda_package]
}

run "file_and_version" {
  command = plan

  variables {
    lambda_package = { filename = "versions.tf", s3_object_version = "v1" }
  }

  expect_failures = [var.lambda_package]
}

run "bucket_without_key" {
  command = plan

  variables {
    lambda_package = { s3_bucket = "releases" }
  }

  expect_failures = [var.lambda_package]
}

run "key_without_bucket" {
  command = plan

  variables {
    lambda_package = { s3_key = "image-labels.zip" }
  }

  expect_failures = [var.lambda_package]
}

run "neither" {
  command = plan

  variables {
    lambda_package = { source_code_hash = "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=" }
  }

  expect_failures = [var.lambda_package]
}

run "empty_key" {
  command = plan

  variables {
    lambda_package = { s3_bucket = "releases", s3_key = "" }
  }

  expect_failures = [var.lambda_package]
}

run "bucket_by_its_arn" {
  command = plan

  variables {
    lambda_package = { s3_bucket = "arn:aws:s3:::releases", s3_key = "image-labels.zip" }
  }

  expect_failures = [var.lambda_package]
}
