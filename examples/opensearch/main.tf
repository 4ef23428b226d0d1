# A new bucket whose photos are labelled, and an OpenSearch domain to search them, which a managed pipeline keeps up to date
# from the DynamoDB stream of the images table.

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  tags       = { Example = "image-labels/opensearch" }

  # From its name: the domain's access policy names the domain.
  domain_arn = "arn:${local.partition}:es:${var.region}:${local.account_id}:domain/${var.name}"
  endpoint   = "https://${aws_opensearch_domain.photos.endpoint}"
}

module "image_labels" {
  source = "../.."

  name = var.name

  # The pipeline needs the new images and, to export the photos that the table already has, point-in-time recovery.
  stream_view_type       = "NEW_IMAGE"
  point_in_time_recovery = true

  # Lets `terraform destroy` remove the example with its photos and labels. Omit both to keep them.
  bucket_force_destroy = true
  deletion_protection  = false

  tags = local.tags
}

################################################################################
# Domain
################################################################################

resource "aws_opensearch_domain" "photos" {
  #checkov:skip=CKV2_AWS_52:its roles would have to be mapped in the domain, which Terraform's AWS provider cannot do; the access policy names the principals
  #checkov:skip=CKV_AWS_317:audit logs require fine-grained access control
  #checkov:skip=CKV2_AWS_59:dedicated master nodes triple the price of a small domain
  #checkov:skip=CKV_AWS_318:dedicated master nodes triple the price of a small domain
  #checkov:skip=CKV_AWS_137:the endpoint takes requests only if they are signed by a principal of the access policy
  #checkov:skip=CKV_AWS_248:the domain is not in a VPC
  #checkov:skip=CKV_AWS_247:the domain holds no photos, and can be built again from the table
  #checkov:skip=CKV_AWS_84:slow logs have to be enabled for each index too
  domain_name    = var.name
  engine_version = "OpenSearch_2.19"

  cluster_config {
    instance_type          = var.instance_type
    instance_count         = var.instance_count
    zone_awareness_enabled = var.instance_count > 1

    dynamic "zone_awareness_config" {
      for_each = var.instance_count > 1 ? [2] : []

      content {
        availability_zone_count = zone_awareness_config.value
      }
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.volume_size
  }

  encrypt_at_rest {
    enabled = true
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  access_policies = data.aws_iam_policy_document.domain.json

  tags = local.tags
}

data "aws_iam_policy_document" "domain" {
  statement {
    sid       = "LetThePipelineWrite"
    actions   = ["es:DescribeDomain", "es:ESHttp*"]
    resources = [local.domain_arn, "${local.domain_arn}/*"]

    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.pipeline.arn]
    }
  }

  dynamic "statement" {
    for_each = length(var.reader_arns) == 0 ? [] : [var.reader_arns]

    content {
      sid       = "LetReadersSearch"
      actions   = ["es:ESHttpGet", "es:ESHttpPost"]
      resources = ["${local.domain_arn}/photos/_search", "${local.domain_arn}/photos/_count"]

      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }
}

################################################################################
# Pipeline
################################################################################

resource "aws_osis_pipeline" "photos" {
  pipeline_name = var.name
  min_units     = 1
  max_units     = var.pipeline_max_units

  pipeline_configuration_body = templatefile("${path.module}/pipeline.yaml.tftpl", {
    table_arn      = module.image_labels.images_table_arn
    bucket         = aws_s3_bucket.pipeline.bucket
    region         = var.region
    role_arn       = aws_iam_role.pipeline.arn
    endpoint       = local.endpoint
    index_template = jsonencode(file("${path.module}/index-template.json"))
  })

  log_publishing_options {
    is_logging_enabled = true

    cloudwatch_log_destination {
      log_group = aws_cloudwatch_log_group.pipeline.name
    }
  }

  tags = local.tags

  # The pipeline checks its permissions when it is created.
  depends_on = [aws_iam_role_policy.pipeline]
}

# AWS requires this prefix.
resource "aws_cloudwatch_log_group" "pipeline" {
  #checkov:skip=CKV_AWS_158:the log has errors of the pipeline, no documents
  #checkov:skip=CKV_AWS_338:errors of the pipeline are of no use after 30 days
  name              = "/aws/vendedlogs/OpenSearchIngestion/${var.name}/audit-logs"
  retention_in_days = 30

  tags = local.tags
}

resource "aws_iam_role" "pipeline" {
  name_prefix        = "${var.name}-"
  description        = "Role of the OpenSearch Ingestion pipeline ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json

  tags = local.tags
}

data "aws_iam_policy_document" "assume" {
  statement {
    sid     = "LetOpenSearchIngestionAssumeTheRole"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["osis-pipelines.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role_policy" "pipeline" {
  name   = "pipeline"
  role   = aws_iam_role.pipeline.id
  policy = data.aws_iam_policy_document.pipeline.json
}

# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/configure-client-ddb.html
data "aws_iam_policy_document" "pipeline" {
  statement {
    sid       = "ExportTheTable"
    actions   = ["dynamodb:DescribeTable", "dynamodb:DescribeContinuousBackups", "dynamodb:ExportTableToPointInTime"]
    resources = [module.image_labels.images_table_arn]
  }

  statement {
    sid       = "WatchTheExport"
    actions   = ["dynamodb:DescribeExport"]
    resources = ["${module.image_labels.images_table_arn}/export/*"]
  }

  statement {
    sid       = "ReadTheStream"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = ["${module.image_labels.images_table_arn}/stream/*"]
  }

  statement {
    sid       = "WriteAndReadTheExport"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.pipeline.arn}/export/*"]
  }

  statement {
    sid       = "KeepRefusedDocuments"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.pipeline.arn}/refused/*"]
  }

  statement {
    sid       = "DescribeTheDomain"
    actions   = ["es:DescribeDomain"]
    resources = [local.domain_arn]
  }

  statement {
    sid       = "WriteToTheDomain"
    actions   = ["es:ESHttp*"]
    resources = ["${local.domain_arn}/*"]
  }
}

################################################################################
# Bucket of the table's export and of refused documents
################################################################################

resource "aws_s3_bucket" "pipeline" {
  #checkov:skip=CKV2_AWS_62:nothing waits for its objects
  #checkov:skip=CKV_AWS_144:the table has the data
  #checkov:skip=CKV_AWS_145:S3 encrypts the objects with its own key
  #checkov:skip=CKV_AWS_18:only the pipeline and DynamoDB use the bucket
  #checkov:skip=CKV_AWS_21:the objects are deleted after some days, and never replaced
  bucket_prefix = "${var.name}-"
  force_destroy = true

  tags = local.tags
}

resource "aws_s3_bucket_public_access_block" "pipeline" {
  bucket = aws_s3_bucket.pipeline.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "pipeline" {
  bucket = aws_s3_bucket.pipeline.id

  rule {
    id     = "abort-incomplete-multipart-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "delete-the-export"
    status = "Enabled"

    filter {
      prefix = "export/"
    }

    expiration {
      days = 7
    }
  }

  rule {
    id     = "delete-refused-documents"
    status = "Enabled"

    filter {
      prefix = "refused/"
    }

    expiration {
      days = 90
    }
  }
}
