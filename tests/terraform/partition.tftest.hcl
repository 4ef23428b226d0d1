# ARNs in GovCloud have another partition, which comes from a data source.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  lambda_package = { filename = "versions.tf" }
}

override_data {
  target = data.aws_partition.current
  values = { partition = "aws-us-gov" }
}

override_data {
  target = data.aws_region.current
  values = { id = "us-gov-west-1" }
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "444455556666" }
}

run "queue" {
  assert {
    condition = {
      for queue, policy in data.aws_iam_policy_document.queue : queue => join(" ", distinct(flatten([for s in policy.statement : sort(s.resources)])))
      } == {
      for queue, name in { photos = "photos", dead_letters = "dead-letters", waiting = "waiting" } :
      queue => "arn:aws-us-gov:sqs:us-gov-west-1:444455556666:image-labels-${name}"
    }
    error_message = "Each queue's policy must have the queue's ARN with its partition, Region and account."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy).sourceQueueArns == ["arn:aws-us-gov:sqs:us-gov-west-1:444455556666:image-labels-photos"]
    error_message = "The dead-letter queue must have the queue's ARN with its partition, Region and account."
  }
}
