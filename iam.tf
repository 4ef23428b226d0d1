# Identity-based permissions: the function's role, and the policy for readers. Each sid is a sentence. The only resource "*"
# of the function itself is the one that AWS does not let anybody narrow. resource_policies.tf has the other side.

################################################################################
# The function's role
################################################################################

resource "aws_iam_role" "function" {
  # A prefix, since a role's name is unique in all Regions: the same module in a second Region must not collide.
  name_prefix          = "${var.name}-"
  path                 = var.role_path
  description          = "What the function ${var.name} may do: read the photos, ask Rekognition, keep the table"
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.role_permissions_boundary

  tags = var.tags

  lifecycle {
    precondition {
      condition = var.role_permissions_boundary == null ? true : (
        split(":", var.role_permissions_boundary)[1] == local.partition
        && contains(["aws", local.account_id], split(":", var.role_permissions_boundary)[4])
      )
      error_message = "role_permissions_boundary must be a policy of the provider's account, arn:${local.partition}:iam::${local.account_id}:policy/<name>, or one of AWS's own: IAM bounds a role by no others. Given: ${coalesce(var.role_permissions_boundary, "-")}."
    }
  }
}

resource "aws_iam_role_policy" "function" {
  name   = "label-photos"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

data "aws_iam_policy_document" "assume_role" {
  # No aws:SourceAccount, unlike elsewhere: Lambda's guide does not say that Lambda sets it when it assumes a role, and
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

  # BatchWriteItem is for the vocabulary, GetItem and UpdateItem for the count of the day, the others for the rows that
  # change together with a photo's item.
  statement {
    sid       = "KeepOneRowPerLabelOfPhoto"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"]
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
    sid       = "LetPhotosOverTheDailyLimitWait"
    actions   = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.waiting.arn]
  }

  statement {
    sid       = "TakeThemBackWhenTheDayIsOver"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn]
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
# The function's network interfaces in a VPC
################################################################################

locals {
  network_interface_actions = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ]
}

resource "aws_iam_role_policy" "network_interfaces" {
  count = length(var.vpc_subnet_ids) == 0 ? 0 : 1

  name   = "use-vpc"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.network_interfaces[0].json
}

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
data "aws_iam_policy_document" "network_interfaces" {
  #checkov:skip=CKV_AWS_111:Lambda makes the interfaces itself, so no ARN is known; the function's own code is denied all of it
  count = length(var.vpc_subnet_ids) == 0 ? 0 : 1

  # What AWSLambdaVPCAccessExecutionRole allows, less its rights on logs.
  statement {
    sid       = "LetLambdaConnectTheFunctionToTheVpc"
    actions   = local.network_interface_actions
    resources = ["*"]
  }

  # Lambda uses the role for its own calls and for the function's. The key is set in those of the function alone.
  statement {
    sid       = "DenyTheFunctionItselfTheSameCalls"
    effect    = "Deny"
    actions   = local.network_interface_actions
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = ["arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${var.name}"]
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
    resources = [aws_sqs_queue.photos.arn, aws_sqs_queue.waiting.arn, aws_sqs_queue.dead_letters.arn]
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
