output "image_labels" {
  description = "All outputs of the module; the command image-labels finds them here."
  value       = module.image_labels
}

output "kms_key_arn" {
  description = "ARN of the key: whoever uploads needs kms:GenerateDataKey on it, whoever reads kms:Decrypt."
  value       = aws_kms_key.photos.arn
}
