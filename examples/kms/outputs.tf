output "image_labels" {
  description = "All outputs of the module. The command image-labels reads them here."
  value       = module.image_labels
}

output "kms_key_arn" {
  description = "ARN of the key. Uploading photos requires kms:GenerateDataKey on it, and reading them kms:Decrypt."
  value       = aws_kms_key.photos.arn
}
