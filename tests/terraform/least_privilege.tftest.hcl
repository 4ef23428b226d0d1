# The exact statements of every policy: an added, missing or widened permission fails here.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

override_resource {
  target = aws_sqs_queue.dead_letters
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters" }
}

override_resource {
  target = aws_sqs_queue.photos
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-photos" }
}

override_resource {
  target = aws_sqs_queue.waiting
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:image-labels-waiting" }
}

override_resource {
  target = aws_dynamodb_table.labels
  values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-labels" }
}

run "function" {
  assert {
    condition = {
      for s in data.aws_iam_policy_document.function.statement : s.sid => { actions = sort(s.actions), resources = sort(s.resources) }
      } == {
      ReadPhotosUnderPrefix = {
        actions   = tolist(["s3:GetObject", "s3:GetObjectVersion"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/images/*"])
      }
      TellMissingPhotosFromForbiddenOnes = {
        actions   = tolist(["s3:ListBucket"])
        resources = tolist(["arn:aws:s3:::photos-of-ours"])
      }
      DetectLabelsInPhotos = {
        actions   = tolist(["rekognition:DetectLabels"])
        resources = tolist(["*"])
      }
      KeepOneItemPerPhoto = {
        actions   = tolist(["dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"])
        resources = tolist(["arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-images"])
      }
      KeepOneRowPerLabelOfPhoto = {
        actions   = tolist(["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"])
        resources = tolist(["arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-labels"])
      }
      TakeEventsFromQueue = {
        actions   = tolist(["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])
        resources = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-photos"])
      }
      SayWhyInDeadLetterQueue = {
        actions   = tolist(["sqs:SendMessage"])
        resources = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters"])
      }
      LetPhotosOverTheDailyLimitWait = {
        actions   = tolist(["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"])
        resources = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-waiting"])
      }
      TakeThemBackWhenTheDayIsOver = {
        actions   = tolist(["sqs:SendMessage"])
        resources = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-photos"])
      }
      WriteOwnLogStreams = {
        actions   = tolist(["logs:CreateLogStream", "logs:PutLogEvents"])
        resources = tolist(["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/image-labels:*"])
      }
    }
    error_message = "The function's policy must have exactly these statements."
  }

  assert {
    condition = [
      for s in data.aws_iam_policy_document.function.statement : s.sid if contains(s.resources, "*")
    ] == ["DetectLabelsInPhotos"]
    error_message = "Only DetectLabels, which supports no resource-level permissions, may have resource \"*\"."
  }

  assert {
    condition     = alltrue([for s in data.aws_iam_policy_document.function.statement : alltrue([for action in s.actions : !strcontains(action, "*")])])
    error_message = "No action may contain a wildcard."
  }

  assert {
    condition = alltrue([
      for s in data.aws_iam_policy_document.function.statement :
      s.effect != "Deny" && length(s.condition) == 0 && length(coalesce(s.not_actions, [])) == 0 && length(coalesce(s.not_resources, [])) == 0
    ])
    error_message = "No statement may have a condition or a Not element: with a condition on s3:prefix, HeadObject would return 403."
  }
}

run "role" {
  assert {
    condition = [
      for s in data.aws_iam_policy_document.assume_role.statement : {
        actions    = sort(s.actions)
        principals = [for p in s.principals : { type = p.type, identifiers = sort(p.identifiers) }]
      }
      ] == [{
        actions    = tolist(["sts:AssumeRole"])
        principals = [{ type = "Service", identifiers = tolist(["lambda.amazonaws.com"]) }]
    }]
    error_message = "Only Lambda may assume the role."
  }

  assert {
    condition     = aws_iam_role.function.assume_role_policy == data.aws_iam_policy_document.assume_role.json
    error_message = "The role must have this trust policy."
  }
}

# cli/image_labels_cli/permissions.py lists the calls of the commands; tests/e2e/test_find.py compares it with this policy
# and the next one.
run "reader_and_uploader" {
  assert {
    condition = {
      for s in data.aws_iam_policy_document.reader.statement : s.sid => { actions = sort(s.actions), resources = sort(s.resources) }
      } == {
      FindPhotosByLabel = {
        actions   = tolist(["dynamodb:BatchGetItem", "dynamodb:Query"])
        resources = tolist(["arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-labels"])
      }
      ReadPhotosLabels = {
        actions   = tolist(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Scan"])
        resources = tolist(["arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-images"])
      }
      SeePhotos = {
        actions   = tolist(["s3:GetObject"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/images/*"])
      }
      SeeWhatWaits = {
        actions = tolist(["sqs:GetQueueAttributes"])
        resources = tolist([
          "arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters",
          "arn:aws:sqs:eu-west-1:111122223333:image-labels-photos",
          "arn:aws:sqs:eu-west-1:111122223333:image-labels-waiting",
        ])
      }
      ReadDeadLetters = {
        actions   = tolist(["sqs:ReceiveMessage"])
        resources = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters"])
      }
    }
    error_message = "The reader policy must have exactly these statements."
  }

  assert {
    condition     = output.reader_policy_json == data.aws_iam_policy_document.reader.json
    error_message = "The output must be this policy."
  }

  assert {
    condition = {
      for s in data.aws_iam_policy_document.uploader.statement : s.sid => { actions = s.actions, resources = s.resources }
      } == {
      UploadPhotosUnderPrefix = {
        actions   = toset(["s3:PutObject"])
        resources = toset(["arn:aws:s3:::photos-of-ours/images/*"])
      }
    }
    error_message = "The uploader policy must have exactly this statement."
  }

  assert {
    condition     = output.uploader_policy_json == data.aws_iam_policy_document.uploader.json
    error_message = "The output must be this policy."
  }
}

# tests/e2e/test_find.py compares it with cli/image_labels_cli/permissions.py, too.
run "operator" {
  assert {
    condition = {
      for s in data.aws_iam_policy_document.operator.statement : s.sid => {
        actions    = sort(s.actions)
        resources  = sort(s.resources)
        conditions = { for c in s.condition : c.variable => { test = c.test, values = c.values } }
      }
      } == {
      ListPhotosUnderPrefix = {
        actions    = tolist(["s3:ListBucket"])
        resources  = tolist(["arn:aws:s3:::photos-of-ours"])
        conditions = { "s3:prefix" = { test = "StringLike", values = tolist(["images/*"]) } }
      }
      CompareItemsWithPhotos = {
        actions    = tolist(["dynamodb:BatchGetItem", "dynamodb:Scan"])
        resources  = tolist(["arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-images"])
        conditions = {}
      }
      FindPhotosToLabelAgain = {
        actions    = tolist(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"])
        resources  = tolist(["arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-labels"])
        conditions = {}
      }
      SeeWhatWaits = {
        actions = tolist(["sqs:GetQueueAttributes"])
        resources = tolist([
          "arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters",
          "arn:aws:sqs:eu-west-1:111122223333:image-labels-photos",
          "arn:aws:sqs:eu-west-1:111122223333:image-labels-waiting",
        ])
        conditions = {}
      }
      TakeDeadLetters = {
        actions    = tolist(["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"])
        resources  = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-dead-letters"])
        conditions = {}
      }
      SendPhotosToTheFunction = {
        actions    = tolist(["sqs:SendMessage"])
        resources  = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-photos"])
        conditions = {}
      }
    }
    error_message = "The operator policy must have exactly these statements."
  }

  assert {
    condition     = output.operator_policy_json == data.aws_iam_policy_document.operator.json
    error_message = "The output must be this policy."
  }
}

# A request without a prefix has no s3:prefix, so the condition would refuse it.
run "operator_without_prefix" {
  variables {
    filter_prefix = ""
  }

  assert {
    condition     = alltrue([for s in data.aws_iam_policy_document.operator.statement : length(s.condition) == 0])
    error_message = "With filter_prefix = \"\", the operator policy must have no condition on the prefix."
  }
}

run "queues" {
  assert {
    condition = {
      for queue, policy in data.aws_iam_policy_document.queue : queue => [
        for s in policy.statement : {
          sid        = s.sid
          effect     = coalesce(s.effect, "Allow")
          actions    = sort(s.actions)
          resources  = sort(s.resources)
          principals = [for p in s.principals : { type = p.type, identifiers = sort(p.identifiers) }]
          conditions = { for c in s.condition : c.variable => { test = c.test, values = c.values } }
        } if s.sid != "DenyRequestsWithoutTls"
      ]
      } == {
      photos = [{
        sid        = "LetThisBucketSendItsEvents"
        effect     = "Allow"
        actions    = tolist(["sqs:SendMessage"])
        resources  = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-photos"])
        principals = [{ type = "Service", identifiers = tolist(["s3.amazonaws.com"]) }]
        conditions = {
          "aws:SourceArn"     = { test = "ArnEquals", values = tolist(["arn:aws:s3:::photos-of-ours"]) }
          "aws:SourceAccount" = { test = "StringEquals", values = tolist(["111122223333"]) }
        }
      }]
      dead_letters = []
      waiting      = []
    }
    error_message = "Only S3 may send events, and only for this bucket and account."
  }

  # Without the argument the provider keeps a queue's policy: after trigger = "eventbridge", the rules' policy would stay.
  assert {
    condition = (
      aws_sqs_queue.photos.policy == data.aws_iam_policy_document.queue["photos"].json
      && aws_sqs_queue.dead_letters.policy == data.aws_iam_policy_document.queue["dead_letters"].json
      && aws_sqs_queue.waiting.policy == data.aws_iam_policy_document.queue["waiting"].json
    )
    error_message = "Every queue must be created with its policy: S3 sends a test message when the notification is created."
  }

  assert {
    condition = {
      for queue, policy in data.aws_iam_policy_document.queue : queue => [
        for s in policy.statement : {
          effect     = s.effect
          actions    = sort(s.actions)
          resources  = sort(s.resources)
          principals = [for p in s.principals : { type = p.type, identifiers = sort(p.identifiers) }]
          conditions = { for c in s.condition : c.variable => { test = c.test, values = c.values } }
        } if s.sid == "DenyRequestsWithoutTls"
      ]
      } == {
      for queue, name in { photos = "photos", dead_letters = "dead-letters", waiting = "waiting" } : queue => [{
        effect     = "Deny"
        actions    = tolist(["sqs:*"])
        resources  = tolist(["arn:aws:sqs:eu-west-1:111122223333:image-labels-${name}"])
        principals = [{ type = "*", identifiers = tolist(["*"]) }]
        conditions = { "aws:SecureTransport" = { test = "Bool", values = tolist(["false"]) } }
      }]
    }
    error_message = "Every queue must deny all requests without TLS."
  }
}

run "queues_with_eventbridge" {
  variables {
    trigger = "eventbridge"
  }

  override_resource {
    target = aws_cloudwatch_event_rule.photos[1]
    values = {
      arn = "arn:aws:events:eu-west-1:111122223333:rule/mocked-rule-2"
    }
  }

  assert {
    condition = {
      for queue, policy in data.aws_iam_policy_document.queue : queue => [
        for s in policy.statement : {
          sid        = s.sid
          actions    = sort(s.actions)
          resources  = sort(s.resources)
          principals = [for p in s.principals : { type = p.type, identifiers = sort(p.identifiers) }]
          conditions = { for c in s.condition : c.variable => { test = c.test, values = sort(c.values) } }
        } if s.sid != "DenyRequestsWithoutTls"
      ]
      } == {
      for queue, sid in { photos = "LetTheseRulesSendTheirEvents", dead_letters = "LetTheseRulesLeaveWhatTheyCouldNotSend", waiting = "" } :
      queue => [
        for name in { photos = ["image-labels-photos"], dead_letters = ["image-labels-dead-letters"], waiting = [] }[queue] : {
          sid                = sid
          actions            = tolist(["sqs:SendMessage"])
          resources          = tolist(["arn:aws:sqs:eu-west-1:111122223333:${name}"])
          principals         = [{ type = "Service", identifiers = tolist(["events.amazonaws.com"]) }]
          conditions = {
            "aws:SourceArn" = {
              test = "ArnEquals"
              values = tolist([
                "arn:aws:events:eu-west-1:111122223333:rule/mocked-rule", "arn:aws:events:eu-west-1:111122223333:rule/mocked-rule-2",
              ])
            }
          }
        }
      ]
    }
    error_message = "Only EventBridge may send events, and only for the module's rules."
  }
}

run "schedule" {
  assert {
    condition = (
      aws_lambda_permission.waiting.principal == "events.amazonaws.com"
      && aws_lambda_permission.waiting.action == "lambda:InvokeFunction"
      && aws_lambda_permission.waiting.function_name == aws_lambda_function.this.function_name
      && aws_lambda_permission.waiting.source_arn == aws_cloudwatch_event_rule.waiting.arn
      && aws_lambda_permission.waiting.source_account == null
    )
    error_message = "Only this schedule may invoke the function, by its ARN and without source_account, with which EventBridge cannot invoke it."
  }
}

run "bucket" {
  assert {
    condition = [
      for s in data.aws_iam_policy_document.bucket[0].statement : {
        effect     = s.effect
        actions    = sort(s.actions)
        resources  = sort(s.resources)
        principals = [for p in s.principals : { type = p.type, identifiers = sort(p.identifiers) }]
        conditions = { for c in s.condition : c.variable => { test = c.test, values = c.values } }
      }
      ] == [{
        effect     = "Deny"
        actions    = tolist(["s3:*"])
        resources  = tolist(["arn:aws:s3:::photos-of-ours", "arn:aws:s3:::photos-of-ours/*"])
        principals = [{ type = "*", identifiers = tolist(["*"]) }]
        conditions = { "aws:SecureTransport" = { test = "Bool", values = tolist(["false"]) } }
    }]
    error_message = "The bucket policy must deny all requests without TLS and allow nothing."
  }
}
