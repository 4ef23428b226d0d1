output "image_labels" {
  description = "All outputs of the module; the command image-labels finds them here."
  value       = module.image_labels
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic that hears of alarms: subscribe to it."
  value       = aws_sns_topic.alarms.arn
}
