# The examples of the stream, which the end-to-end tests do not apply to LocalStack.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

run "stream_consumer" {
  module {
    source = "./examples/stream-consumer"
  }

  override_resource {
    target = module.image_labels.aws_dynamodb_table.images
    values = {
      arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-stream-images"
      stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-stream-images/stream/2026-11-28T00:00:00.000"
    }
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.photos.event_pattern) == {
      source    = ["image-labels"]
      resources = [output.image_labels.images_table_arn]
    }
    error_message = "The subscriber's rule must match the events of the consumer of this table."
  }

  assert {
    condition     = output.image_labels.images_table_stream_arn == "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-stream-images/stream/2026-11-28T00:00:00.000"
    error_message = "The output must have the stream's ARN."
  }
}
