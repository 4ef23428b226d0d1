# trigger = "eventbridge": the same events for the same keys as the bucket's notifications.

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
    error_message = "With trigger = \"s3\" there must be no EventBridge rules and no delivery to EventBridge."
  }
}

run "new_bucket" {
  assert {
    condition     = aws_s3_bucket_notification.photos[0].eventbridge && length(aws_s3_bucket_notification.photos[0].queue) == 0
    error_message = "A new bucket must send its events only to EventBridge."
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
    error_message = "The rule must match created and deleted objects by prefix and suffix."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.photos[0].rule == aws_cloudwatch_event_rule.photos[0].name
      && aws_cloudwatch_event_target.photos[0].arn == aws_sqs_queue.photos.arn
      && aws_cloudwatch_event_target.photos[0].dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn
      && aws_cloudwatch_event_target.photos[0].input == null
      && aws_cloudwatch_event_target.photos[0].input_path == null
    )
    error_message = "Its events must go to the queue unchanged, or else to the dead-letter queue."
  }
}

# EventBridge refuses all six suffixes in one rule as too complex (emulator/image_labels_emulator/rule_complexity.py).
run "default_suffixes" {
  variables {
    filter_suffixes = [".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"]
  }

  assert {
    condition = {
      for rule in aws_cloudwatch_event_rule.photos : rule.name => jsondecode(rule.event_pattern).detail.object.key
      } == {
      image-labels-photos   = [{ wildcard = "images/*.JPEG" }, { wildcard = "images/*.JPG" }, { wildcard = "images/*.PNG" }]
      image-labels-photos-2 = [{ wildcard = "images/*.jpeg" }, { wildcard = "images/*.jpg" }, { wildcard = "images/*.png" }]
    }
    error_message = "A rule must have at most three wildcards, and each suffix must be in exactly one rule."
  }

  assert {
    condition = alltrue([
      for rule in aws_cloudwatch_event_rule.photos :
      jsondecode(rule.event_pattern).source == ["aws.s3"]
      && jsondecode(rule.event_pattern)["detail-type"] == ["Object Created", "Object Deleted"]
      && jsondecode(rule.event_pattern).detail.bucket.name == [aws_s3_bucket.photos[0].bucket]
    ])
    error_message = "Every rule must match objects created in and deleted from the bucket."
  }

  assert {
    condition = [
      for target in aws_cloudwatch_event_target.photos : "${target.rule} ${target.arn} ${target.dead_letter_config[0].arn}"
      ] == [
      for name in ["image-labels-photos", "image-labels-photos-2"] : "${name} ${aws_sqs_queue.photos.arn} ${aws_sqs_queue.dead_letters.arn}"
    ]
    error_message = "Every rule must have the queue as its target, with the dead-letter queue."
  }
}

run "suffixes_only" {
  variables {
    filter_prefix   = ""
    filter_suffixes = [for i in range(100) : format(".%02d", i)]
  }

  assert {
    condition     = one(aws_cloudwatch_event_rule.photos[*].name) == "image-labels-photos"
    error_message = "All patterns without wildcards must be in one rule."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail.object.key == [for i in range(100) : { suffix = format(".%02d", i) }]
    error_message = "Without a prefix the pattern must use suffixes only, because an event bus allows 30 rules with wildcards."
  }
}

run "prefix_only" {
  variables {
    filter_suffixes = [""]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail.object.key == [{ prefix = "images/" }]
    error_message = "Without a suffix the pattern must use the prefix only."
  }
}

run "every_object" {
  variables {
    filter_prefix   = ""
    filter_suffixes = [""]
  }

  assert {
    condition     = keys(jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail) == ["bucket"]
    error_message = "Without prefix and suffix the pattern must match every object."
  }
}

# S3 compares prefix and suffix independently.
run "suffix_that_overlaps_the_prefix" {
  variables {
    filter_prefix   = "images/aa"
    filter_suffixes = ["aa.jpg"]
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.photos[0].event_pattern).detail.object.key == [
      { wildcard = "images/aa*aa.jpg" }, "images/aaa.jpg", "images/aa.jpg",
    ]
    error_message = "Keys in which prefix and suffix overlap must match as well."
  }
}

run "overlapping_keys_are_in_the_rule_of_their_suffix" {
  variables {
    filter_prefix   = "images/a"
    filter_suffixes = [".jpg", ".png", ".JPG", ".PNG", "/a-e", "a.jpe"]
  }

  assert {
    condition = [for rule in aws_cloudwatch_event_rule.photos : jsondecode(rule.event_pattern).detail.object.key] == [
      [{ wildcard = "images/a*.JPG" }, { wildcard = "images/a*.PNG" }, { wildcard = "images/a*.jpg" }],
      [{ wildcard = "images/a*.png" }, { wildcard = "images/a*/a-e" }, { wildcard = "images/a*a.jpe" }, "images/a-e", "images/a.jpe"],
    ]
    error_message = "A key must match only one rule: two rules would send its events twice."
  }
}

run "ninety_suffixes_are_thirty_rules" {
  variables {
    filter_suffixes = [for i in range(90) : format(".%02d", i)]
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.photos) == 30 && aws_cloudwatch_event_rule.photos[29].name == "image-labels-photos-30"
    error_message = "There must be 30 rules, the maximum with wildcards per event bus."
  }
}

run "more_wildcard_rules_than_an_event_bus_allows" {
  command = plan

  variables {
    filter_suffixes = [for i in range(91) : format(".%02d", i)]
  }

  expect_failures = [aws_cloudwatch_event_rule.photos]
}

# "images/---" matches four prefixes of each wildcard, "images/*" to "images/*---".
run "suffixes_too_complex_for_eventbridge" {
  command = plan

  variables {
    filter_suffixes = ["---1", "---2", "---3"]
  }

  expect_failures = [aws_cloudwatch_event_rule.photos]
}

run "suffixes_at_the_complexity_limit_of_eventbridge" {
  command = plan

  variables {
    filter_suffixes = ["--1", "--2", "--3"]
  }
}

run "event_pattern_too_long" {
  command = plan

  variables {
    trigger         = "eventbridge"
    filter_prefix   = format("%0512d", 0)
    filter_suffixes = [for i in range(3) : format(".%0100d", i)]
  }

  expect_failures = [aws_cloudwatch_event_rule.photos]
}

run "long_suffixes_with_s3" {
  command = plan

  variables {
    trigger         = "s3"
    filter_prefix   = format("%0512d", 0)
    filter_suffixes = [for i in range(3) : format(".%0100d", i)]
  }
}
