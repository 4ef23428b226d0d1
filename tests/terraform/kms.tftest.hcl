# A customer managed key encrypts all data at rest, and the function may only decrypt and encrypt with it.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
  kms_key_arn    = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
}

run "all_resources_use_the_key" {
  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.photos[0].rule : (
        rule.bucket_key_enabled
        && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
        && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
      )
    ])
    error_message = "The bucket must use the key, with an S3 Bucket Key to reduce KMS calls."
  }

  assert {
    condition = alltrue([
      for queue in [aws_sqs_queue.photos, aws_sqs_queue.waiting, aws_sqs_queue.dead_letters] :
      queue.kms_master_key_id == var.kms_key_arn && queue.kms_data_key_reuse_period_seconds == 300
    ])
    error_message = "All queues must use the key, the dead-letter queue included."
  }

  assert {
    condition = alltrue([
      for table in [aws_dynamodb_table.images, aws_dynamodb_table.labels] :
      table.server_side_encryption[0].enabled && table.server_side_encryption[0].kms_key_arn == var.kms_key_arn
    ])
    error_message = "The tables must use the key."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.kms_key_id == var.kms_key_arn
    error_message = "The log group must use the key."
  }
}

run "function_may_use_the_key" {
  assert {
    condition = [
      for s in data.aws_iam_policy_document.function.statement : { sid = s.sid, actions = sort(s.actions), resources = sort(s.resources) }
      if anytrue([for action in s.actions : startswith(action, "kms:")])
      ] == [{
        sid       = "UseTheGivenKey"
        actions   = tolist(["kms:Decrypt", "kms:GenerateDataKey"])
        resources = tolist(["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"])
    }]
    error_message = "The function must be allowed to decrypt and to encrypt messages with this key, and nothing else with any key."
  }
}

run "operators_and_uploaders_may_use_the_key" {
  assert {
    condition = [
      for s in data.aws_iam_policy_document.operator.statement : { sid = s.sid, actions = sort(s.actions), resources = sort(s.resources) }
      if anytrue([for action in s.actions : startswith(action, "kms:")])
      ] == [{
        sid       = "UseTheGivenKeyForMessages"
        actions   = tolist(["kms:Decrypt", "kms:GenerateDataKey"])
        resources = tolist(["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"])
    }]
    error_message = "Operators must be allowed to decrypt and to encrypt messages with this key, and nothing else with any key."
  }

  assert {
    condition = {
      for s in data.aws_iam_policy_document.uploader.statement : s.sid => { actions = s.actions, resources = s.resources }
      if s.sid != "UploadPhotosUnderPrefix"
      } == {
      EncryptPhotosWithTheGivenKey = {
        actions   = toset(["kms:GenerateDataKey"])
        resources = toset(["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"])
      }
    }
    error_message = "Uploaders must be allowed to encrypt photos with this key, and nothing else with any key."
  }
}

run "key_policy" {
  assert {
    condition = {
      for s in data.aws_iam_policy_document.key.statement : s.sid => {
        actions    = sort(s.actions)
        principals = [for p in s.principals : { type = p.type, identifiers = sort(p.identifiers) }]
        conditions = { for c in s.condition : c.variable => { test = c.test, values = c.values } }
      }
      } == {
      LetIamPoliciesOfTheAccountDecide = {
        actions    = tolist(["kms:*"])
        principals = [{ type = "AWS", identifiers = tolist(["arn:aws:iam::111122223333:root"]) }]
        conditions = {}
      }
      # As in S3's guide, without a condition: if S3 does not meet a condition, it refuses the notification.
      LetS3EncryptEvents = {
        actions    = tolist(["kms:Decrypt", "kms:GenerateDataKey"])
        principals = [{ type = "Service", identifiers = tolist(["s3.amazonaws.com"]) }]
        conditions = {}
      }
      LetCloudWatchEncryptThisLog = {
        actions    = tolist(["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"])
        principals = [{ type = "Service", identifiers = tolist(["logs.eu-west-1.amazonaws.com"]) }]
        conditions = {
          "kms:EncryptionContext:aws:logs:arn" = {
            test   = "ArnEquals"
            values = tolist(["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/image-labels"])
          }
        }
      }
    }
    error_message = "The key policy must allow only the account's IAM policies, S3 and this log group."
  }

  assert {
    condition     = output.kms_key_policy_json == data.aws_iam_policy_document.key.json
    error_message = "The output must be this policy."
  }
}

run "key_policy_with_eventbridge" {
  variables {
    trigger = "eventbridge"
  }

  assert {
    condition = {
      for s in data.aws_iam_policy_document.key.statement : s.sid => concat(flatten(s.principals[*].identifiers[*]), s.condition[*].variable)
      } == {
      LetIamPoliciesOfTheAccountDecide = ["arn:aws:iam::111122223333:root"]
      LetEventBridgeEncryptEvents      = ["events.amazonaws.com"]
      LetCloudWatchEncryptThisLog      = ["logs.eu-west-1.amazonaws.com", "kms:EncryptionContext:aws:logs:arn"]
    }
    error_message = "The key policy must allow EventBridge instead of S3."
  }
}

run "key_in_another_region" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  expect_failures = [aws_cloudwatch_log_group.function]
}
