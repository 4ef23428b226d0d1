# The label policy is a row of the labels table, and the function gets its id.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

run "none_by_default" {
  assert {
    condition     = length(aws_dynamodb_table_item.label_policy) == 0
    error_message = "Without a policy there must be no row."
  }

  assert {
    condition = length(setintersection(
      keys(aws_lambda_function.this.environment[0].variables), ["LABEL_POLICY_ID", "REQUESTED_MIN_CONFIDENCE"],
    )) == 0
    error_message = "Without a policy the function must have no variables for it."
  }
}

run "policy" {
  variables {
    min_confidence = 80
    label_policy = {
      rename                    = { "Mobile Phone" = "Handset" }
      drop                      = ["Weapon"]
      drop_guesses_about_people = true
      min_confidence            = { Dog = 60, Cat = 90 }
    }
  }

  assert {
    condition = (
      length(aws_dynamodb_table_item.label_policy) == 1
      && one(values(aws_dynamodb_table_item.label_policy)).table_name == "image-labels-labels"
      && jsondecode(one(values(aws_dynamodb_table_item.label_policy)).item).Term.S == "*policy"
      && jsondecode(one(values(aws_dynamodb_table_item.label_policy)).item).Rank.S == aws_lambda_function.this.environment[0].variables["LABEL_POLICY_ID"]
    )
    error_message = "The row must be in the reserved partition of the labels table, under the id that the function gets."
  }

  assert {
    condition = (
      jsondecode(local.label_policy).rename == { "Mobile Phone" = "Handset" }
      && contains(jsondecode(local.label_policy).drop, "Weapon")
      && contains(jsondecode(local.label_policy).drop, "Woman")
      && jsondecode(local.label_policy).drop_categories == ["Expressions and Emotions"]
      && jsondecode(local.label_policy).filters == null
    )
    error_message = "The row must have the rules, with the preset as labels and categories."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["REQUESTED_MIN_CONFIDENCE"] == "60"
    error_message = "The function must request labels down to the lowest threshold."
  }
}

run "filtered_request" {
  variables {
    label_policy = {
      only           = ["Dog", "Cat"]
      filter_request = true
    }
  }

  assert {
    condition     = jsondecode(local.label_policy).filters == { LabelInclusionFilters = ["Dog", "Cat"] }
    error_message = "The filters must have the form of DetectLabels, without empty lists."
  }
}

run "changed_policy" {
  variables {
    label_policy = { only = ["Dog"] }
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["LABEL_POLICY_ID"] != run.filtered_request.cli_environment["IMAGE_LABELS_LABEL_POLICY_ID"]
    error_message = "Another policy must have another id."
  }
}
