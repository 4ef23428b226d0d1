# Text in photos (text): the function calls DetectText besides DetectLabels, and the lines of text are terms to search for.
# sizing.tf has the quota, iam.tf the permission.

locals {
  text_environment = var.text == null ? {} : { TEXT_MIN_CONFIDENCE = tostring(var.text.min_confidence) }
}
