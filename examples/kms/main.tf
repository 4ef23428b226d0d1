# Photos, events, labels and logs under a KMS key of your own.

provider "aws" {
  region = var.region

  # For emulators, which are reached by setting AWS_ENDPOINT_URL: on localhost there is no name <bucket>.localhost to
  # find. AWS takes path style as well.
  s3_use_path_style = true
}

resource "aws_kms_key" "photos" {
  description             = "Photos of ${var.name}, and all that is known of them"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  # The module says what the policy must have, from names alone: so the key comes with it, before S3 tries to send an
  # event and CloudWatch to write a line under it.
  policy = module.image_labels.kms_key_policy_json
}

resource "aws_kms_alias" "photos" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.photos.key_id
}

module "image_labels" {
  source = "../.."

  name = var.name

  # format() tells Terraform that there is a key, although its ARN is not known before the first apply.
  kms_key_arn = format("%s", aws_kms_key.photos.arn)

  # An example should go as easily as it came. Leave these two out where photos or labels are worth keeping.
  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Example = "image-labels/kms"
  }
}
