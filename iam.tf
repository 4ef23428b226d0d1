# Identity-based policies: those of the function's role, and the policies for readers, uploaders and operators. Each sid
# states the purpose of its statement. The function itself is allowed resource "*" only for Rekognition's APIs, which
# support nothing else.
# resource_policies.tf has the resource-based policies.

################################################################################
# The function's role
################################################################################

resource "aws_iam_role" "function" {
  # A prefix, because role names are unique across Regions: the module in a second Region must not collide.
  name_prefix          = "${var.name}-"
  path                 = var.role_path
  description          = "Execution role of the function ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.role_permissions_boundary

  tags = var.tags

  lifecycle {
    precondition {
      condition = var.role_permissions_boundary == null ? true : (
        split(":", var.role_permissions_boundary)[1] == local.partition
        && contains(["aws", local.account_id], split(":", var.role_permissions_boundary)[4])
      )
      error_message = "role_permissions_boundary must be a policy of the provider's account, arn:${local.partition}:iam::${local.account_id}:policy/<name>, or an AWS managed policy: IAM accepts no other permissions boundary. Given: ${coalesce(var.role_permissions_boundary, "-")}."
    }
  }
}

resource "aws_iam_role_policy" "function" {
  name   = "label-photos"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

data "aws_iam_policy_document" "assume_role" {
  # No aws:SourceAccount, unlike in the resource-based policies: Lambda's guide does not document that Lambda sets it when it
  # assumes a role. A function of another account cannot use this role anyway, because iam:PassRole works only within an
  # account.
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
  # Rekognition reads the photo with the caller's permissions, so these serve its APIs as well.
  statement {
    sid       = "ReadPhotosUnderPrefix"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.bucket_arn}/${var.filter_prefix}*"]
  }

  # Without it S3 answers HeadObject for a missing key with 403 instead of 404, so a deleted photo looks like a missing
  # permission. No s3:prefix condition: HeadObject has no prefix, and the condition would fail.
  statement {
    sid       = "TellMissingPhotosFromForbiddenOnes"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]
  }

  # DetectLabels has no resource type: IAM accepts only "*".
  statement {
    sid       = "DetectLabelsInPhotos"
    actions   = ["rekognition:DetectLabels"]
    resources = ["*"]
  }

  # DetectText has no resource type either.
  dynamic "statement" {
    for_each = var.text == null ? [] : ["rekognition:DetectText"]

    content {
      sid       = "DetectTextInPhotos"
      actions   = [statement.value]
      resources = ["*"]
    }
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

  # BatchWriteItem writes the vocabulary, GetItem and UpdateItem maintain the daily count, Query reads what is to be added
  # to the counts of photos by label, and the others change rows together with a photo's item.
  statement {
    sid = "KeepOneRowPerLabelOfPhoto"
    actions = [
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:DeleteItem",
      "dynamodb:BatchWriteItem",
    ]
    resources = [aws_dynamodb_table.labels.arn]
  }

  # An ARN built from the name, so that Terraform can create the function before the queue exists.
  statement {
    sid       = "TakeEventsFromQueue"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
    resources = [local.queue_arn]
  }

  # After the last attempt the function sends the message itself, because SQS records no reason.
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

  # Decrypt for photos, messages and items, GenerateDataKey for the messages that the function sends and for its copies
  # in the quarantine (unwanted.tf). It needs no more: DynamoDB encrypts items with a table key from the table's creation,
  # and CloudWatch Logs calls KMS itself.
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
# The function's network interfaces in a VPC (vpc_subnet_ids)
################################################################################

locals {
  # The functions that run as the role.
  function_names = concat([var.name], var.enable_batch_operations ? [local.batch_function_name] : [])

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
  #checkov:skip=CKV_AWS_111:Lambda creates the interfaces, so no ARN is known; the function's own code is denied these actions
  count = length(var.vpc_subnet_ids) == 0 ? 0 : 1

  # The permissions of AWSLambdaVPCAccessExecutionRole, except those for logs.
  statement {
    sid       = "LetLambdaConnectTheFunctionToTheVpc"
    actions   = local.network_interface_actions
    resources = ["*"]
  }

  # Lambda uses the role for its own calls and for the function's. Only the function's calls carry this condition key.
  statement {
    sid       = "DenyTheFunctionItselfTheSameCalls"
    effect    = "Deny"
    actions   = local.network_interface_actions
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = [for name in local.function_names : "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${name}"]
    }
  }
}

################################################################################
# Readers: users of the command image-labels (output reader_policy_json)
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

  # For the presigned URLs of photos in `image-labels browse`.
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

  # SearchFaces for a photo of the bucket, SearchFacesByImage for a file.
  dynamic "statement" {
    for_each = aws_rekognition_collection.faces

    content {
      sid       = "FindPhotosOfThePerson"
      actions   = ["rekognition:SearchFaces", "rekognition:SearchFacesByImage"]
      resources = [statement.value.arn]
    }
  }

  # Reading a dead letter requires receiving it. Without sqs:DeleteMessage it stays in the queue.
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
# Uploaders: users of image-labels browse --upload, in addition to the readers' policy (output uploader_policy_json)
################################################################################

data "aws_iam_policy_document" "uploader" {
  # Only photos that the function labels. A PutObject with If-None-Match, which replaces nothing, needs no other permission:
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
  statement {
    sid       = "UploadPhotosUnderPrefix"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/${var.filter_prefix}*"]
  }

  # S3 encrypts each photo with a data key that it requests on behalf of the user.
  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "EncryptPhotosWithTheGivenKey"
      actions   = ["kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

################################################################################
# Operators: users of image-labels audit, backfill, relabel and redrive (output operator_policy_json)
################################################################################

data "aws_iam_policy_document" "operator" {
  statement {
    sid       = "ListPhotosUnderPrefix"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]

    # Without a prefix, every key is the module's.
    dynamic "condition" {
      for_each = var.filter_prefix == "" ? [] : [var.filter_prefix]

      content {
        test     = "StringLike"
        variable = "s3:prefix"
        values   = ["${condition.value}*"]
      }
    }
  }

  statement {
    sid       = "CompareItemsWithPhotos"
    actions   = ["dynamodb:Scan", "dynamodb:BatchGetItem"]
    resources = [aws_dynamodb_table.images.arn]
  }

  # GetItem reads the label policy.
  statement {
    sid       = "FindPhotosToLabelAgain"
    actions   = ["dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:GetItem"]
    resources = [aws_dynamodb_table.labels.arn]
  }

  statement {
    sid       = "SeeWhatWaits"
    actions   = ["sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.photos.arn, aws_sqs_queue.waiting.arn, aws_sqs_queue.dead_letters.arn]
  }

  # ChangeMessageVisibility makes the messages visible again that were only read.
  statement {
    sid       = "TakeDeadLetters"
    actions   = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  # Dead letters, and photos that were never labelled.
  statement {
    sid       = "SendPhotosToTheFunction"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.photos.arn]
  }

  # Compares the faces of the collection with the photos' items.
  dynamic "statement" {
    for_each = aws_rekognition_collection.faces

    content {
      sid       = "CompareFacesWithItems"
      actions   = ["rekognition:ListFaces"]
      resources = [statement.value.arn]
    }
  }

  # CreateJob has no resource type: IAM accepts only "*". The next statement decides what a job can do.
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
  dynamic "statement" {
    for_each = aws_iam_role.batch_operations

    content {
      sid       = "CreateBatchJobs"
      actions   = ["s3:CreateJob"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = aws_iam_role.batch_operations

    content {
      sid       = "LetThemRunAsTheirRole"
      actions   = ["iam:PassRole"]
      resources = [statement.value.arn]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["batchoperations.s3.amazonaws.com"]
      }
    }
  }

  # The ARN of a job has its id, which S3 chooses.
  dynamic "statement" {
    for_each = aws_iam_role.batch_operations

    content {
      sid       = "FollowConfirmAndCancelBatchJobs"
      actions   = ["s3:DescribeJob", "s3:UpdateJobStatus"]
      resources = ["arn:${local.partition}:s3:${local.region}:${local.account_id}:job/*"]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "UseTheGivenKeyForMessages"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}
