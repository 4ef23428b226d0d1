# Who may do what. Each sid says it in a sentence; the only resource "*" is the one AWS does not let anybody narrow.

################################################################################
# The function's role
################################################################################

resource "aws_iam_role" "function" {
  # A prefix, since a role's name is unique in all Regions: the same module in a second Region must not collide.
  name_prefix          = "${var.name}-"
  description          = "What the function ${var.name} may do: read the photos, ask Rekognition, keep the table"
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.role_permissions_boundary

  tags = var.tags
}

resource "aws_iam_role_policy" "function" {
  name   = "label-photos"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

data "aws_iam_policy_document" "assume_role" {
  # No aws:SourceAccount: Lambda's guide does not say that Lambda sets it when it assumes an execution role, and
  # nobody can give this role to another account's function, since iam:PassRole ends at the account.
  statement {
    sid     = "LetLambdaRunAsThisRole"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  # Rekognition reads the photo with these permissions too: it acts for its caller and has none of its own.
  statement {
    sid       = "ReadPhotosUnderPrefix"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.bucket_arn}/${var.filter_prefix}*"]
  }

  # Without it S3 answers HeadObject for a missing key with 403 instead of 404, and a deleted photo looks like a lack
  # of permission. No s3:prefix condition: HeadObject carries no prefix, so a condition would deny it again.
  statement {
    sid       = "TellMissingPhotosFromForbiddenOnes"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]
  }

  # DetectLabels has no resource type: AWS takes nothing but "*" here.
  statement {
    sid       = "DetectLabelsInPhotos"
    actions   = ["rekognition:DetectLabels"]
    resources = ["*"]
  }

  statement {
    sid = "KeepOneItemPerPhoto"
    actions = [
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:DeleteItem",
      "dynamodb:ConditionCheckItem",
    ]
    resources = [aws_dynamodb_table.images.arn]
  }

  # BatchWriteItem is for the vocabulary, the others for the rows that change together with a photo's item.
  statement {
    sid       = "KeepOneRowPerLabelOfPhoto"
    actions   = ["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"]
    resources = [aws_dynamodb_table.labels.arn]
  }

  # By its built ARN, so that the function need not wait until the queue is there.
  statement {
    sid       = "TakeEventsFromQueue"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
    resources = [local.queue_arn]
  }

  # What fails its last try goes there by the function's hand, since SQS would not say why.
  statement {
    sid       = "SayWhyInDeadLetterQueue"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  statement {
    sid       = "WriteOwnLogStreams"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
  }

  # Photos, messages and items are all decrypted for the caller, and a message to the dead-letter queue is encrypted for
  # it. Nothing else is: the function writes no object, DynamoDB writes under a table key it made at the table's
  # creation, and for the logs CloudWatch asks KMS itself.
  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "UseTheGivenKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

################################################################################
# What those who look for photos may do (output reader_policy_json)
################################################################################

data "aws_iam_policy_document" "reader" {
  statement {
    sid       = "FindPhotosByLabel"
    actions   = ["dynamodb:Query", "dynamodb:BatchGetItem"]
    resources = [aws_dynamodb_table.labels.arn]
  }

  statement {
    sid       = "ReadPhotosLabels"
    actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Scan"]
    resources = [aws_dynamodb_table.images.arn]
  }

  # For the addresses by which the page shows the photos.
  statement {
    sid       = "SeePhotos"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/${var.filter_prefix}*"]
  }

  statement {
    sid       = "SeeWhatWaits"
    actions   = ["sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.photos.arn, aws_sqs_queue.dead_letters.arn]
  }

  # Reading a dead letter is receiving it; it stays where it is.
  statement {
    sid       = "ReadDeadLetters"
    actions   = ["sqs:ReceiveMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "DecryptWithTheGivenKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

################################################################################
# The queue's policy
################################################################################

data "aws_iam_policy_document" "queue" {
  statement {
    sid       = "LetThisBucketSendItsEvents"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.bucket_arn]
    }

    # A bucket's ARN has no account in it: a deleted bucket's name may be somebody else's tomorrow.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
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
