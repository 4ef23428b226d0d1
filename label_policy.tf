# The label policy (var.label_policy): a row of the labels table, because the function's environment variables have only
# 4 KB. lambda_src/image_labels/policy.py applies it.

locals {
  # Labels of Rekognition that guess a person's gender, age, origin or emotion, and the category of the emotions.
  guesses_about_people = [
    "Adult", "Baby", "Baby Crawling", "Baby Laughing", "Boy", "Bride", "Bridegroom", "Bridesmaid", "Child", "Female", "Girl",
    "Lady", "Male", "Man", "Newborn", "Senior Citizen", "Teen", "Tribe", "Woman",
  ]
  guessed_categories = ["Expressions and Emotions"]

  dropped_labels     = var.label_policy == null ? [] : concat(var.label_policy.drop, var.label_policy.drop_guesses_about_people ? local.guesses_about_people : [])
  dropped_categories = var.label_policy == null ? [] : concat(var.label_policy.drop_categories, var.label_policy.drop_guesses_about_people ? local.guessed_categories : [])

  # The form of DetectLabels' Settings.GeneralLabels. An empty list would be refused.
  label_filters = try(var.label_policy.filter_request, false) ? {
    for name, values in {
      LabelInclusionFilters         = var.label_policy.only
      LabelCategoryInclusionFilters = var.label_policy.only_categories
      LabelExclusionFilters         = local.dropped_labels
      LabelCategoryExclusionFilters = local.dropped_categories
    } : name => values if length(values) > 0
  } : null

  label_policy = var.label_policy == null ? null : jsonencode({
    rename          = var.label_policy.rename
    drop            = local.dropped_labels
    drop_categories = local.dropped_categories
    only            = var.label_policy.only
    only_categories = var.label_policy.only_categories
    min_confidence  = var.label_policy.min_confidence
    filters         = local.label_filters
  })
  label_policy_id = local.label_policy == null ? null : substr(sha256(local.label_policy), 0, 16)

  # Labels with a threshold of their own must be requested, too, and those that make a photo unwanted.
  requested_min_confidence = min(
    coalesce(var.requested_min_confidence, var.min_confidence),
    var.label_policy == null ? 100 : min(100, values(var.label_policy.min_confidence)...),
    local.requests_all_labels ? var.unwanted.min_confidence : 100,
  )
}

resource "aws_dynamodb_table_item" "label_policy" {
  # By id, so that a changed policy is a new row. The previous row is deleted after the function has the new id.
  for_each = local.label_policy == null ? {} : { (local.label_policy_id) = local.label_policy }

  table_name = aws_dynamodb_table.labels.name
  hash_key   = aws_dynamodb_table.labels.hash_key
  range_key  = aws_dynamodb_table.labels.range_key

  item = jsonencode({
    Term   = { S = "*policy" }
    Rank   = { S = each.key }
    Policy = { S = each.value }
  })

  lifecycle {
    create_before_destroy = true
  }
}
