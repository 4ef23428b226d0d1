output "function_name" {
  description = "Name of the function that publishes the events."
  value       = aws_lambda_function.this.function_name
}

output "event_source" {
  description = "Source of the events, for the patterns of EventBridge rules."
  value       = "image-labels"
}

output "failed_records_queue_url" {
  description = "URL of the queue that receives the places of records that could not be published within 6 hours."
  value       = aws_sqs_queue.failed.url
}
