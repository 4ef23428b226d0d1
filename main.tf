# The resources, in the order the data flows: bucket -> notification -> queues -> function -> tables.
# Who may do what is in iam.tf, what can be seen of it in observability.tf.

locals {
  # Of an existing bucket not by the data source, which a depends_on of the caller's would make unknown until apply.
  bucket_name = var.create_bucket ? aws_s3_bucket.photos[0].bucket : var.bucket_name
  bucket_arn  = var.create_bucket ? aws_s3_bucket.photos[0].arn : "arn:${local.partition}:s3:::${var.bucket_name}"

  # By data sources, not out of a resource's ARN: known at plan time, and before there is anything under kms_key_arn,
  # so that the key's own policy can be made of them (output kms_key_policy_json).
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id # `name` is deprecated in provider 6, `region` is not in 5
  account_id = data.aws_caller_identity.current.account_id

  # The queues name each other and the queue's policy names the queue: only a name known beforehand breaks the cycle.
  queue_name = "${var.name}-photos"
  queue_arn  = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.queue_name}"

  waiting_queue_name     = "${var.name}-waiting"
  waiting_queue_arn      = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.waiting_queue_name}"
  dead_letter_queue_name = "${var.name}-dead-letters"
  dead_letter_queue_arn  = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.dead_letter_queue_name}"

  # 14 days, the longest SQS keeps a message: time to notice and mend what is broken before an event is lost.
  message_retention_seconds = 14 * 24 * 3600

  # SQS keeps the data key it got from KMS this long; 300 s is its own default and keeps KMS calls (and their price)
  # at one per client and five minutes.
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300

  # The Regions that have DetectLabels (November 2026), by the default quota in calls per second. AWS's pages disagree about
  # ca-central-1, so it is not among them; rekognition_tps admits it.
  # https://docs.aws.amazon.com/general/latest/gr/rekognition.html
  regions_at_50 = ["us-east-1", "us-west-2", "eu-west-1"]
  regions_at_5 = [
    "us-east-2", "us-west-1", "us-gov-west-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-5", "ap-southeast-7", "eu-central-1", "eu-south-2", "eu-west-2", "il-central-1",
    "sa-east-1",
  ]
  regions = sort(concat(local.regions_at_50, local.regions_at_5))

  # https://aws.amazon.com/compliance/fips/; the SDK makes up names for other Regions, which lead nowhere.
  regions_with_fips_endpoints = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "us-gov-west-1"]
  uses_fips_endpoints         = lower(lookup(var.lambda_environment_variables, "AWS_USE_FIPS_ENDPOINT", "false")) == "true"

  rekognition_tps = coalesce(var.rekognition_tps, contains(local.regions_at_50, local.region) ? 50 : 5)

  # As few invocations at a time as use the quota up when a photo takes 1.5 s, twice what it mostly does: waiting is
  # billed once for all 10 photos of an invocation. SQS wants 2 at least.
  maximum_concurrency = min(1000, max(2, ceil(1.5 * local.rekognition_tps / 10)))

  # Each has its share of the quota. A burst then drains at the quota, whatever the photos' own pace, and hardly any
  # call is throttled, which would be no more than another try spent.
  detect_labels_per_second = local.rekognition_tps / local.maximum_concurrency

  # As many photos as an invocation can have its turn with in half of its time.
  batch_size = min(10, max(1, floor(0.5 * var.lambda_timeout * local.detect_labels_per_second)))

  package = var.lambda_package == null ? {
    filename          = "${path.module}/dist/lambda.zip"
    s3_bucket         = null
    s3_key            = null
    s3_object_version = null
    source_code_hash  = null
  } : var.lambda_package

  package_is_there = local.package.filename == null ? true : fileexists(local.package.filename)

  # A missing file is left to the function's precondition, which says what to do about it.
  package_hash = (
    (local.package.source_code_hash != null || local.package.filename == null || !local.package_is_there)
    ? local.package.source_code_hash
    : filebase64sha256(local.package.filename)
  )

  # What the function reads at its start; variables.tf keeps callers from overriding these names.
  environment = {
    BUCKET_NAME       = local.bucket_name
    IMAGES_TABLE_NAME = aws_dynamodb_table.images.name
    LABELS_TABLE_NAME = aws_dynamodb_table.labels.name
    MIN_CONFIDENCE    = tostring(var.min_confidence)
    MAX_LABELS        = tostring(var.max_labels)
    CONCURRENCY       = tostring(local.batch_size)

    DETECT_LABELS_PER_SECOND = format("%.4f", local.detect_labels_per_second)

    QUEUE_URL             = aws_sqs_queue.photos.url
    DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
    MAX_RECEIVE_COUNT     = tostring(var.max_receive_count)
    RETRY_DELAY_SECONDS   = tostring(var.retry_delay_seconds)

    # Ten minutes of the quota, half of which is worked off until the schedule rings again: more would only stand in the
    # way of what is uploaded and deleted meanwhile.
    WAITING_QUEUE_URL = aws_sqs_queue.waiting.url
    MOVE_AHEAD        = tostring(ceil(600 * local.rekognition_tps))
  }
}

################################################################################
# Where this is: partition, Region and account
################################################################################

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = contains(local.regions, self.id) || var.rekognition_tps != null
      error_message = "The provider's Region, ${self.id}, is not known to have DetectLabels: photos can be labelled in ${join(", ", local.regions)}. If ${self.id} has it, set rekognition_tps to your quota of calls per second there, and this check is left out. Bucket, function and Rekognition must be in one Region."
    }
  }
}

# Only the provider's configuration; it asks AWS nothing.
data "aws_default_tags" "current" {
  lifecycle {
    postcondition {
      condition     = length(merge(self.tags, var.tags)) <= 50
      error_message = "tags must be 50 at most together with the provider's default_tags: AWS takes no more for a resource, and these are ${length(merge(self.tags, var.tags))}."
    }

    postcondition {
      condition     = length(distinct([for key in keys(merge(self.tags, var.tags)) : lower(key)])) == length(merge(self.tags, var.tags))
      error_message = "tags and the provider's default_tags must not have names that differ in case alone, such as Team and team: IAM takes them for one and refuses both. Given: ${join(", ", keys(merge(self.tags, var.tags)))}."
    }

    postcondition {
      condition = alltrue([
        for key, value in merge(self.tags, var.tags) :
        can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value))
      ])
      error_message = "The provider's default_tags must have names of 1 to 128 and values of at most 256 letters, digits, spaces and _ . : / = + - @: IAM takes no others."
    }
  }
}

################################################################################
# Bucket: the photos
################################################################################

data "aws_s3_bucket" "existing" {
  count = var.create_bucket ? 0 : 1

  bucket = var.bucket_name

  lifecycle {
    postcondition {
      # The attribute `region` is the bucket's in provider 5, and the provider's in 6.
      condition     = strcontains(self.bucket_regional_domain_name, ".s3.${local.region}.")
      error_message = "bucket_name: the bucket ${self.bucket} is not in the provider's Region, ${local.region}: Rekognition reads photos of its own Region only, and S3 sends events to queues of its own Region only. Give the module the provider of the bucket's Region: providers = { aws = aws.<alias> }."
    }
  }
}

resource "aws_s3_bucket" "photos" {
  #checkov:skip=CKV_AWS_18:access logs need a bucket of their own, which is for the account to have, not for each module
  #checkov:skip=CKV_AWS_144:a second Region would need a second copy of photos that the labels do not need
  #checkov:skip=CKV2_AWS_62:it has notifications, in aws_s3_bucket_notification.photos, which checkov cannot tell by its count
  count = var.create_bucket ? 1 : 0

  bucket        = var.bucket_name
  bucket_prefix = var.bucket_name == null ? "${var.name}-" : null
  force_destroy = var.bucket_force_destroy

  tags = var.tags
}

resource "aws_s3_bucket_public_access_block" "photos" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "photos" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# Only with a key: S3 encrypts a bucket without this configuration under SSE-S3. It would also be harmful. Provider 6.22 to
# 6.39 shows a change in every plan unless blocked_encryption_types is set, which 5.100 does not know, and each apply lifts
# the block on SSE-C that S3 sets on new buckets.
# https://github.com/hashicorp/terraform-provider-aws/issues/47320
resource "aws_s3_bucket_server_side_encryption_configuration" "photos" {
  count = var.create_bucket && var.kms_key_arn != null ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  rule {
    # One KMS call for many photos instead of one for each.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "photos" {
  # No resource rather than "Suspended": that makes null versions and delete markers, which an unversioned bucket has
  # not. Switched off later, the provider suspends versioning, the only way back that S3 has.
  count = var.create_bucket && var.bucket_versioning ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "photos" {
  #checkov:skip=CKV_AWS_300:the first rule does it; checkov gets lost at the dynamic one
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id

  rule {
    id     = "abort-incomplete-multipart-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Also without versioning: it does nothing there, but clears up behind versioning that was switched off.
  dynamic "rule" {
    for_each = var.bucket_noncurrent_version_days == null ? [] : [var.bucket_noncurrent_version_days]

    content {
      id     = "expire-noncurrent-versions"
      status = "Enabled"

      filter {}

      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }

      # The delete marker that is left when the last version behind it has gone.
      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  # S3 wants versioning settled before rules about versions.
  depends_on = [aws_s3_bucket_versioning.photos]
}

resource "aws_s3_bucket_policy" "photos" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.photos[0].id
  policy = data.aws_iam_policy_document.bucket[0].json

  # S3 answers OperationAborted when two of a bucket's access settings are written at once.
  depends_on = [aws_s3_bucket_public_access_block.photos]
}

################################################################################
# Notification: every photo that comes or goes
################################################################################

# The bucket's own notifications: S3 sends to the queue, or to EventBridge. There is one set of them for each bucket, so on
# a bucket of somebody else's nothing is written unless trigger = "s3" says so.
resource "aws_s3_bucket_notification" "photos" {
  count = var.create_bucket || var.trigger == "s3" ? 1 : 0

  bucket      = local.bucket_name
  eventbridge = var.trigger == "eventbridge"

  # A rule takes one suffix. S3 tries the queue when they are made; its policy, a part of the queue, is in place by then.
  dynamic "queue" {
    for_each = var.trigger == "s3" ? var.filter_suffixes : []

    content {
      id        = "${var.name}${queue.value}"
      queue_arn = aws_sqs_queue.photos.arn
      events = [
        "s3:ObjectCreated:*",
        "s3:ObjectRemoved:*",
        # What a lifecycle rule deletes is a family of its own, not part of ObjectRemoved.
        "s3:LifecycleExpiration:*",
      ]
      filter_prefix = var.filter_prefix
      filter_suffix = queue.value
    }
  }
}

check "notifications_of_the_existing_bucket" {
  assert {
    condition     = var.create_bucket || var.trigger == "eventbridge"
    error_message = "The event notifications of the existing bucket ${coalesce(var.bucket_name, "-")} are REPLACED by this module's: S3 keeps one set of them for each bucket, and whoever listened to it hears nothing more. trigger = \"eventbridge\" leaves them as they are."
  }
}

# Several rules, since EventBridge refuses a rule whose wildcards are too complex. No key matches two of them, because no
# suffix is the end of another (variables.tf).
resource "aws_cloudwatch_event_rule" "photos" {
  count = length(local.event_rules)

  name        = "${local.queue_name}${local.event_rules[count.index].number}"
  description = "Photos that come to or go from ${local.bucket_name}, for ${var.name}"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created", "Object Deleted"] # the latter also for what a lifecycle rule deletes
    detail = merge(
      { bucket = { name = [local.bucket_name] } },
      length(local.event_rules[count.index].keys) == 0 ? {} : { object = { key = local.event_rules[count.index].keys } },
    )
  })

  tags = var.tags

  lifecycle {
    precondition {
      # Said once, not by each rule.
      condition     = count.index > 0 || var.filter_prefix == "" || length(local.event_rules) <= 30
      error_message = "filter_suffixes: with trigger = \"eventbridge\" and a filter_prefix, ${length(var.filter_suffixes)} suffixes are ${length(local.event_rules)} rules with wildcards, and an event bus takes 30. Take at most 90 suffixes, fewer if other rules of the default event bus have wildcards, or set filter_prefix = \"\", which needs none."
    }

    precondition {
      # 200 for what else there is, a bucket's name of 63 characters among it.
      condition     = length(jsonencode(local.event_rules[count.index].keys)) + 200 <= 2048
      error_message = "filter_prefix and filter_suffixes are too long for trigger = \"eventbridge\": they make an event pattern of about ${length(jsonencode(local.event_rules[count.index].keys)) + 200} characters, of which EventBridge takes 2048, and the prefix is in it once for each suffix. Take a shorter prefix, or shorter or fewer suffixes."
    }

    precondition {
      condition     = local.event_rules[count.index].complexity <= 9
      error_message = "filter_suffixes: with trigger = \"eventbridge\" and a filter_prefix, EventBridge would refuse ${join(", ", local.event_rules[count.index].suffixes)} as too complex, since they repeat how they begin (as \"___.jpg\" does). Take suffixes that do not, or set filter_prefix = \"\"."
    }
  }
}

locals {
  # Three wildcards a rule. AWS does not say how complex a rule may be; its event-ruler counts 2 for "images/*.jpg", and
  # EventBridge has been seen to accept 9 and to refuse 12. https://github.com/aws/event-ruler#matching-with-a-machine
  # Without a prefix there are no wildcards, and one rule does.
  event_suffixes = chunklist(var.trigger == "eventbridge" ? sort(var.filter_suffixes) : [], var.filter_prefix == "" ? 100 : 3)

  event_rules = [
    for index, suffixes in local.event_suffixes : {
      number   = index == 0 ? "" : "-${index + 1}" # the first has none, in its name and its alarms'
      suffixes = suffixes

      # What S3's filter_prefix and filter_suffix say, in EventBridge's words; nothing if every key is meant. A pattern has
      # no "prefix and suffix", only the wildcard, which wants the two one after the other where S3 lets them overlap
      # (prefix "images/" and suffix "/dog.jpg" admit "images/dog.jpg"): these few keys are named one by one.
      keys = concat(
        [for suffix in suffixes : { suffix = suffix } if var.filter_prefix == "" && suffix != ""],
        [for suffix in suffixes : { prefix = var.filter_prefix } if var.filter_prefix != "" && suffix == ""],
        [for suffix in suffixes : { wildcard = "${var.filter_prefix}*${suffix}" } if var.filter_prefix != "" && suffix != ""],
        flatten([
          for suffix in suffixes : [
            for n in range(1, min(length(var.filter_prefix), length(suffix)) + 1) :
            "${var.filter_prefix}${substr(suffix, n, -1)}" if endswith(var.filter_prefix, substr(suffix, 0, n))
          ]
        ]),
      )

      # An upper bound of what event-ruler counts: for each wildcard, how many of its beginnings one key can match. The key
      # "images/aa" matches three beginnings of "images/*aab": "images/*", "images/*a" and "images/*aa".
      complexity = var.filter_prefix == "" ? 0 : sum([
        for suffix in suffixes : 1 + max(1, [
          for m in range(1, length(suffix) + 1) :
          length([for n in range(1, m + 1) : n if endswith(substr(suffix, 0, m), substr(suffix, 0, n))])
        ]...)
      ])
    }
  ]
}

resource "aws_cloudwatch_event_target" "photos" {
  count = length(local.event_rules)

  rule = aws_cloudwatch_event_rule.photos[count.index].name
  arn  = aws_sqs_queue.photos.arn

  # What the queue does not take would be dropped: for want of a permission at once, else after a day of tries.
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

################################################################################
# Queues: what is to be looked at, and what could not be done
################################################################################

resource "aws_sqs_queue" "photos" {
  name = local.queue_name

  # Six times the function's time-out, as AWS advises: a batch must not come back while a throttled poller still
  # tries to hand it to the function. A photo that fails does not wait so long: the function says when it comes back.
  visibility_timeout_seconds = 6 * var.lambda_timeout
  message_retention_seconds  = local.message_retention_seconds
  receive_wait_time_seconds  = 20

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.kms_data_key_reuse_period_seconds

  # Here, not in an aws_sqs_queue_policy: the provider waits about 25 s for each of the two to settle.
  policy = data.aws_iam_policy_document.queue["photos"].json

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receive_count
  })

  tags = var.tags
}

resource "aws_sqs_queue" "dead_letters" {
  name = local.dead_letter_queue_name

  message_retention_seconds = local.message_retention_seconds
  receive_wait_time_seconds = 20

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.kms_data_key_reuse_period_seconds

  policy = data.aws_iam_policy_document.queue["dead_letters"].json

  # No other queue may leave its failures here. SQS takes the ARN of a queue that is still to be made.
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })

  tags = var.tags
}

# Photos over daily_image_limit, until the function takes them back. Not in the queue above, where each look at a photo
# would be one of its tries; nor by holding that queue up, which would keep deleted photos findable.
#
# It is there without a limit too: a queue that went together with the limit would take the photos in it along.
resource "aws_sqs_queue" "waiting" {
  name = local.waiting_queue_name

  # The function hides what it moves for this long; what it could not move is there again after it.
  visibility_timeout_seconds = 120
  message_retention_seconds  = local.message_retention_seconds

  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = local.kms_data_key_reuse_period_seconds

  policy = data.aws_iam_policy_document.queue["waiting"].json

  tags = var.tags
}

################################################################################
# Function: look at each photo as it is now, and make the table agree
################################################################################

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:traces would show what the log lines and Rekognition's metrics do, and are billed by the photo
  #checkov:skip=CKV_AWS_115:the event source mapping limits it; reserved slots would keep small accounts from deploying
  #checkov:skip=CKV_AWS_116:its dead letters are the queue's; S3 Batch sees failures itself, and the schedule rings again
  #checkov:skip=CKV_AWS_173:names and numbers, nothing secret, and Lambda encrypts them in any case
  #checkov:skip=CKV_AWS_272:a signature needs a signing profile of the account's; lambda_package takes a zip that you have signed
  function_name = var.name
  description   = "Keeps the Rekognition labels of photos in DynamoDB"
  role          = aws_iam_role.function.arn

  handler       = "image_labels.handler.handler"
  runtime       = var.lambda_runtime
  architectures = [var.lambda_architecture]
  memory_size   = var.lambda_memory_size
  timeout       = var.lambda_timeout

  filename          = local.package.filename
  s3_bucket         = local.package.s3_bucket
  s3_key            = local.package.s3_key
  s3_object_version = local.package.s3_object_version
  source_code_hash  = local.package_hash

  environment {
    variables = merge(
      var.lambda_environment_variables,
      local.environment,
      var.daily_image_limit == null ? {} : { DAILY_IMAGE_LIMIT = tostring(var.daily_image_limit) },
    )
  }

  dynamic "vpc_config" {
    for_each = length(var.vpc_subnet_ids) == 0 ? [] : [var.vpc_subnet_ids]

    content {
      subnet_ids         = vpc_config.value
      security_group_ids = var.vpc_security_group_ids
    }
  }

  logging_config {
    log_group             = aws_cloudwatch_log_group.function.name
    log_format            = "JSON"
    application_log_level = var.log_level
    # INFO, whatever log_level says: at WARN Lambda leaves out platform.report, the line with duration and memory.
    system_log_level = "INFO"
  }

  tags = var.tags

  lifecycle {
    precondition {
      condition     = local.package_is_there
      error_message = "There is no file ${coalesce(local.package.filename, "-")}. The module comes with dist/lambda.zip: build that again, or say with lambda_package where yours is."
    }
  }

  depends_on = [
    # Lambda makes a missing log group itself, and that one keeps its lines for ever.
    aws_cloudwatch_log_group.function,
    # The first event may wait in the queue already: without its policy the function would fail it.
    aws_iam_role_policy.function,
    # Lambda makes the network interfaces with the role's permissions, and deletes them with these when the function goes.
    aws_iam_role_policy.network_interfaces,
  ]
}

check "fips_endpoints" {
  assert {
    condition     = !local.uses_fips_endpoints || contains(local.regions_with_fips_endpoints, local.region)
    error_message = "lambda_environment_variables: AWS_USE_FIPS_ENDPOINT is set, but ${local.region} is not known to have FIPS endpoints for S3, SQS, DynamoDB and Rekognition. Known are ${join(", ", local.regions_with_fips_endpoints)}. Without them the function reaches nothing."
  }
}

resource "aws_lambda_event_source_mapping" "photos" {
  event_source_arn = aws_sqs_queue.photos.arn
  function_name    = aws_lambda_function.this.arn

  batch_size = local.batch_size
  # Take what is there: a window would only add its seconds to every single photo. Under load batches fill without it.
  maximum_batching_window_in_seconds = 0

  # One photo that fails must not send the other nine to Rekognition, and on the bill, again.
  function_response_types = ["ReportBatchItemFailures"]

  # A limit here rather than reserved concurrency: what is over it stays in the queue instead of being throttled (and
  # so counted as tried), and accounts with few concurrency slots can still deploy.
  scaling_config {
    maximum_concurrency = local.maximum_concurrency
  }

  tags = var.tags
}

# Every 5 minutes the function takes back what waits, as far as the day's limit allows: soon after midnight UTC, when the
# day's count begins anew, and soon after the limit was raised or taken away.
resource "aws_cloudwatch_event_rule" "waiting" {
  name                = local.waiting_queue_name
  description         = "Lets ${var.name} take back the photos that wait for the end of the day"
  schedule_expression = "rate(5 minutes)"

  tags = var.tags
}

resource "aws_cloudwatch_event_target" "waiting" {
  rule = aws_cloudwatch_event_rule.waiting.name
  arn  = aws_lambda_function.this.arn

  # Older than that the next is due.
  retry_policy {
    maximum_event_age_in_seconds = 300
    maximum_retry_attempts       = 2
  }
}

resource "aws_lambda_permission" "waiting" {
  statement_id  = "LetTheScheduleInvokeTheFunction"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.waiting.arn

  # No source_account: the rule's ARN has the account in it, and with both EventBridge does not invoke the function.
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
}

################################################################################
# Tables: one item per photo, and one row per label and photo
################################################################################

resource "aws_dynamodb_table" "images" {
  #checkov:skip=CKV_AWS_119:under a key of the caller's if kms_key_arn names one, else under DynamoDB's own
  name         = "${var.name}-images"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "PK"

  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "PK"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # DynamoDB encrypts every table; "false" is under a key of its own, free of charge. Said in any case: a block that is
  # no longer there would leave the table under the old key, and the plan would not show it.
  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }

  tags = var.tags
}

resource "aws_dynamodb_table" "labels" {
  #checkov:skip=CKV_AWS_119:under a key of the caller's if kms_key_arn names one, else under DynamoDB's own
  name         = "${var.name}-labels"
  billing_mode = "PAY_PER_REQUEST"
  # One partition per label, its photos in order of confidence: finding them is a Query, not a Scan.
  hash_key  = "Term"
  range_key = "Rank"

  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "Term"
    type = "S"
  }

  attribute {
    name = "Rank"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }

  tags = var.tags
}
