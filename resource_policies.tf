# Resource-based policies: those of the queues and the bucket, and the policy that the KMS key requires.

################################################################################
# The queues' policies
################################################################################

locals {
  # The services that may send to each queue. Unlike a rule's ARN, a bucket's ARN contains no account, so the policy requires
  # the account too: after a bucket is deleted, another account can take its name.
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

# Every queue always has a policy: if the argument is unset, the provider keeps the previous policy.
data "aws_iam_policy_document" "queue" {
  for_each = {
    photos       = local.queue_arn
    dead_letters = local.dead_letter_queue_arn
    waiting      = local.waiting_queue_arn
  }

  # A Deny applies to all principals and actions.
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

  # A Deny applies to all principals and actions.
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
# The KMS key's policy (output kms_key_policy_json)
################################################################################

# Depends only on names, not on resources that the key encrypts, so that the key can be created with this policy first.
data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:a key policy must let the account manage the key, or it becomes unmanageable
  #checkov:skip=CKV_AWS_111:in a key policy "*" means this key
  #checkov:skip=CKV_AWS_356:in a key policy "*" means this key
  # IAM policies, such as the function's, grant access to a key only if the key policy allows the account.
  statement {
    sid       = "LetIamPoliciesOfTheAccountDecide"
    actions   = ["kms:*"]
    resources = ["*"] # in a key policy: this key

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }

  # Without this statement the apply fails with "Unable to validate the following destination configurations", or EventBridge
  # cannot deliver events.
  #
  # No condition, as in the example of S3's guide for an encrypted queue. SQS's guide states that both services support
  # aws:SourceArn here, but not whether its value is the bucket, the rule or the queue. SNS's guide states that EventBridge
  # does not support it. A condition that does not match fails the apply, or loses events silently. The queue's policy
  # restricts the bucket or the rules, and the account.
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
