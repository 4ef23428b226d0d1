# Source of object-created and object-deleted events: event notifications of the bucket, or EventBridge rules (var.trigger).

################################################################################
# Event notifications of the bucket
################################################################################

# A bucket has one notification configuration, and this resource replaces it. On an existing bucket it is therefore created
# only with trigger = "s3".
resource "aws_s3_bucket_notification" "photos" {
  count = var.create_bucket || var.trigger == "s3" ? 1 : 0

  bucket      = local.bucket_name
  eventbridge = var.trigger == "eventbridge"

  # A notification takes one suffix. S3 sends a test message to the queue, whose policy exists by then because it is an
  # argument of the queue.
  dynamic "queue" {
    for_each = var.trigger == "s3" ? var.filter_suffixes : []

    content {
      id        = "${var.name}${queue.value}"
      queue_arn = aws_sqs_queue.photos.arn
      events = [
        "s3:ObjectCreated:*",
        "s3:ObjectRemoved:*",
        # Deletions by lifecycle rules are not part of ObjectRemoved.
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
    error_message = "trigger: the module REPLACES the event notifications of the existing bucket ${coalesce(var.bucket_name, "-")}, because a bucket has one notification configuration. Their present receivers get no more events. Set trigger = \"eventbridge\" to keep the existing notifications."
  }
}

################################################################################
# EventBridge rules (trigger = "eventbridge")
################################################################################

locals {
  # Three wildcards per rule. AWS does not document the limit on complexity. Its event-ruler library computes 2 for
  # "images/*.jpg", and EventBridge has been observed to accept 9 and refuse 12. Without a prefix no wildcards are needed,
  # and one rule suffices. https://github.com/aws/event-ruler#matching-with-a-machine
  event_suffixes = chunklist(var.trigger == "eventbridge" ? sort(var.filter_suffixes) : [], var.filter_prefix == "" ? 100 : 3)

  event_rules = [
    for index, suffixes in local.event_suffixes : {
      number   = index == 0 ? "" : "-${index + 1}" # the first rule and its alarms have no number
      suffixes = suffixes

      # The event pattern equivalent to S3's filter_prefix and filter_suffix; empty if every key matches. A pattern cannot
      # combine prefix and suffix except by a wildcard, which requires the suffix to follow the prefix. S3 lets the two
      # overlap (prefix "images/" and suffix "/dog.jpg" match "images/dog.jpg"), so overlapping keys are listed one by one.
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

      # An upper bound of event-ruler's complexity: for each wildcard, the number of its prefixes that one key can match.
      # The key "images/aa" matches three prefixes of "images/*aab": "images/*", "images/*a" and "images/*aa".
      complexity = var.filter_prefix == "" ? 0 : sum([
        for suffix in suffixes : 1 + max(1, [
          for m in range(1, length(suffix) + 1) :
          length([for n in range(1, m + 1) : n if endswith(substr(suffix, 0, m), substr(suffix, 0, n))])
        ]...)
      ])
    }
  ]
}

# Several rules, because EventBridge refuses a rule whose wildcards are too complex. No key matches two rules, because no
# suffix is the end of another (validated in variables.tf).
resource "aws_cloudwatch_event_rule" "photos" {
  count = length(local.event_rules)

  name        = "${local.queue_name}${local.event_rules[count.index].number}"
  description = "Objects created in and deleted from ${local.bucket_name}, for ${var.name}"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created", "Object Deleted"] # includes deletions by lifecycle rules
    detail = merge(
      { bucket = { name = [local.bucket_name] } },
      length(local.event_rules[count.index].keys) == 0 ? {} : { object = { key = local.event_rules[count.index].keys } },
    )
  })

  tags = var.tags

  lifecycle {
    precondition {
      # Only the first rule reports it.
      condition     = count.index > 0 || var.filter_prefix == "" || length(local.event_rules) <= 30
      error_message = "filter_suffixes: with trigger = \"eventbridge\" and a filter_prefix, ${length(var.filter_suffixes)} suffixes require ${length(local.event_rules)} rules with wildcards, and an event bus allows 30. Use at most 90 suffixes (fewer if other rules on the default event bus have wildcards), or set filter_prefix = \"\", which requires no wildcards."
    }

    precondition {
      # 200 characters for the rest of the pattern, including a bucket name of 63 characters.
      condition     = length(jsonencode(local.event_rules[count.index].keys)) + 200 <= 2048
      error_message = "filter_prefix and filter_suffixes are too long for trigger = \"eventbridge\": the event pattern would have about ${length(jsonencode(local.event_rules[count.index].keys)) + 200} characters, and EventBridge allows 2048. Use a shorter prefix, which is repeated for each suffix, or shorter suffixes."
    }

    precondition {
      condition     = local.event_rules[count.index].complexity <= 9
      error_message = "filter_suffixes: with trigger = \"eventbridge\" and a filter_prefix, EventBridge would refuse the rule for ${join(", ", local.event_rules[count.index].suffixes)} as too complex, because the suffixes repeat their first characters (as \"___.jpg\" does). Use suffixes without such repetition, or set filter_prefix = \"\"."
    }
  }
}

resource "aws_cloudwatch_event_target" "photos" {
  count = length(local.event_rules)

  rule = aws_cloudwatch_event_rule.photos[count.index].name
  arn  = aws_sqs_queue.photos.arn

  # Without it EventBridge drops an event that it cannot deliver: at once if a permission is missing, otherwise after 24
  # hours of retries.
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}
