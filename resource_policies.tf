# Resource-based policies: who may use the queues, the bucket and the KMS key.

################################################################################
# The queues' policies
################################################################################

locals {
  # Which service may send what to which queue. A bucket's ARN has no account in it, as a rule's has: a deleted bucket's
  # name may be somebody else's tomorrow.
  queue_senders = [
    for sender in [
      {
        trigger  = "s3"
        queue    = "photos"
        sid      = "LetThisBucketSendItsEvents"
        service  = "s3.amazonaws.com"
        sources  = [local.bucket_arn]
        accounts = [local.account_id]
      },
      {
        trigger  = "eventbridge"
        queue    = "photos"
        sid      = "LetTheseRulesSendTheirEvents"
        service  = "events.amazonaws.com"
        sources  = aws_cloudwatch_event_rule.photos[*].arn
        accounts = []
      },
      {
        trigger  = "eventbridge"
        queue    = "dead_letters"
        sid      = "LetTheseRulesLeaveWhatTheyCouldNotSend"
        service  = "events.amazonaws.com"
        sources  = aws_cloudwatch_event_rule.photos[*].arn
        accounts = []
      },
    ] : sender if sender.trigger == var.trigger
  ]
}

# Every queue has a policy at all times: the provider leaves the old one where none is given.
data "aws_iam_policy_document" "queue" {
  for_each = {
    photos       = local.queue_arn
    dead_letters = local.dead_letter_queue_arn
    waiting      = local.waiting_queue_arn
  }

  # A denial, so it is meant for everybody and everything.
  statement {
    sid       = "DenyRequestsWithoutTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
  dynamic "statement" {
    for_each = [for sender in local.queue_senders : sender if sender.queue == each.key]
    iterator = sender

    content {
      sid       = sender.value.sid
      actions   = ["sqs:SendMessage"]
      resources = [each.value]

      principals {
        type        = "Service"
        identifiers = [sender.value.service]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = sender.value.sources
      }

      dynamic "condition" {
        for_each = sender.value.accounts

        content {
          test     = "StringEquals"
          variable = "aws:SourceAccount"
          values   = [condition.value]
        }
      }
    }
  }
}

################################################################################
# The bucket's policy
################################################################################

data "aws_iam_policy_document" "bucket" {
  count = var.create_bucket ? 1 : 0

  # A denial, so it is meant for everybody and everything.
  statement {
    sid       = "DenyRequestsWithoutTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.bucket_arn, "${local.bucket_arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

################################################################################
# What the key's policy must have (output kms_key_policy_json)
################################################################################

# Made of names only, nothing that is itself under the key: so the key's policy can be there first.
data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:a key's policy must let the account manage the key, or nobody could
  #checkov:skip=CKV_AWS_111:in a key's policy "*" is this key
  #checkov:skip=CKV_AWS_356:in a key's policy "*" is this key
  # KMS hears nobody whom the key's policy does not name: the account, so that IAM policies count, such as the function's.
  statement {
    sid       = "LetIamPoliciesOfTheAccountDecide"
    actions   = ["kms:*"]
    resources = ["*"] # in a key's policy: this key

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }

  # Without it: "Unable to validate the following destination configurations", or events that EventBridge cannot deliver.
  #
  # No condition, as in the statement that S3's guide gives for an encrypted queue. SQS's guide says that both services
  # support aws:SourceArn here, but not whether it is the bucket, the rule or the queue; SNS's guide says that EventBridge
  # does not. A condition that does not hold makes the apply fail, or loses events without a word. The queue's own policy
  # names the bucket or the rules, and the account.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
  # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  statement {
    sid       = var.trigger == "s3" ? "LetS3EncryptEvents" : "LetEventBridgeEncryptEvents"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = [var.trigger == "s3" ? "s3.amazonaws.com" : "events.amazonaws.com"]
    }
  }

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
  statement {
    sid       = "LetCloudWatchEncryptThisLog"
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${local.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:/aws/lambda/${var.name}"]
    }
  }
}
