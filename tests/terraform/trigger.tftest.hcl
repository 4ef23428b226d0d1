# EventBridge in place of the bucket's own notifications: the same events of the same keys.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package  = { filename = "versions.tf" }
  trigger         = "eventbridge"
  filter_suffixes = [".jpg", ".PNG"]
}

run "s3_has_no_rule" {
  variables {
    trigger = "s3"
  }

  assert {
    condition = (
      length(aws_cloudwatch_event_rule.photos) == 0
      && length(aws_cloudwatch_event_target.photos) == 0
      && !aws_s3_bucket_notification.photos[0].eventbridge
    )
    error_message = "With the bucket's own notifications nothing may go by EventBridge."
  }
}

run "new_bucket" {
  assert {
    condition     = aws_s3_bucket_notification.photos[0].eventbridge && length(aws_s3_bucket_notification.photos[0].queue) == 0
    error_message = "A new bucket must send its events to EventBridge, and only there."
  }
}

run "rule" {
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern) == {
      source      = ["aws.s3"]
      detail-type = ["Object Created", "Object Deleted"]
      detail = {
        bucket = { name = [aws_s3_bucket.photos[0].bucket] }
        object = { key = [{ wildcard = "images/*.PNG" }, { wildcard = "images/*.jpg" }] }
      }
    }
    error_message = "The rule must be for photos that come and go, by prefix and suffix."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.photos[0].rule == aws_cloudwatch_event_rule.photos[0].name
      && aws_cloudwatch_event_target.photos[0].arn == aws_sqs_queue.photos.arn
      && aws_cloudwatch_event_target.photos[0].dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn
      && aws_cloudwatch_event_target.photos[0].input == null
      && aws_cloudwatch_event_target.photos[0].input_path == null
    )
    error_message = "Its events must go to the queue as they are, or to the dead-letter queue."
  }
}

run "suffixes_only" {
  variables {
    filter_prefix = ""
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail.object.key == [{ suffix = ".PNG" }, { suffix = ".jpg" }]
    error_message = "Without a prefix the suffixes must do, which spares one of the 30 rules with wildcards that an event bus may have."
  }
}

run "prefix_only" {
  variables {
    filter_suffixes = [""]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail.object.key == [{ prefix = "images/" }]
    error_message = "Without a suffix the prefix must do."
  }
}

run "every_object" {
  variables {
    filter_prefix   = ""
    filter_suffixes = [""]
  }

  assert {
    condition     = keys(jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail) == ["bucket"]
    error_message = "Without prefix and suffix every object must do."
  }
}

# S3 compares prefix and suffix each by itself.
run "suffix_that_begins_as_the_prefix_ends" {
  variables {
    filter_prefix   = "images/aa"
    filter_suffixes = ["aa.jpg"]
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail.object.key == [
      { wildcard = "images/aa*aa.jpg" }, "images/aaa.jpg", "images/aa.jpg",
    ]
    error_message = "Keys in which the suffix lies over the prefix must be meant as well."
  }
}

run "too_much_for_an_event_pattern" {
  command = plan

  variables {
    trigger         = "eventbridge"
    filter_prefix   = format("%0200d", 0)
    filter_suffixes = [for i in range(10) : format(".%03d", i)]
  }

  expect_failures = [aws_cloudwatch_event_rule.photos]
}

run "not_too_much_for_s3" {
  command = plan

  variables {
    trigger         = "s3"
    filter_prefix   = format("%0200d", 0)
    filter_suffixes = [for i in range(10) : format(".%03d", i)]
  }
}
