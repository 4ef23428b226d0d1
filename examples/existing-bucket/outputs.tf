output "image_labels" {
  description = "All outputs of the module; the command image-labels finds them here."
  value       = module.image_labels
}

output "their_queue_url" {
  description = "URL of the queue that the bucket's owner listens to: it is told of uploads as before."
  value       = aws_sqs_queue.theirs.url
}
