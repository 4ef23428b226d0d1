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

run "opensearch" {
  module {
    source = "./examples/opensearch"
  }

  variables {
    reader_arns = ["arn:aws:iam::111122223333:role/search"]
  }

  override_resource {
    target = aws_opensearch_domain.photos
    values = { endpoint = "search-image-labels-search.eu-west-1.es.amazonaws.com" }
  }

  assert {
    condition = {
      hosts = yamldecode(aws_osis_pipeline.photos.pipeline_configuration_body).photos.sink[0].opensearch.hosts
      table = yamldecode(aws_osis_pipeline.photos.pipeline_configuration_body).photos.source.dynamodb.tables[0].table_arn
      id    = yamldecode(aws_osis_pipeline.photos.pipeline_configuration_body).photos.sink[0].opensearch.document_id
      } == {
      hosts = ["https://search-image-labels-search.eu-west-1.es.amazonaws.com"]
      table = output.image_labels.images_table_arn
      id    = "$${getMetadata(\"primary_key\")}"
    }
    error_message = "The pipeline must write each item of the table to the domain."
  }

  assert {
    condition     = jsondecode(yamldecode(aws_osis_pipeline.photos.pipeline_configuration_body).photos.sink[0].opensearch.template_content) == jsondecode(file("examples/opensearch/index-template.json"))
    error_message = "The pipeline must create the index with this template."
  }

  assert {
    # https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_osis_CreatePipeline.html
    condition     = length(aws_osis_pipeline.photos.pipeline_configuration_body) <= 24000 && length(aws_osis_pipeline.photos.pipeline_name) <= 28
    error_message = "AWS takes a configuration of at most 24,000 characters, and a name of at most 28."
  }

  assert {
    condition     = [for s in data.aws_iam_policy_document.domain.statement : s.sid] == ["LetThePipelineWrite", "LetReadersSearch"]
    error_message = "The domain must admit the pipeline, and the readers to searches."
  }
}
