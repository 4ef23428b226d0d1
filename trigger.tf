# How object-created and object-deleted events reach the queue: the bucket's event notifications, or EventBridge rules.

################################################################################
# Event notifications of the bucket
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

################################################################################
# EventBridge rules (trigger = "eventbridge")
################################################################################

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

resource "aws_cloudwatch_event_target" "photos" {
  count = length(local.event_rules)

  rule = aws_cloudwatch_event_rule.photos[count.index].name
  arn  = aws_sqs_queue.photos.arn

  # What the queue does not take would be dropped: for want of a permission at once, else after a day of tries.
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}
