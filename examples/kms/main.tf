# Photos, events, labels and logs encrypted with a customer managed KMS key.

provider "aws" {
  region = var.region

  # For emulators (AWS_ENDPOINT_URL): the host name <bucket>.localhost does not resolve. AWS accepts path-style requests
  # too.
  s3_use_path_style = true
}

resource "aws_kms_key" "photos" {
  description             = "Photos, events, labels and logs of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  # The output depends only on names, so Terraform creates the key with this policy before the resources that it encrypts.
  policy = module.image_labels.kms_key_policy_json
}

resource "aws_kms_alias" "photos" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.photos.key_id
}

module "image_labels" {
  source = "../.."

  name = var.name

  # The result of format() is never null, so the plan knows that there is a key before it knows the ARN.
  kms_key_arn = format("%s", aws_kms_key.photos.arn)

  # Lets `terraform destroy` remove the example with its photos and labels. Omit both to keep them.
  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Example = "image-labels/kms"
  }
}
