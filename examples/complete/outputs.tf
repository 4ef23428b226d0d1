output "image_labels" {
  description = "All outputs of the module. The command image-labels reads them here."
  value       = module.image_labels
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic that receives alarms, for subscriptions."
  value       = aws_sns_topic.alarms.arn
}
