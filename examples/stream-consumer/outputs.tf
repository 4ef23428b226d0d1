output "image_labels" {
  description = "All outputs of the module. The command image-labels reads them here."
  value       = module.image_labels
}

output "subscriber_queue_url" {
  description = "URL of the queue that receives the events of all photos."
  value       = aws_sqs_queue.subscriber.url
}

output "failed_records_queue_url" {
  description = "URL of the queue that receives the places of records that could not be published within 6 hours."
  value       = module.photo_events.failed_records_queue_url
}
