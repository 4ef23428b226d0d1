# Every invalid value is refused by its own variable at plan time. A run takes a second, so each has one invalid value for
# several variables: exactly the listed variables must fail. lambda_package has a separate file.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

# The limits of the allowed ranges.
run "lowest" {
  command = plan

  variables {
    name                           = "abc"
    bucket_name                    = "abc"
    bucket_noncurrent_version_days = 1
    filter_prefix                  = ""
    filter_suffixes                = [""]
    min_confidence                 = 0
    max_labels                     = 1
    lambda_runtime                 = "python3.11"
    lambda_memory_size             = 128
    lambda_timeout                 = 1
    max_receive_count              = 1
    retry_delay_seconds            = 1
    log_retention_in_days          = 1
    log_level                      = "FATAL"
    daily_image_limit              = 1
    alarm_oldest_message_seconds   = 60
    alarm_throttled_percent        = 0
    stream_view_type               = "KEYS_ONLY"
  }

  # FATAL is allowed, with a warning.
  expect_failures = [check.metrics_are_counted]

  # The module computes batch size, window and visibility timeout itself, within AWS's limits.
  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.batch_size == 3
      && aws_lambda_event_source_mapping.photos.maximum_batching_window_in_seconds == 0
      && aws_sqs_queue.photos.visibility_timeout_seconds == 6
    )
    error_message = "The shortest timeout must have a batch that fits in it, and be shorter than the visibility timeout."
  }
}

run "highest" {
  command = plan

  variables {
    filter_prefix                = "a/b!c-d_e.f'g(h)/"
    min_confidence               = 100
    max_labels                   = 1000
    lambda_architecture          = "x86_64"
    lambda_memory_size           = 10240
    lambda_timeout               = 900
    lambda_environment_variables = { AWS_ENDPOINT_URL = "https://example.com", TZ = "UTC" }
    max_receive_count            = 1000
    retry_delay_seconds          = 900
    role_permissions_boundary    = "arn:aws:iam::aws:policy/PowerUserAccess"
    log_retention_in_days        = 3653
    log_level                    = "DEBUG"
    daily_image_limit            = 1000000000
    alarm_actions                = [for n in range(5) : "arn:aws:sns:eu-west-1:111122223333:pager-${n}"]
    alarm_oldest_message_seconds = 1209600
    alarm_throttled_percent      = 100
    stream_view_type             = "NEW_AND_OLD_IMAGES"
    rekognition_tps              = 10000
    text                         = { min_confidence = 100, tps = 10000 }
    tags                         = merge({ for n in range(49) : "${n}" => "" }, { (format("Ä_.:/=+@- %0118d", 0)) = format("é_.:/=+@- %0246d", 0) })
    role_path                    = "/team_A/a+=,.@-1/"
    vpc_subnet_ids               = [for n in range(16) : format("subnet-%017x", n)]
    vpc_security_group_ids       = [for n in range(5) : format("sg-%08x", n)]

    bucket_noncurrent_version_days = 2147483647
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.batch_size == 10
      && aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 1000
      && aws_sqs_queue.photos.visibility_timeout_seconds == 5400
    )
    error_message = "The longest timeout and the highest quota must stay within SQS's limits: 12 hours, 10 messages without a window, concurrency 1000."
  }

  assert {
    condition     = aws_dynamodb_table.images.stream_enabled && aws_dynamodb_table.images.stream_view_type == "NEW_AND_OLD_IMAGES" && aws_dynamodb_table.labels.stream_enabled == null
    error_message = "The table of photos, and no other, must have a stream of this view type."
  }
}

run "too_low" {
  command = plan

  variables {
    name                           = "ab"
    bucket_noncurrent_version_days = 0
    filter_suffixes                = []
    min_confidence                 = -0.1
    max_labels                     = 0
    rekognition_tps                = 0.5
    text                           = { min_confidence = -0.1 }
    lambda_runtime                 = "python3.9"
    lambda_memory_size             = 127
    lambda_timeout                 = 0
    max_receive_count              = 0
    retry_delay_seconds            = 0
    log_retention_in_days          = -1
    daily_image_limit              = 0
    alarm_oldest_message_seconds   = 59
    alarm_throttled_percent        = -1
    stream_view_type               = "NEW_IMAGES"
  }

  expect_failures = [
    var.name,
    var.bucket_noncurrent_version_days,
    var.filter_suffixes,
    var.min_confidence,
    var.max_labels,
    var.rekognition_tps,
    var.text,
    var.lambda_runtime,
    var.lambda_memory_size,
    var.lambda_timeout,
    var.max_receive_count,
    var.retry_delay_seconds,
    var.log_retention_in_days,
    var.daily_image_limit,
    var.alarm_oldest_message_seconds,
    var.alarm_throttled_percent,
    var.stream_view_type,
  ]
}

run "less_than_no_confidence_requested" {
  command = plan

  variables {
    requested_min_confidence = -0.1
  }

  expect_failures = [var.requested_min_confidence]
}

run "fewer_labels_requested_than_stored" {
  command = plan

  variables {
    min_confidence           = 70
    requested_min_confidence = 70.1
  }

  expect_failures = [var.requested_min_confidence]
}

run "label_policy_with_a_reserved_name" {
  command = plan

  variables {
    label_policy = { rename = { Dog = "*usage" } }
  }

  expect_failures = [var.label_policy]
}

run "label_policy_with_a_threshold_over_100" {
  command = plan

  variables {
    label_policy = { min_confidence = { Dog = 100.1 } }
  }

  expect_failures = [var.label_policy]
}

run "label_policy_that_contradicts_itself" {
  command = plan

  variables {
    label_policy = { only = ["Dog"], drop = ["dog"] }
  }

  expect_failures = [var.label_policy]
}

run "label_policy_with_too_many_filters" {
  command = plan

  variables {
    label_policy = { only = [for n in range(101) : "Label ${n}"], filter_request = true }
  }

  expect_failures = [var.label_policy]
}

run "faces_with_an_unknown_attribute" {
  command = plan

  variables {
    faces = { attributes = ["SMILE", "HAIR"] }
  }

  expect_failures = [var.faces]
}

run "faces_with_an_unknown_quality_filter" {
  command = plan

  variables {
    faces = { quality_filter = "BEST" }
  }

  expect_failures = [var.faces]
}

run "faces_with_numbers_out_of_range" {
  command = plan

  variables {
    faces = { max_faces = 101, tps = 0.5 }
  }

  expect_failures = [var.faces]
}

run "label_policy_that_is_too_long" {
  command = plan

  variables {
    label_policy = { drop = [for n in setproduct(range(1000), range(4)) : format("Label %089d", 4 * n[0] + n[1])] }
  }

  expect_failures = [var.label_policy]
}

run "too_high" {
  command = plan

  variables {
    name                         = "a23456789-123456789-123456789-1234567"
    bucket_name                  = "a234567890123456789012345678901234567890123456789012345678901234"
    filter_prefix                = format("%0513d", 0)
    filter_suffixes              = [for i in range(101) : format(".%03d", i)]
    min_confidence               = 100.1
    max_labels                   = 1001
    rekognition_tps              = 10001
    text                         = { tps = 10001 }
    lambda_memory_size           = 10241
    lambda_timeout               = 901
    lambda_environment_variables = { LONG = format("%02990d", 0) }
    max_receive_count            = 1001
    retry_delay_seconds          = 901
    log_retention_in_days        = 3654
    daily_image_limit            = 1000000001
    alarm_actions                = [for n in range(6) : "arn:aws:sns:eu-west-1:111122223333:pager-${n}"]
    alarm_oldest_message_seconds = 1209601
    alarm_throttled_percent      = 100.5
    tags                         = { for n in range(51) : "${n}" => "x" }
    role_path                    = format("/%0511d/", 0)
    vpc_subnet_ids               = [for n in range(16) : format("subnet-%08x", n)]
    vpc_security_group_ids       = [for n in range(6) : format("sg-%08x", n)]

    bucket_noncurrent_version_days = 2147483648
  }

  expect_failures = [
    var.name,
    var.bucket_name,
    var.bucket_noncurrent_version_days,
    var.filter_prefix,
    var.filter_suffixes,
    var.min_confidence,
    var.max_labels,
    var.rekognition_tps,
    var.text,
    var.lambda_memory_size,
    var.lambda_timeout,
    var.lambda_environment_variables,
    var.max_receive_count,
    var.retry_delay_seconds,
    var.log_retention_in_days,
    var.daily_image_limit,
    var.alarm_actions,
    var.alarm_oldest_message_seconds,
    var.alarm_throttled_percent,
    var.tags,
    var.role_path,
    var.vpc_security_group_ids,
  ]
}

run "not_whole" {
  command = plan

  variables {
    bucket_noncurrent_version_days = 1.5
    max_labels                     = 2.5
    lambda_memory_size             = 256.5
    lambda_timeout                 = 7.5
    max_receive_count              = 1.5
    retry_delay_seconds            = 1.5
    log_retention_in_days          = 7.5
    daily_image_limit              = 1.5
    alarm_oldest_message_seconds   = 60.5
  }

  expect_failures = [
    var.bucket_noncurrent_version_days,
    var.max_labels,
    var.lambda_memory_size,
    var.lambda_timeout,
    var.max_receive_count,
    var.retry_delay_seconds,
    var.log_retention_in_days,
    var.daily_image_limit,
    var.alarm_oldest_message_seconds,
  ]
}

run "capitals" {
  command = plan

  variables {
    name        = "Photos"
    bucket_name = "Photos"
    log_level   = "info"
  }

  expect_failures = [
    var.name,
    var.bucket_name,
    var.log_level,
  ]
}

run "wrong_characters" {
  command = plan

  variables {
    name                         = "my_photos"
    bucket_name                  = "my_photos"
    filter_prefix                = "images/*"
    filter_suffixes              = ["*.jpg"]
    lambda_environment_variables = { "log-level" = "DEBUG" }
    tags                         = { "Team!" = "photos" }
    role_path                    = "/team one/"
    vpc_subnet_ids               = ["subnet-0123456789abcdef0"]
    vpc_security_group_ids       = ["default"]
  }

  expect_failures = [
    var.name,
    var.bucket_name,
    var.filter_prefix,
    var.filter_suffixes,
    var.lambda_environment_variables,
    var.tags,
    var.role_path,
    var.vpc_security_group_ids,
  ]
}

run "more_wrong_characters" {
  command = plan

  variables {
    name            = "photos-"
    filter_prefix   = "my images/"
    filter_suffixes = [".j?g"]
    tags            = { Contact = "media, press" }
    role_path       = "team/"
  }

  expect_failures = [
    var.name,
    var.filter_prefix,
    var.filter_suffixes,
    var.tags,
    var.role_path,
  ]
}

# The limit is in bytes of JSON, not characters: this has 1,500 characters.
run "variables_of_many_bytes" {
  command = plan

  variables {
    lambda_environment_variables = { LONG = join("", [for n in range(750) : "ää"]) }
  }

  expect_failures = [var.lambda_environment_variables]
}

run "most_bytes_of_variables" {
  command = plan

  variables {
    lambda_environment_variables = { LONG = format("%02989d", 0) }
  }
}

# Separate runs: Terraform validates the security groups only if the subnets are valid.
run "too_many_subnets" {
  command = plan

  variables {
    vpc_subnet_ids         = [for n in range(17) : format("subnet-%08x", n)]
    vpc_security_group_ids = ["sg-0123456789abcdef0"]
  }

  expect_failures = [var.vpc_subnet_ids]
}

run "subnet_by_its_arn" {
  command = plan

  variables {
    vpc_subnet_ids         = ["arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0123456789abcdef0"]
    vpc_security_group_ids = ["sg-0123456789abcdef0"]
  }

  expect_failures = [var.vpc_subnet_ids]
}

run "subnets_without_security_groups" {
  command = plan

  variables {
    vpc_subnet_ids = ["subnet-0123456789abcdef0"]
  }

  expect_failures = [var.vpc_security_group_ids]
}

run "security_groups_without_subnets" {
  command = plan

  variables {
    vpc_security_group_ids = ["sg-0123456789abcdef0"]
  }

  expect_failures = [var.vpc_security_group_ids]
}

run "new_bucket_in_the_regional_namespace" {
  command = plan

  variables {
    bucket_name = "photos-111122223333-eu-west-1-an"
  }

  expect_failures = [var.bucket_name]
}

run "policy_variable" {
  command = plan

  variables {
    filter_prefix = "$${aws:username}/"
  }

  expect_failures = [var.filter_prefix]
}

run "taken_by_aws" {
  command = plan

  variables {
    name                         = "sthree-photos"
    lambda_environment_variables = { AWS_REGION = "eu-west-1" }
    role_path                    = "/aws-service-role/lambda/"
  }

  expect_failures = [
    var.name,
    var.lambda_environment_variables,
    var.role_path,
  ]
}

run "taken_by_lambda" {
  command = plan

  variables {
    lambda_environment_variables = { AWS_LAMBDA_LOG_LEVEL = "DEBUG" }
  }

  expect_failures = [var.lambda_environment_variables]
}

run "taken_by_the_module" {
  command = plan

  variables {
    lambda_environment_variables = { DAILY_IMAGE_LIMIT = "5" }
  }

  expect_failures = [var.lambda_environment_variables]
}

run "suffixes_that_overlap" {
  command = plan

  variables {
    filter_suffixes = [".jpg", "photo.jpg"]
  }

  expect_failures = [var.filter_suffixes]
}

run "empty_suffix_overlaps_all" {
  command = plan

  variables {
    filter_suffixes = ["", ".jpg"]
  }

  expect_failures = [var.filter_suffixes]
}

run "not_an_arn" {
  command = plan

  variables {
    kms_key_arn               = "1234abcd-12ab-34cd-56ef-1234567890ab"
    role_permissions_boundary = "developer-boundary"
    alarm_actions             = ["pager"]
  }

  expect_failures = [
    var.alarm_actions,
    var.kms_key_arn,
    var.role_permissions_boundary,
  ]
}

run "arn_of_another_kind" {
  command = plan

  variables {
    kms_key_arn               = "arn:aws:kms:eu-west-1:111122223333:alias/photos"
    role_permissions_boundary = "arn:aws:iam::111122223333:role/developer"
  }

  expect_failures = [
    var.kms_key_arn,
    var.role_permissions_boundary,
  ]
}

run "not_on_the_list" {
  command = plan

  variables {
    lambda_runtime        = "nodejs22.x"
    lambda_architecture   = "amd64"
    log_retention_in_days = 10
    log_level             = "WARNING"
    trigger               = "lambda"
  }

  expect_failures = [
    var.trigger,
    var.lambda_runtime,
    var.lambda_architecture,
    var.log_retention_in_days,
    var.log_level,
  ]
}

run "bucket_name_like_an_ip_address" {
  command = plan

  variables {
    bucket_name = "192.168.0.1"
  }

  expect_failures = [var.bucket_name]
}

run "bucket_name_reserved_by_s3" {
  command = plan

  variables {
    bucket_name = "photos-s3alias"
  }

  expect_failures = [var.bucket_name]
}

run "bucket_name_with_two_dots" {
  command = plan

  variables {
    bucket_name = "my..photos"
  }

  expect_failures = [var.bucket_name]
}

run "existing_bucket_without_a_name" {
  command = plan

  variables {
    create_bucket = false
  }

  expect_failures = [var.bucket_name]
}

run "tags_of_aws" {
  command = plan

  variables {
    tags = { "aws:cloudformation:stack-name" = "photos" }
  }

  expect_failures = [var.tags]
}

run "tags_that_differ_in_case" {
  command = plan

  variables {
    tags = { Team = "photos", team = "photos" }
  }

  expect_failures = [var.tags]
}

run "tag_with_a_line_break" {
  command = plan

  variables {
    tags = { Purpose = "labels\nof photos" }
  }

  expect_failures = [var.tags]
}

run "tag_without_a_value" {
  command = plan

  variables {
    tags = { Team = null }
  }

  expect_failures = [var.tags]
}

run "tag_whose_name_is_too_long" {
  command = plan

  variables {
    tags = zipmap([format("%0129d", 0)], ["photos"])
  }

  expect_failures = [var.tags]
}

run "tag_that_is_too_long" {
  command = plan

  variables {
    tags = { Team = format("%0257d", 0) }
  }

  expect_failures = [var.tags]
}

run "boundary_of_another_account" {
  command = plan

  variables {
    role_permissions_boundary = "arn:aws:iam::444455556666:policy/boundary"
  }

  expect_failures = [aws_iam_role.function]
}

run "boundary_of_another_partition" {
  command = plan

  variables {
    role_permissions_boundary = "arn:aws-us-gov:iam::aws:policy/PowerUserAccess"
  }

  expect_failures = [aws_iam_role.function]
}

run "batch_reports_that_match_the_filter" {
  command = plan

  variables {
    enable_batch_operations = true
    filter_prefix           = ""
    filter_suffixes         = [""]
  }

  expect_failures = [var.enable_batch_operations]
}

run "batch_reports_whose_extension_is_a_suffix" {
  command = plan

  variables {
    enable_batch_operations = true
    filter_prefix           = "image-labels-batch/reports/"
    filter_suffixes         = [".jpg", "results.csv"]
  }

  expect_failures = [var.enable_batch_operations]
}

run "batch_reports_that_end_like_a_suffix" {
  command = plan

  variables {
    enable_batch_operations = true
    filter_prefix           = "image-labels-"
    filter_suffixes         = ["son"]
  }

  expect_failures = [var.enable_batch_operations]
}

run "unwanted_without_a_name" {
  command = plan

  variables {
    unwanted = { action = "tag" }
  }

  expect_failures = [var.unwanted]
}

run "unwanted_label_that_starts_with_an_asterisk" {
  command = plan

  variables {
    unwanted = { labels = ["*gun"], action = "tag" }
  }

  expect_failures = [var.unwanted]
}

run "unwanted_confidence_above_100" {
  command = plan

  variables {
    unwanted = { labels = ["Gun"], min_confidence = 101, action = "tag" }
  }

  expect_failures = [var.unwanted]
}

run "unknown_action_on_unwanted_photos" {
  command = plan

  variables {
    unwanted = { labels = ["Gun"], action = "hide" }
  }

  expect_failures = [var.unwanted]
}

run "quarantine_that_is_an_arn" {
  command = plan

  variables {
    unwanted = { labels = ["Gun"], action = "quarantine", quarantine_bucket = "arn:aws:s3:::quarantine" }
  }

  expect_failures = [var.unwanted]
}

run "quarantine_prefix_with_a_space" {
  command = plan

  variables {
    unwanted = { labels = ["Gun"], action = "quarantine", quarantine_prefix = "a b/" }
  }

  expect_failures = [var.unwanted]
}

run "quarantine_under_the_filter" {
  command = plan

  variables {
    unwanted = { labels = ["Gun"], action = "quarantine", quarantine_prefix = "images/quarantine/" }
  }

  expect_failures = [var.unwanted]
}

run "quarantine_above_the_filter" {
  command = plan

  variables {
    filter_prefix = "quarantine/new/"
    unwanted      = { labels = ["Gun"], action = "quarantine" }
  }

  expect_failures = [var.unwanted]
}

run "quarantine_in_the_bucket_of_all_keys" {
  command = plan

  variables {
    filter_prefix = ""
    unwanted      = { labels = ["Gun"], action = "quarantine" }
  }

  expect_failures = [var.unwanted]
}

run "quarantine_bucket_that_is_the_bucket_of_all_keys" {
  command = plan

  variables {
    bucket_name   = "photos-of-ours"
    filter_prefix = ""
    unwanted      = { labels = ["Gun"], action = "quarantine", quarantine_bucket = "photos-of-ours" }
  }

  expect_failures = [var.unwanted]
}

run "unwanted_with_two_tags" {
  command = plan

  variables {
    unwanted = { labels = ["Gun"], action = "tag", tag = { a = "1", b = "2" } }
  }

  expect_failures = [var.unwanted]
}

run "unwanted_tag_of_aws" {
  command = plan

  variables {
    unwanted = { labels = ["Gun"], action = "tag", tag = { "aws:a" = "1" } }
  }

  expect_failures = [var.unwanted]
}

run "moderation_below_one_call_per_second" {
  command = plan

  variables {
    unwanted = { moderation_labels = ["Violence"], action = "tag", moderation_tps = 0.5 }
  }

  expect_failures = [var.unwanted]
}

run "unwanted_labels_that_the_request_leaves_out" {
  command = plan

  variables {
    label_policy = { drop = ["Gun"], filter_request = true }
    unwanted     = { labels = ["Gun"], action = "tag" }
  }

  expect_failures = [var.unwanted]
}

run "unwanted_that_is_too_long" {
  command = plan

  variables {
    unwanted = { labels = [for n in range(1000) : format("%099d", n)], categories = [for n in range(1000) : format("%099d", n)], moderation_labels = [for n in range(1000) : format("%099d", n)], action = "tag" }
  }

  expect_failures = [var.unwanted]
}
