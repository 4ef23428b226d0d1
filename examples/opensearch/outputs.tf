output "image_labels" {
  description = "All outputs of the module. The command image-labels reads them here."
  value       = module.image_labels
}

output "endpoint" {
  description = "URL of the OpenSearch domain, for requests that are signed with Signature Version 4."
  value       = local.endpoint
}

output "refused_documents" {
  description = "S3 URI of the documents that OpenSearch refused, with its reasons."
  value       = "s3://${aws_s3_bucket.pipeline.bucket}/refused/"
}
