# S3 Batch Operations: exactly these resources appear with enable_batch_operations, and the two functions share the quota.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package          = { filename = "versions.tf" }
  enable_batch_operations = true
}

override_resource {
  target = aws_lambda_function.batch
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:image-labels-batch" }
}

override_resource {
  target = aws_iam_role.batch_operations
  values = {
    arn = "arn:aws:iam::111122223333:role/image-labels-batch-20260101"
    id  = "image-labels-batch-20260101"
  }
}

run "off_by_default" {
  variables {
    enable_batch_operations = false
  }

  assert {
    condition = (
      length(aws_lambda_function.batch) + length(aws_iam_role.batch_operations) + length(aws_iam_role_policy.batch_operations) == 0
      && output.batch_function_arn == null && output.batch_operations_role_arn == null && output.batch_operations_prefix == null
      && length([for name in keys(output.cli_environment) : name if strcontains(name, "BATCH")]) == 0
      && !contains(keys(aws_cloudwatch_metric_alarm.this), "batch-function-errors")
      && length([for s in data.aws_iam_policy_document.operator.statement : s if strcontains(s.sid, "Batch") || strcontains(s.sid, "Role")]) == 0
    )
    error_message = "Without enable_batch_operations there must be no second function, no role, no alarm and no permission for jobs."
  }
}

run "function" {
  variables {
    kms_key_arn                  = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    vpc_subnet_ids               = ["subnet-0123456789abcdef0"]
    vpc_security_group_ids       = ["sg-0123456789abcdef0"]
    lambda_environment_variables = { AWS_USE_FIPS_ENDPOINT = "false" }
    daily_image_limit            = 1000
  }

  assert {
    condition = (
      aws_lambda_function.batch[0].function_name == "image-labels-batch"
      && aws_lambda_function.batch[0].role == aws_lambda_function.this.role
      && aws_lambda_function.batch[0].handler == aws_lambda_function.this.handler
      && aws_lambda_function.batch[0].runtime == aws_lambda_function.this.runtime
      && aws_lambda_function.batch[0].architectures == aws_lambda_function.this.architectures
      && aws_lambda_function.batch[0].memory_size == aws_lambda_function.this.memory_size
      && aws_lambda_function.batch[0].timeout == aws_lambda_function.this.timeout
      && aws_lambda_function.batch[0].filename == aws_lambda_function.this.filename
      && aws_lambda_function.batch[0].source_code_hash == aws_lambda_function.this.source_code_hash
      && aws_lambda_function.batch[0].vpc_config[0].subnet_ids == aws_lambda_function.this.vpc_config[0].subnet_ids
      && aws_lambda_function.batch[0].vpc_config[0].security_group_ids == aws_lambda_function.this.vpc_config[0].security_group_ids
      && aws_lambda_function.batch[0].logging_config == aws_lambda_function.this.logging_config
      && aws_lambda_function.this.reserved_concurrent_executions == null
    )
    error_message = "The function must be the first one under another name: its role, package, VPC and log group. Only the second reserves concurrency."
  }

  assert {
    condition = {
      for metric in flatten([
        for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : [
          for metric in try(widget.properties.metrics, []) : { name = metric[1], function = metric[3] } if try(metric[2], "") == "FunctionName"
        ]
      ]) : metric.name => metric.function...
      } == {
      for name in ["Duration", "Errors", "Throttles"] : name => ["image-labels", "image-labels-batch"]
    }
    error_message = "The dashboard's cost, errors and throttles of Lambda must be those of both functions."
  }

  assert {
    condition = {
      for name, value in aws_lambda_function.batch[0].environment[0].variables :
      name => value if aws_lambda_function.this.environment[0].variables[name] != value
      } == {
      CONCURRENCY              = "1"
      DETECT_LABELS_PER_SECOND = "0.6666"
    }
    error_message = "Only concurrency and pace may differ between the functions' variables."
  }

  assert {
    condition = (
      keys(aws_lambda_function.batch[0].environment[0].variables) == keys(aws_lambda_function.this.environment[0].variables)
      && aws_lambda_function.batch[0].environment[0].variables.DAILY_IMAGE_LIMIT == "1000"
    )
    error_message = "Both functions must have the same variables, the daily limit included."
  }

  assert {
    condition = one([
      for s in data.aws_iam_policy_document.network_interfaces[0].statement : one(s.condition).values if s.effect == "Deny"
      ]) == tolist([
      "arn:aws:lambda:eu-west-1:111122223333:function:image-labels", "arn:aws:lambda:eu-west-1:111122223333:function:image-labels-batch",
    ])
    error_message = "The code of both functions must be denied the network interfaces."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["batch-function-errors"].dimensions == tomap({ FunctionName = "image-labels-batch" })
      && aws_cloudwatch_metric_alarm.this["batch-function-errors"].metric_name == "Errors"
    )
    error_message = "The function must have an alarm on errors."
  }
}

run "role" {
  assert {
    condition = (
      aws_iam_role.batch_operations[0].assume_role_policy == data.aws_iam_policy_document.batch_operations_assume_role.json
      && aws_iam_role_policy.batch_operations[0].role == "image-labels-batch-20260101"
      && aws_iam_role_policy.batch_operations[0].policy == data.aws_iam_policy_document.batch_operations[0].json
    )
    error_message = "The role must have its trust policy and its permissions."
  }

  assert {
    condition = [
      for s in data.aws_iam_policy_document.batch_operations_assume_role.statement : {
        actions    = sort(s.actions)
        principals = [for p in s.principals : { type = p.type, identifiers = sort(p.identifiers) }]
      }
      ] == [{
        actions    = tolist(["sts:AssumeRole"])
        principals = [{ type = "Service", identifiers = tolist(["batchoperations.s3.amazonaws.com"]) }]
    }]
    error_message = "Only S3 Batch Operations may assume the role."
  }

  assert {
    condition = {
      for s in data.aws_iam_policy_document.batch_operations[0].statement : s.sid => { actions = sort(s.actions), resources = sort(s.resources) }
      } == {
      InvokeTheFunction = {
        actions   = tolist(["lambda:InvokeFunction"])
        resources = tolist(["arn:aws:lambda:eu-west-1:111122223333:function:image-labels-batch"])
      }
      ListPhotosInManifest = {
        actions   = tolist(["s3:PutInventoryConfiguration"])
        resources = tolist(["arn:aws:s3:::photos-of-ours"])
      }
      ReadManifests = {
        actions   = tolist(["s3:GetObject", "s3:GetObjectVersion"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/image-labels-batch/*"])
      }
      WriteManifestsAndReports = {
        actions   = tolist(["s3:PutObject"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/image-labels-batch/*"])
      }
    }
    error_message = "Jobs may invoke the one function, list the bucket, and write manifests and reports under one prefix."
  }
}

run "role_of_an_account_with_rules" {
  variables {
    name                      = "a-name-of-thirty-six-characters-long"
    role_path                 = "/application/"
    role_permissions_boundary = "arn:aws:iam::111122223333:policy/boundary"
  }

  assert {
    condition = (
      aws_iam_role.batch_operations[0].path == "/application/"
      && aws_iam_role.batch_operations[0].permissions_boundary == "arn:aws:iam::111122223333:policy/boundary"
      && length(aws_iam_role.batch_operations[0].name_prefix) == 38
    )
    error_message = "The role must have the path and the permissions boundary of the function's role, and a prefix that IAM accepts."
  }
}

run "operator" {
  assert {
    condition = {
      for s in data.aws_iam_policy_document.operator.statement : s.sid => {
        actions    = sort(s.actions)
        resources  = sort(s.resources)
        conditions = { for c in s.condition : c.variable => { test = c.test, values = c.values } }
      } if contains(["CreateBatchJobs", "LetThemRunAsTheirRole", "FollowConfirmAndCancelBatchJobs"], s.sid)
      } == {
      CreateBatchJobs = {
        actions    = tolist(["s3:CreateJob"])
        resources  = tolist(["*"])
        conditions = {}
      }
      LetThemRunAsTheirRole = {
        actions    = tolist(["iam:PassRole"])
        resources  = tolist(["arn:aws:iam::111122223333:role/image-labels-batch-20260101"])
        conditions = { "iam:PassedToService" = { test = "StringEquals", values = tolist(["batchoperations.s3.amazonaws.com"]) } }
      }
      FollowConfirmAndCancelBatchJobs = {
        actions    = tolist(["s3:DescribeJob", "s3:UpdateJobStatus"])
        resources  = tolist(["arn:aws:s3:eu-west-1:111122223333:job/*"])
        conditions = {}
      }
    }
    error_message = "Operators may create jobs, but only with this role, and follow, confirm and cancel them."
  }

  assert {
    condition = { for name, value in output.cli_environment : name => value if strcontains(name, "BATCH") } == {
      IMAGE_LABELS_BATCH_FUNCTION_ARN = "arn:aws:lambda:eu-west-1:111122223333:function:image-labels-batch"
      IMAGE_LABELS_BATCH_ROLE_ARN     = "arn:aws:iam::111122223333:role/image-labels-batch-20260101"
      IMAGE_LABELS_BATCH_TPS          = "40"
    }
    error_message = "The command must know the function, the role and its calls per second."
  }

  assert {
    condition = (
      output.batch_function_arn == output.cli_environment.IMAGE_LABELS_BATCH_FUNCTION_ARN
      && output.batch_operations_role_arn == output.cli_environment.IMAGE_LABELS_BATCH_ROLE_ARN
      && output.batch_operations_prefix == "image-labels-batch/"
      && output.cli_environment.IMAGE_LABELS_REKOGNITION_TPS == "10"
    )
    error_message = "The outputs must name the function, the role, where reports are, and the queue's part of the quota."
  }
}

run "shares_of_1_call_per_second" {
  variables {
    rekognition_tps = 1
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "0.1000"
      && aws_lambda_function.batch[0].reserved_concurrent_executions == 2
      && aws_lambda_function.batch[0].environment[0].variables.DETECT_LABELS_PER_SECOND == "0.4000"
    )
    error_message = "At 1 call per second, the queue must have 2 × 0.1 and the jobs 2 × 0.4."
  }
}

run "shares_of_5_calls_per_second" {
  variables {
    rekognition_tps = 5
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "0.5000"
      && aws_lambda_function.batch[0].reserved_concurrent_executions == 6
      && aws_lambda_function.batch[0].environment[0].variables.DETECT_LABELS_PER_SECOND == "0.6666"
    )
    error_message = "At 5 calls per second, the queue must have 2 × 0.5 and the jobs 6 × 0.67."
  }
}

run "shares_of_50_calls_per_second" {
  variables {
    rekognition_tps = 50
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 2
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "5.0000"
      && aws_lambda_function.this.environment[0].variables.MAX_QUEUE_BACKLOG == "6000"
      && aws_lambda_function.batch[0].reserved_concurrent_executions == 60
      && aws_lambda_function.batch[0].environment[0].variables.DETECT_LABELS_PER_SECOND == "0.6666"
    )
    error_message = "At 50 calls per second, the queue must have 2 × 5 and the jobs 60 × 0.67."
  }
}

run "shares_of_500_calls_per_second" {
  variables {
    rekognition_tps = 500
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.photos.scaling_config[0].maximum_concurrency == 15
      && aws_lambda_function.this.environment[0].variables.DETECT_LABELS_PER_SECOND == "6.6667"
      && aws_lambda_function.batch[0].reserved_concurrent_executions == 600
      && aws_lambda_function.batch[0].environment[0].variables.DETECT_LABELS_PER_SECOND == "0.6666"
    )
    error_message = "At 500 calls per second, the queue must have 15 × 6.67 and the jobs 600 × 0.67."
  }
}

# The queue's invocations of 0.1 calls per second need 30 s for a photo.
run "timeout_that_is_too_short" {
  command = plan

  variables {
    rekognition_tps = 1
    lambda_timeout  = 29
  }

  expect_failures = [aws_lambda_function.batch]
}

run "shortest_timeout" {
  command = plan

  variables {
    rekognition_tps = 1
    lambda_timeout  = 30
  }

  assert {
    condition     = aws_lambda_function.batch[0].timeout == 30
    error_message = "A timeout of 30 s must be accepted at 1 call per second."
  }
}

run "every_photo_of_the_bucket" {
  command = plan

  variables {
    filter_prefix = ""
  }

  assert {
    condition     = length(aws_lambda_function.batch) == 1
    error_message = "Without a prefix, suffixes of photos must be accepted: they do not match manifests and reports."
  }
}

run "every_key_of_another_prefix" {
  command = plan

  variables {
    filter_suffixes = [""]
  }

  assert {
    condition     = length(aws_lambda_function.batch) == 1
    error_message = "Every key under images/ must be accepted: manifests and reports are not there."
  }
}
