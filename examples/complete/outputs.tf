# The module's outputs, passed through.

output "bucket_name" {
  description = "Name of the bucket that holds the photos."
  value       = module.image_labels.bucket_name
}

output "bucket_arn" {
  description = "ARN of the bucket that holds the photos."
  value       = module.image_labels.bucket_arn
}

output "queue_url" {
  description = "URL of the queue that receives the bucket's events."
  value       = module.image_labels.queue_url
}

output "queue_arn" {
  description = "ARN of the queue that receives the bucket's events."
  value       = module.image_labels.queue_arn
}

output "dead_letter_queue_url" {
  description = "URL of the queue that holds the events that failed max_receive_count times."
  value       = module.image_labels.dead_letter_queue_url
}

output "dead_letter_queue_arn" {
  description = "ARN of the queue that holds the events that failed max_receive_count times."
  value       = module.image_labels.dead_letter_queue_arn
}

output "waiting_queue_url" {
  description = "URL of the queue in which photos over daily_image_limit wait."
  value       = module.image_labels.waiting_queue_url
}

output "lambda_function_name" {
  description = "Name of the function that labels the photos."
  value       = module.image_labels.lambda_function_name
}

output "lambda_function_arn" {
  description = "ARN of the function that labels the photos, without a version."
  value       = module.image_labels.lambda_function_arn
}

output "lambda_role_name" {
  description = "Name of the function's role, to attach more permissions to (for instance for the key of an existing bucket)."
  value       = module.image_labels.lambda_role_name
}

output "lambda_role_arn" {
  description = "ARN of the function's role, to name in key and bucket policies."
  value       = module.image_labels.lambda_role_arn
}

output "images_table_name" {
  description = "Name of the table with one item per photo; its key PK (S) is the object key."
  value       = module.image_labels.images_table_name
}

output "images_table_arn" {
  description = "ARN of the table with one item per photo."
  value       = module.image_labels.images_table_arn
}

output "labels_table_name" {
  description = "Name of the table with one row per label and photo; its keys are Term (S), the label in lower case, and Rank (S), best confidence first."
  value       = module.image_labels.labels_table_name
}

output "labels_table_arn" {
  description = "ARN of the table with one row per label and photo."
  value       = module.image_labels.labels_table_arn
}

output "cli_environment" {
  description = "Environment variables that tell the command image-labels, on another machine, what `terraform output` tells it here."
  value       = module.image_labels.cli_environment
}

output "reader_policy_json" {
  description = "The smallest policy under which all of the command image-labels works, for people who look for photos."
  value       = module.image_labels.reader_policy_json
}

output "log_group_name" {
  description = "Name of the function's log group; each line is a JSON object."
  value       = module.image_labels.log_group_name
}

output "alarm_arns" {
  description = "ARNs of the alarms by what they watch."
  value       = module.image_labels.alarm_arns
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic that hears of alarms: subscribe to it."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = module.image_labels.dashboard_name
}
