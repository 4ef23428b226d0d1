# In China and GovCloud ARNs start differently: the partition comes from AWS, not from us.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

override_resource {
  target = aws_cloudwatch_log_group.function
  values = { arn = "arn:aws-cn:logs:cn-north-1:444455556666:log-group:/aws/lambda/image-labels" }
}

run "queue" {
  assert {
    condition     = [for s in data.aws_iam_policy_document.queue.statement : sort(s.resources)] == [tolist(["arn:aws-cn:sqs:cn-north-1:444455556666:image-labels-photos"])]
    error_message = "The queue's policy must name the queue with the partition, Region and account it is made in."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy).sourceQueueArns == ["arn:aws-cn:sqs:cn-north-1:444455556666:image-labels-photos"]
    error_message = "The dead-letter queue must name the queue with the partition, Region and account it is made in."
  }
}
