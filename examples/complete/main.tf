# Everything new in one go: a bucket, and behind it all that labels the photos in it.

provider "aws" {
  region = var.region

  # For emulators, which are reached by setting AWS_ENDPOINT_URL: on localhost there is no name <bucket>.localhost to
  # find. AWS takes path style as well.
  s3_use_path_style = true
}

module "image_labels" {
  source = "../.."

  name        = var.name
  bucket_name = var.bucket_name

  # Labels of at least 75 %, 20 at most.
  min_confidence = 75
  max_labels     = 20

  # An example should go as easily as it came: photos, labels and all. Leave these two out where either is worth keeping.
  bucket_force_destroy = true
  deletion_protection  = false

  tags = {
    Example = "image-labels/complete"
  }
}
