# Mock values of computed attributes that the module uses, in AWS's formats: the provider validates ARNs even if mocked.

mock_resource "aws_s3_bucket" {
  defaults = {
    arn = "arn:aws:s3:::photos-of-ours"
    id  = "photos-of-ours"
  }
}

mock_data "aws_s3_bucket" {
  defaults = {
    arn                         = "arn:aws:s3:::photos-of-theirs"
    bucket_regional_domain_name = "photos-of-theirs.s3.eu-west-1.amazonaws.com"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition = "aws"
  }
}

mock_data "aws_region" {
  defaults = {
    id = "eu-west-1"
  }
}

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "111122223333"
  }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = {
    arn = "arn:aws:events:eu-west-1:111122223333:rule/mocked-rule"
  }
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = {
    arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:mocked-alarm"
  }
}

# All queues have the same ARN. Tests that distinguish them override it.
mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:eu-west-1:111122223333:mocked-queue"
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/mocked-queue"
    id  = "https://sqs.eu-west-1.amazonaws.com/111122223333/mocked-queue"
  }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:image-labels"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn  = "arn:aws:iam::111122223333:role/image-labels-20260101"
    id   = "image-labels-20260101"
    name = "image-labels-20260101"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/image-labels"
  }
}

mock_resource "aws_dynamodb_table" {
  defaults = {
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-images"
  }
}

# The provider computes the JSON. The tests check the statements instead.
mock_data "aws_iam_policy_document" {
  defaults = {
    json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  }
}
