# Unwanted photos: the rules are a row of the labels table, and each action has exactly its own permissions.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

run "none_by_default" {
  assert {
    condition = (
      length(aws_dynamodb_table_item.unwanted) == 0
      && length(aws_iam_role_policy.unwanted) == 0
      && length(aws_iam_role_policy.moderation) == 0
      && !contains(keys(aws_cloudwatch_metric_alarm.this), "unwanted")
      && !contains(keys(aws_cloudwatch_log_metric_filter.photos), "Unwanted")
    )
    error_message = "Without unwanted there must be no row, no permission, no metric and no alarm."
  }

  assert {
    condition = length([
      for name in keys(aws_lambda_function.this.environment[0].variables) : name
      if startswith(name, "UNWANTED_") || startswith(name, "MODERATION_") || name == "REQUESTED_MAX_LABELS"
    ]) == 0
    error_message = "Without unwanted the function must have no variables for it."
  }
}

run "tag" {
  variables {
    min_confidence          = 80
    enable_batch_operations = true
    unwanted                = { labels = ["Weapon"], min_confidence = 60, action = "tag" }
  }

  assert {
    condition = (
      one(values(aws_dynamodb_table_item.unwanted)).table_name == "image-labels-labels"
      && jsondecode(one(values(aws_dynamodb_table_item.unwanted)).item).Term.S == "*unwanted"
      && jsondecode(one(values(aws_dynamodb_table_item.unwanted)).item).Rank.S == aws_lambda_function.this.environment[0].variables["UNWANTED_ID"]
      && aws_lambda_function.batch[0].environment[0].variables["UNWANTED_ID"] == aws_lambda_function.this.environment[0].variables["UNWANTED_ID"]
    )
    error_message = "The row must be in the reserved partition of the labels table, under the id that both functions get."
  }

  assert {
    condition = jsondecode(jsondecode(one(values(aws_dynamodb_table_item.unwanted)).item).Rules.S) == {
      labels            = ["Weapon"]
      categories        = []
      moderation_labels = []
      min_confidence    = 60
      action            = "tag"
      dry_run           = false
      quarantine_bucket = ""
      quarantine_prefix = ""
      tag               = { image-labels = "unwanted" }
    }
    error_message = "The row must have the rules in the form that the function reads."
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables["REQUESTED_MAX_LABELS"] == "1000"
      && aws_lambda_function.this.environment[0].variables["REQUESTED_MIN_CONFIDENCE"] == "60"
    )
    error_message = "The function must request all labels down to unwanted.min_confidence."
  }

  assert {
    condition = {
      for s in data.aws_iam_policy_document.unwanted[0].statement : s.sid => { actions = sort(s.actions), resources = sort(s.resources) }
      } == {
      TagUnwantedPhotos = {
        actions   = tolist(["s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/images/*"])
      }
    }
    error_message = "With action tag, the function may tag photos under the prefix, and neither copy nor delete them."
  }

  assert {
    condition = (
      aws_cloudwatch_log_metric_filter.photos["Unwanted"].pattern == "{ $.acted = 1 }"
      && aws_cloudwatch_metric_alarm.this["unwanted"].alarm_name == "image-labels-unwanted"
      && aws_cloudwatch_metric_alarm.this["unwanted"].namespace == "ImageLabels/image-labels"
      && aws_cloudwatch_metric_alarm.this["unwanted"].threshold == 0
    )
    error_message = "An alarm must fire for each photo that was acted on."
  }
}

run "quarantine_in_the_bucket_of_the_photos" {
  variables {
    bucket_name = "photos-of-ours"
    unwanted    = { labels = ["Weapon"], action = "quarantine" }
  }

  assert {
    condition = {
      for s in data.aws_iam_policy_document.unwanted[0].statement : s.sid => { actions = sort(s.actions), resources = sort(s.resources) }
      } == {
      ReadTagsOfUnwantedPhotos = {
        actions   = tolist(["s3:GetObjectTagging", "s3:GetObjectVersionTagging"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/images/*"])
      }
      CopyUnwantedPhotosToQuarantine = {
        actions   = tolist(["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/quarantine/*"])
      }
      TellMissingCopiesFromForbiddenOnes = {
        actions   = tolist(["s3:ListBucket"])
        resources = tolist(["arn:aws:s3:::photos-of-ours"])
      }
      DeleteUnwantedPhotos = {
        actions   = tolist(["s3:DeleteObject", "s3:DeleteObjectVersion"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/images/*"])
      }
    }
    error_message = "With action quarantine, the function may copy to the quarantine, and delete photos under the prefix only."
  }

  assert {
    condition     = aws_iam_role_policy.unwanted[0].role == aws_iam_role.function.id && length(aws_iam_role_policy.moderation) == 0
    error_message = "The permissions must be those of the function's role, without DetectModerationLabels."
  }

  assert {
    condition     = jsondecode(local.unwanted_rules).quarantine_bucket == "photos-of-ours" && jsondecode(local.unwanted_rules).quarantine_prefix == "quarantine/"
    error_message = "Without quarantine_bucket, the copies must be in the bucket of the photos."
  }
}

run "delete_by_moderation_labels" {
  variables {
    filter_prefix = ""
    unwanted      = { moderation_labels = ["Violence"], min_confidence = 40, action = "delete", moderation_tps = 2 }
  }

  assert {
    condition = {
      for s in data.aws_iam_policy_document.unwanted[0].statement : s.sid => { actions = sort(s.actions), resources = sort(s.resources) }
      } == {
      DeleteUnwantedPhotos = {
        actions   = tolist(["s3:DeleteObject", "s3:DeleteObjectVersion"])
        resources = tolist(["arn:aws:s3:::photos-of-ours/*"])
      }
    }
    error_message = "With action delete, the function may delete photos, and neither tag nor copy them."
  }

  assert {
    condition = [
      for s in data.aws_iam_policy_document.moderation[0].statement : { actions = s.actions, resources = s.resources }
    ] == [{ actions = toset(["rekognition:DetectModerationLabels"]), resources = toset(["*"]) }]
    error_message = "With moderation labels, the function may call DetectModerationLabels."
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables["MODERATION_MIN_CONFIDENCE"] == "40"
      && aws_lambda_function.this.environment[0].variables["DETECT_MODERATION_LABELS_PER_SECOND"] == "1.0000"
      && !contains(keys(aws_lambda_function.this.environment[0].variables), "REQUESTED_MAX_LABELS")
    )
    error_message = "DetectModerationLabels must have its pace and unwanted.min_confidence, and DetectLabels is asked for no more than before."
  }
}

run "dry_run" {
  variables {
    unwanted = { labels = ["Weapon"], action = "delete", dry_run = true }
  }

  assert {
    condition = (
      length(aws_iam_role_policy.unwanted) == 0
      && length(aws_dynamodb_table_item.unwanted) == 1
      && !contains(keys(aws_cloudwatch_metric_alarm.this), "unwanted")
    )
    error_message = "A dry run must have rules, and no permission to do anything."
  }
}

run "changed_rules" {
  variables {
    unwanted = { labels = ["Weapon"], action = "delete" }
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["UNWANTED_ID"] != run.dry_run.cli_environment["IMAGE_LABELS_UNWANTED_ID"]
    error_message = "Other rules must have another id: the end of a dry run applies to the photos that it has seen."
  }
}
