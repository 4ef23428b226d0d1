# The module with its defaults, and with every input set.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

# Any file serves as the zip: these tests must not depend on a build.
variables {
  lambda_package = { filename = "versions.tf" }
}

override_resource {
  target = aws_sqs_queue.dead_letters
  values = {
    arn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters"
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-dead-letters"
  }
}

override_resource {
  target = aws_sqs_queue.photos
  values = {
    arn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-photos"
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-photos"
  }
}

override_resource {
  target = aws_sqs_queue.waiting
  values = {
    arn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-waiting"
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-waiting"
  }
}

override_resource {
  target = aws_dynamodb_table.labels
  values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-labels" }
}

run "bucket" {
  assert {
    condition     = aws_s3_bucket.photos[0].bucket_prefix == "image-labels-" && !aws_s3_bucket.photos[0].force_destroy
    error_message = "A new bucket must be named after the module, and must not be deleted while it holds photos."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.photos[0].block_public_acls,
      aws_s3_bucket_public_access_block.photos[0].block_public_policy,
      aws_s3_bucket_public_access_block.photos[0].ignore_public_acls,
      aws_s3_bucket_public_access_block.photos[0].restrict_public_buckets,
    ])
    error_message = "All four kinds of public access must be blocked."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.photos[0].rule).object_ownership == "BucketOwnerEnforced"
    error_message = "ACLs must be off."
  }

  assert {
    condition     = length(aws_s3_bucket_server_side_encryption_configuration.photos) == 0
    error_message = "Without a KMS key the bucket must keep S3's defaults: SSE-S3, and the block on SSE-C that provider 6.22 to 6.39 would lift."
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.photos[0].versioning_configuration).status == "Enabled"
    error_message = "Versioning must be enabled."
  }

  assert {
    condition = anytrue([
      for rule in aws_s3_bucket_lifecycle_configuration.photos[0].rule :
      rule.status == "Enabled" && try(one(rule.abort_incomplete_multipart_upload).days_after_initiation, 0) == 7
    ])
    error_message = "Incomplete multipart uploads must be aborted after 7 days."
  }

  assert {
    condition = anytrue([
      for rule in aws_s3_bucket_lifecycle_configuration.photos[0].rule :
      rule.status == "Enabled" && try(one(rule.noncurrent_version_expiration).noncurrent_days, 0) == 30
    ])
    error_message = "Noncurrent versions must expire after 30 days."
  }

  assert {
    condition     = aws_s3_bucket_policy.photos[0].policy == data.aws_iam_policy_document.bucket[0].json
    error_message = "The bucket must have the policy that denies requests without TLS."
  }
}

run "notification" {
  assert {
    condition = (
      toset(aws_s3_bucket_notification.photos[0].queue[*].filter_suffix) == toset([".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"])
      && length(aws_s3_bucket_notification.photos[0].queue) == 6
    )
    error_message = "There must be one notification per suffix."
  }

  assert {
    condition = alltrue([
      for queue in aws_s3_bucket_notification.photos[0].queue :
      queue.events == toset(["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"])
    ])
    error_message = "Every notification must include object creation, deletion and deletion by lifecycle rules."
  }

  assert {
    condition = alltrue([
      for queue in aws_s3_bucket_notification.photos[0].queue :
      queue.filter_prefix == "images/" && queue.queue_arn == aws_sqs_queue.photos.arn
    ])
    error_message = "Every notification must have the prefix and the queue."
  }

  assert {
    condition     = length(aws_s3_bucket_notification.photos[0].lambda_function) == 0 && length(aws_s3_bucket_notification.photos[0].topic) == 0
    error_message = "Events must go only to the queue."
  }
}

run "every_object_under_the_prefix" {
  variables {
    filter_prefix   = ""
    filter_suffixes = [""]
  }

  assert {
    condition     = one(aws_s3_bucket_notification.photos[0].queue).filter_suffix == "" && one(aws_s3_bucket_notification.photos[0].queue).filter_prefix == ""
    error_message = "An empty suffix must result in one notification for every key."
  }

  assert {
    condition     = [for s in data.aws_iam_policy_document.function.statement : s.resources if s.sid == "ReadPhotosUnderPrefix"] == [toset(["arn:aws:s3:::photos-of-ours/*"])]
    error_message = "Without a prefix the function must be able to read all objects."
  }

  assert {
    condition     = output.cli_environment.IMAGE_LABELS_FILTER_PREFIX == "" && output.cli_environment.IMAGE_LABELS_FILTER_SUFFIXES == "*"
    error_message = "The command must compare every object, and distinguish this filter from a missing one."
  }
}

run "queues" {
  variables {
    lambda_timeout    = 70
    max_receive_count = 3
  }

  assert {
    condition     = aws_sqs_queue.photos.visibility_timeout_seconds == 420
    error_message = "The visibility timeout must be six times the function's timeout."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.photos.redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters"
      maxReceiveCount     = 3
    }
    error_message = "After max_receive_count attempts a message must go to the dead-letter queue."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-west-1:111122223333:image-labels-photos"]
    }
    error_message = "The dead-letter queue must accept only this queue, by its future ARN."
  }

  assert {
    condition     = aws_sqs_queue.photos.name == "image-labels-photos" && aws_sqs_queue.dead_letters.name == "image-labels-dead-letters"
    error_message = "The queues must be named after the module."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.photos, aws_sqs_queue.waiting, aws_sqs_queue.dead_letters] : queue.message_retention_seconds == 1209600])
    error_message = "All queues must retain messages for 14 days."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.photos, aws_sqs_queue.waiting, aws_sqs_queue.dead_letters] : queue.sqs_managed_sse_enabled])
    error_message = "Without a KMS key all queues must use SQS-managed encryption."
  }

  assert {
    condition     = aws_sqs_queue.photos.receive_wait_time_seconds == 20
    error_message = "The queue must use long polling."
  }
}

run "function" {
  variables {
    min_confidence               = 62.5
    requested_min_confidence     = 55
    max_labels                   = 25
    log_level                    = "DEBUG"
    max_receive_count            = 7
    retry_delay_seconds          = 30
    lambda_environment_variables = { AWS_USE_FIPS_ENDPOINT = "false" }
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      AWS_USE_FIPS_ENDPOINT    = "false"
      BUCKET_NAME              = aws_s3_bucket.photos[0].bucket
      IMAGES_TABLE_NAME        = "image-labels-images"
      LABELS_TABLE_NAME        = "image-labels-labels"
      MIN_CONFIDENCE           = "62.5"
      MAX_LABELS               = "25"
      REQUESTED_MIN_CONFIDENCE = "55"
      CONCURRENCY              = "10"
      DETECT_LABELS_PER_SECOND = "6.2500"
      QUEUE_URL                = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-photos"
      DEAD_LETTER_QUEUE_URL    = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-dead-letters"
      MAX_RECEIVE_COUNT        = "7"
      RETRY_DELAY_SECONDS      = "30"
      MAX_QUEUE_BACKLOG        = "30000"
      WAITING_QUEUE_URL        = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-waiting"
    })
    error_message = "The function must have these environment variables: its own and the caller's."
  }

  assert {
    condition = (
      aws_lambda_function.this.logging_config[0].log_format == "JSON"
      && aws_lambda_function.this.logging_config[0].application_log_level == "DEBUG"
      && aws_lambda_function.this.logging_config[0].system_log_level == "INFO"
      && aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.function.name
    )
    error_message = "The function must log JSON, at the given level, to the module's log group."
  }

  assert {
    condition = (
      aws_lambda_function.this.function_name == "image-labels"
      && aws_lambda_function.this.handler == "image_labels.handler.handler"
      && aws_lambda_function.this.runtime == "python3.13"
      && aws_lambda_function.this.architectures == tolist(["arm64"])
      && aws_lambda_function.this.memory_size == 512
      && aws_lambda_function.this.timeout == 60
      && aws_iam_role.function.path == "/"
    )
    error_message = "The function must have these defaults."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.name == "/aws/lambda/image-labels" && aws_cloudwatch_log_group.function.retention_in_days == 30
    error_message = "The log group must have a retention period."
  }

  assert {
    condition     = aws_lambda_function.this.role == aws_iam_role.function.arn && aws_iam_role_policy.function.policy == data.aws_iam_policy_document.function.json
    error_message = "The function must have its role, and the role its policy."
  }
}

run "event_source_mapping" {
  assert {
    condition     = aws_lambda_event_source_mapping.photos.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "A failed photo must not fail its batch."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.event_source_arn == "arn:aws:sqs:eu-west-1:111122223333:image-labels-photos"
      && aws_lambda_event_source_mapping.photos.function_name == aws_lambda_function.this.arn
      && aws_lambda_event_source_mapping.photos.batch_size == 10
      && aws_lambda_event_source_mapping.photos.maximum_batching_window_in_seconds == 0
      && aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 8
    )
    error_message = "The function must get batches of 10 without a window, and at most eight invocations at a time (50 calls per second, 1.5 s each, 10 per batch)."
  }

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == null
    error_message = "The module must not reserve concurrency: accounts with a low quota could not deploy it."
  }
}

run "tables" {
  assert {
    condition = (
      aws_dynamodb_table.images.name == "image-labels-images"
      && aws_dynamodb_table.images.hash_key == "PK"
      && aws_dynamodb_table.images.range_key == null
      && [for a in aws_dynamodb_table.images.attribute : "${a.name} ${a.type}"] == ["PK S"]
      && aws_dynamodb_table.images.billing_mode == "PAY_PER_REQUEST"
    )
    error_message = "The table of photos must have the key PK (S) and be billed on demand."
  }

  assert {
    condition = (
      aws_dynamodb_table.labels.name == "image-labels-labels"
      && aws_dynamodb_table.labels.hash_key == "Term"
      && aws_dynamodb_table.labels.range_key == "Rank"
      && sort([for a in aws_dynamodb_table.labels.attribute : "${a.name} ${a.type}"]) == tolist(["Rank S", "Term S"])
      && aws_dynamodb_table.labels.billing_mode == "PAY_PER_REQUEST"
    )
    error_message = "The table of labels must have the keys Term (S) and Rank (S) and be billed on demand."
  }

  assert {
    condition = alltrue([
      for table in [aws_dynamodb_table.images, aws_dynamodb_table.labels] :
      table.point_in_time_recovery[0].enabled && table.deletion_protection_enabled
    ])
    error_message = "The tables must have point-in-time recovery and deletion protection."
  }

  assert {
    condition     = !aws_dynamodb_table.images.stream_enabled && output.images_table_stream_arn == null
    error_message = "Without stream_view_type the table of photos must have no stream."
  }

  assert {
    condition     = alltrue([for table in [aws_dynamodb_table.images, aws_dynamodb_table.labels] : !table.server_side_encryption[0].enabled])
    error_message = "Without a KMS key the tables must use DynamoDB's own key, which is free, and the plan must show it."
  }
}

run "optional_features_off" {
  variables {
    name                           = "holiday"
    tags                           = { Team = "photos" }
    bucket_name                    = "holiday-photos"
    bucket_force_destroy           = true
    bucket_versioning              = false
    bucket_noncurrent_version_days = null
    point_in_time_recovery         = false
    deletion_protection            = false
    role_permissions_boundary      = "arn:aws:iam::111122223333:policy/boundary"
    role_path                      = "/application/"
    log_retention_in_days          = 0
  }

  assert {
    condition     = aws_s3_bucket.photos[0].bucket == "holiday-photos" && aws_s3_bucket.photos[0].force_destroy
    error_message = "The bucket must have the given name."
  }

  assert {
    condition     = length(aws_s3_bucket_versioning.photos) == 0
    error_message = "Without versioning the bucket must stay unversioned."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.photos[0].rule : rule.id] == ["abort-incomplete-multipart-uploads"]
    error_message = "With null, noncurrent versions must not expire."
  }

  assert {
    condition = alltrue([
      for table in [aws_dynamodb_table.images, aws_dynamodb_table.labels] :
      !table.point_in_time_recovery[0].enabled && !table.deletion_protection_enabled
    ])
    error_message = "Point-in-time recovery and deletion protection must follow the inputs."
  }

  assert {
    condition     = aws_iam_role.function.permissions_boundary == "arn:aws:iam::111122223333:policy/boundary"
    error_message = "The role must have the given permissions boundary."
  }

  assert {
    condition     = aws_iam_role.function.path == "/application/"
    error_message = "The role must have the given path."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.retention_in_days == 0
    error_message = "With 0, log events must never expire."
  }

  assert {
    condition = alltrue([
      for tags in [
        aws_s3_bucket.photos[0].tags, aws_sqs_queue.photos.tags, aws_sqs_queue.waiting.tags, aws_sqs_queue.dead_letters.tags, aws_lambda_function.this.tags,
        aws_lambda_event_source_mapping.photos.tags, aws_iam_role.function.tags, aws_cloudwatch_log_group.function.tags,
        aws_dynamodb_table.images.tags, aws_dynamodb_table.labels.tags, aws_cloudwatch_event_rule.waiting.tags,
        aws_cloudwatch_metric_alarm.this["dead-letters"].tags, aws_cloudwatch_metric_alarm.throttled_share[0].tags,
      ] : tags == tomap({ Team = "photos" })
    ])
    error_message = "Every resource that supports tags must have them."
  }

  assert {
    condition = [
      aws_lambda_function.this.function_name, aws_sqs_queue.photos.name, aws_sqs_queue.waiting.name, aws_sqs_queue.dead_letters.name,
      aws_dynamodb_table.images.name, aws_dynamodb_table.labels.name, aws_cloudwatch_log_group.function.name, aws_iam_role.function.name_prefix,
      aws_cloudwatch_event_rule.waiting.name, aws_cloudwatch_metric_alarm.throttled_share[0].alarm_name,
    ] == ["holiday", "holiday-photos", "holiday-waiting", "holiday-dead-letters", "holiday-images", "holiday-labels", "/aws/lambda/holiday", "holiday-", "holiday-waiting", "holiday-throttled-share"]
    error_message = "Every resource must be named after the module."
  }
}

# Names and numbers with the maximum lengths that the inputs allow.
run "longest_name" {
  variables {
    name                         = "a23456789-123456789-123456789-123456"
    bucket_name                  = "a23456789-123456789-123456789-123456789-123456789-123456789-123"
    min_confidence               = 99.999
    max_labels                   = 1000
    rekognition_tps              = 10000
    text                         = { min_confidence = 99.999, tps = 9999.999 }
    daily_image_limit            = 1000000000
    max_receive_count            = 1000
    retry_delay_seconds          = 900
    lambda_environment_variables = { LONG = format("%02989d", 0) }
  }

  override_resource {
    target = aws_sqs_queue.photos
    values = {
      arn = "arn:aws:sqs:ap-northeast-1:111122223333:a23456789-123456789-123456789-123456-photos"
      url = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/a23456789-123456789-123456789-123456-photos"
    }
  }

  override_resource {
    target = aws_sqs_queue.waiting
    values = {
      arn = "arn:aws:sqs:ap-northeast-1:111122223333:a23456789-123456789-123456789-123456-waiting"
      url = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/a23456789-123456789-123456789-123456-waiting"
    }
  }

  override_resource {
    target = aws_sqs_queue.dead_letters
    values = {
      arn = "arn:aws:sqs:ap-northeast-1:111122223333:a23456789-123456789-123456789-123456-dead-letters"
      url = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/a23456789-123456789-123456789-123456-dead-letters"
    }
  }

  assert {
    condition     = length(var.name) == 36 && length("${var.name}-") <= 37 && length(aws_iam_role.function.name_prefix) <= 38
    error_message = "Derived names must fit: the provider adds 26 characters to a bucket's name (at most 63 in total) and a role's name (at most 64)."
  }

  assert {
    condition     = length(aws_lambda_function.this.environment[0].variables) == 17 && length(jsonencode(aws_lambda_function.this.environment[0].variables)) <= 4096
    error_message = "The module's environment variables and the longest allowed additional ones must fit in Lambda's limit of 4 KB."
  }
}

run "outputs" {
  assert {
    condition = {
      bucket_name           = output.bucket_name
      bucket_arn            = output.bucket_arn
      queue_arn             = output.queue_arn
      dead_letter_queue_arn = output.dead_letter_queue_arn
      lambda_function_name  = output.lambda_function_name
      lambda_function_arn   = output.lambda_function_arn
      lambda_role_name      = output.lambda_role_name
      lambda_role_arn       = output.lambda_role_arn
      images_table_name     = output.images_table_name
      images_table_arn      = output.images_table_arn
      labels_table_name     = output.labels_table_name
      labels_table_arn      = output.labels_table_arn
      log_group_name        = output.log_group_name
      waiting_queue_arn     = output.waiting_queue_arn
      metric_namespace      = output.metric_namespace
      } == {
      bucket_name           = aws_s3_bucket.photos[0].bucket
      bucket_arn            = "arn:aws:s3:::photos-of-ours"
      queue_arn             = "arn:aws:sqs:eu-west-1:111122223333:image-labels-photos"
      dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters"
      lambda_function_name  = "image-labels"
      lambda_function_arn   = "arn:aws:lambda:eu-west-1:111122223333:function:image-labels"
      lambda_role_name      = "image-labels-20260101"
      lambda_role_arn       = "arn:aws:iam::111122223333:role/image-labels-20260101"
      images_table_name     = "image-labels-images"
      images_table_arn      = "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-images"
      labels_table_name     = "image-labels-labels"
      labels_table_arn      = "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-labels"
      log_group_name        = "/aws/lambda/image-labels"
      waiting_queue_arn     = "arn:aws:sqs:eu-west-1:111122223333:image-labels-waiting"
      metric_namespace      = "ImageLabels/image-labels"
    }
    error_message = "Every output must have this value."
  }

  assert {
    condition = (
      output.queue_url == aws_sqs_queue.photos.url
      && output.waiting_queue_url == aws_sqs_queue.waiting.url
      && output.dead_letter_queue_url == aws_sqs_queue.dead_letters.url
    )
    error_message = "The outputs must have the URLs of the queues."
  }

  assert {
    condition = output.cli_environment == {
      IMAGE_LABELS_REGION                    = "eu-west-1"
      IMAGE_LABELS_BUCKET                    = aws_s3_bucket.photos[0].bucket
      IMAGE_LABELS_QUEUE_URL                 = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-photos"
      IMAGE_LABELS_DEAD_LETTER_QUEUE_URL     = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-dead-letters"
      IMAGE_LABELS_WAITING_QUEUE_URL         = "https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-waiting"
      IMAGE_LABELS_IMAGES_TABLE              = "image-labels-images"
      IMAGE_LABELS_LABELS_TABLE              = "image-labels-labels"
      IMAGE_LABELS_FILTER_PREFIX             = "images/"
      IMAGE_LABELS_FILTER_SUFFIXES           = ".JPEG,.JPG,.PNG,.jpeg,.jpg,.png"
      IMAGE_LABELS_MIN_CONFIDENCE            = "80"
      IMAGE_LABELS_MAX_LABELS                = "10"
      IMAGE_LABELS_LABEL_POLICY_ID           = ""
      IMAGE_LABELS_TEXT_MIN_CONFIDENCE       = ""
      IMAGE_LABELS_FACES_SETTINGS            = ""
      IMAGE_LABELS_UNWANTED_ID               = ""
      IMAGE_LABELS_MODERATION_MIN_CONFIDENCE = ""
      IMAGE_LABELS_REKOGNITION_TPS           = "50"
      IMAGE_LABELS_DAILY_IMAGE_LIMIT         = ""
    }
    error_message = "cli_environment must have every variable that the command needs."
  }

  assert {
    condition     = sort(keys(output.alarm_arns)) == tolist(["daily-limit", "dead-letters", "function-errors", "oldest-message", "schedule-not-run", "throttled-share"])
    error_message = "Every alarm must be among the outputs."
  }
}
