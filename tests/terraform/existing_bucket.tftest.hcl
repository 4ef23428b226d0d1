# An existing bucket: the module gets its events and does not change its settings.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
  create_bucket  = false
  bucket_name    = "photos-of-theirs"
  trigger        = "eventbridge"
}

run "bucket_is_unchanged" {
  assert {
    condition = sum([
      length(aws_s3_bucket.photos),
      length(aws_s3_bucket_public_access_block.photos),
      length(aws_s3_bucket_ownership_controls.photos),
      length(aws_s3_bucket_server_side_encryption_configuration.photos),
      length(aws_s3_bucket_versioning.photos),
      length(aws_s3_bucket_lifecycle_configuration.photos),
      length(aws_s3_bucket_policy.photos),
      length(aws_s3_bucket_notification.photos),
    ]) == 0
    error_message = "The module must not change an existing bucket's settings and notifications."
  }
}

run "bucket_is_watched" {
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail.bucket.name == ["photos-of-theirs"]
    error_message = "The rule must be for the existing bucket."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["BUCKET_NAME"] == "photos-of-theirs"
    error_message = "The function must use the existing bucket."
  }

  assert {
    condition     = output.bucket_name == "photos-of-theirs" && output.bucket_arn == "arn:aws:s3:::photos-of-theirs"
    error_message = "The outputs must name the existing bucket."
  }
}

run "bucket_is_readable" {
  assert {
    condition = {
      for s in data.aws_iam_policy_document.function.statement : s.sid => sort(s.resources) if startswith(one(slice(sort(s.actions), 0, 1)), "s3:")
      } == {
      ReadPhotosUnderPrefix              = tolist(["arn:aws:s3:::photos-of-theirs/images/*"])
      TellMissingPhotosFromForbiddenOnes = tolist(["arn:aws:s3:::photos-of-theirs"])
    }
    error_message = "The function must be allowed to read the photos of the existing bucket and of no other bucket."
  }
}

# Allowed, with a warning that the notifications are replaced.
run "warning_about_replaced_notifications" {
  command = plan

  variables {
    trigger = "s3"
  }

  expect_failures = [check.notifications_of_the_existing_bucket]

  assert {
    condition     = aws_s3_bucket_notification.photos[0].bucket == "photos-of-theirs" && length(aws_s3_bucket_notification.photos[0].queue) == 6
    error_message = "The existing bucket's events must go to the queue."
  }

  assert {
    condition = flatten([
      for s in data.aws_iam_policy_document.queue["photos"].statement : [for c in s.condition : c.values if c.variable == "aws:SourceArn"]
    ]) == ["arn:aws:s3:::photos-of-theirs"]
    error_message = "Only the existing bucket must be allowed to send events."
  }
}

run "bucket_in_another_region" {
  command = plan

  override_data {
    target = data.aws_s3_bucket.existing
    values = { bucket_regional_domain_name = "photos-of-theirs.s3.us-west-2.amazonaws.com" }
  }

  expect_failures = [data.aws_s3_bucket.existing]
}
