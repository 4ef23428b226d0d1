output "image_labels" {
  description = "All outputs of the module. The command image-labels reads them here."
  value       = module.image_labels
}

output "their_queue_url" {
  description = "URL of the queue of the bucket's owner, which receives events as before."
  value       = aws_sqs_queue.theirs.url
}
