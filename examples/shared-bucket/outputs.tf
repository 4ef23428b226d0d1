output "bucket_name" {
  description = "Name of the bucket that the copies share."
  value       = aws_s3_bucket.shared.bucket
}

output "image_labels" {
  description = "All outputs of each copy of the module, by its key."
  value       = module.image_labels
}

output "cli_environment" {
  description = "Environment variables for the command image-labels, by copy."
  value       = { for key, copy in module.image_labels : key => copy.cli_environment }
}
