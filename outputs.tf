# The module's outputs, in the order of the data flow: bucket, queues, function, tables, users, monitoring, key.

output "bucket_name" {
  description = "Name of the bucket that holds the photos."
  value       = local.bucket_name
}

output "bucket_arn" {
  description = "ARN of the bucket that holds the photos."
  value       = local.bucket_arn
}

output "queue_url" {
  description = "URL of the queue that receives the bucket's events."
  value       = aws_sqs_queue.photos.url
}

output "queue_arn" {
  description = "ARN of the queue that receives the bucket's events."
  value       = aws_sqs_queue.photos.arn
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue, which holds the events that failed max_receive_count times."
  value       = aws_sqs_queue.dead_letters.url
}

output "dead_letter_queue_arn" {
  description = "ARN of the dead-letter queue, which holds the events that failed max_receive_count times."
  value       = aws_sqs_queue.dead_letters.arn
}

output "waiting_queue_url" {
  description = "URL of the waiting queue, which holds the events of photos over daily_image_limit."
  value       = aws_sqs_queue.waiting.url
}

output "waiting_queue_arn" {
  description = "ARN of the waiting queue, which holds the events of photos over daily_image_limit."
  value       = aws_sqs_queue.waiting.arn
}

output "lambda_function_name" {
  description = "Name of the function that labels the photos."
  value       = aws_lambda_function.this.function_name
}

output "lambda_function_arn" {
  description = "ARN of the function that labels the photos, without a version."
  value       = aws_lambda_function.this.arn
}

output "lambda_role_name" {
  description = "Name of the function's role, for attaching further policies, for instance for the KMS key of an existing bucket."
  value       = aws_iam_role.function.name
}

output "lambda_role_arn" {
  description = "ARN of the function's role, for use in key policies and bucket policies."
  value       = aws_iam_role.function.arn
}

output "batch_function_arn" {
  description = "ARN of the function that S3 Batch Operations invokes, without a version, or null if enable_batch_operations is false."
  value       = one(aws_lambda_function.batch[*].arn)
}

output "batch_operations_role_arn" {
  description = "ARN of the role of S3 Batch Operations jobs, or null if enable_batch_operations is false."
  value       = one(aws_iam_role.batch_operations[*].arn)
}

output "batch_operations_prefix" {
  description = "Key prefix of the manifests and reports of S3 Batch Operations jobs in the bucket, or null if enable_batch_operations is false."
  value       = var.enable_batch_operations ? local.batch_prefix : null
}

output "images_table_name" {
  description = "Name of the table with one item per photo; the partition key PK (S) is the object key."
  value       = aws_dynamodb_table.images.name
}

output "images_table_arn" {
  description = "ARN of the table with one item per photo."
  value       = aws_dynamodb_table.images.arn
}

output "images_table_stream_arn" {
  description = "ARN of the DynamoDB stream of the table with one item per photo, or null if stream_view_type is null."
  # A disabled stream keeps its ARN for 24 hours, while its last records can be read.
  value = var.stream_view_type == null ? null : aws_dynamodb_table.images.stream_arn
}

output "labels_table_name" {
  description = "Name of the table with one row per label and photo; the partition key Term (S) is the label in lower case, and the sort key Rank (S) orders by descending confidence."
  value       = aws_dynamodb_table.labels.name
}

output "labels_table_arn" {
  description = "ARN of the table with one row per label and photo."
  value       = aws_dynamodb_table.labels.arn
}

output "face_collection_id" {
  description = "ID of the Rekognition collection of the photos' faces, or null if faces.index is not true."
  value       = one(aws_rekognition_collection.faces[*].collection_id)
}

output "face_collection_arn" {
  description = "ARN of the Rekognition collection of the photos' faces, or null if faces.index is not true."
  value       = one(aws_rekognition_collection.faces[*].arn)
}

output "cli_environment" {
  description = "Environment variables that configure the command image-labels where it cannot run `terraform output`."
  value = merge({
    IMAGE_LABELS_REGION                = local.region
    IMAGE_LABELS_BUCKET                = local.bucket_name
    IMAGE_LABELS_QUEUE_URL             = aws_sqs_queue.photos.url
    IMAGE_LABELS_DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
    IMAGE_LABELS_WAITING_QUEUE_URL     = aws_sqs_queue.waiting.url
    IMAGE_LABELS_IMAGES_TABLE          = aws_dynamodb_table.images.name
    IMAGE_LABELS_LABELS_TABLE          = aws_dynamodb_table.labels.name
    IMAGE_LABELS_REKOGNITION_TPS       = tostring(local.queue_tps)
    IMAGE_LABELS_DAILY_IMAGE_LIMIT     = var.daily_image_limit == null ? "" : tostring(var.daily_image_limit)

    # No suffix has a comma or *, so "*" can be the empty suffix, which is always alone.
    IMAGE_LABELS_FILTER_PREFIX   = var.filter_prefix
    IMAGE_LABELS_FILTER_SUFFIXES = join(",", [for suffix in sort(var.filter_suffixes) : suffix == "" ? "*" : suffix])

    # The settings that decide the labels, as the function has them.
    IMAGE_LABELS_MIN_CONFIDENCE = local.environment.MIN_CONFIDENCE
    IMAGE_LABELS_MAX_LABELS     = local.environment.MAX_LABELS

    # "" without a policy, because the values of a map have one type and null would be left out.
    IMAGE_LABELS_LABEL_POLICY_ID = local.label_policy_id == null ? "" : local.label_policy_id
    IMAGE_LABELS_UNWANTED_ID     = var.unwanted == null ? "" : local.unwanted_id

    # "" for a detector that is switched off.
    IMAGE_LABELS_TEXT_MIN_CONFIDENCE       = var.text == null ? "" : tostring(var.text.min_confidence)
    IMAGE_LABELS_FACES_SETTINGS            = var.faces == null ? "" : local.faces_settings
    IMAGE_LABELS_TEXT_MIN_CONFIDENCE       = var.text == null ? "" : tostring(var.text.min_confidence)
    IMAGE_LABELS_MODERATION_MIN_CONFIDENCE = local.detects_moderation ? tostring(var.unwanted.min_confidence) : ""
    }, var.enable_batch_operations ? {
    IMAGE_LABELS_BATCH_FUNCTION_ARN = aws_lambda_function.batch[0].arn
    IMAGE_LABELS_BATCH_ROLE_ARN     = aws_iam_role.batch_operations[0].arn
    IMAGE_LABELS_BATCH_TPS          = tostring(local.batch_tps)
  } : {})
}

output "reader_policy_json" {
  description = "Least-privilege IAM policy, as JSON, for users of the command image-labels: read access to both tables, the photos and the state of the queues."
  value       = data.aws_iam_policy_document.reader.json
}

output "uploader_policy_json" {
  description = "Least-privilege IAM policy, as JSON, to upload photos with image-labels browse --upload: s3:PutObject under filter_prefix, and with kms_key_arn kms:GenerateDataKey. The page itself needs reader_policy_json."
  value       = data.aws_iam_policy_document.uploader.json
}

output "operator_policy_json" {
  description = "Least-privilege IAM policy, as JSON, for operators: what image-labels audit, backfill, relabel and redrive need, and with enable_batch_operations the permissions for jobs. The other commands need reader_policy_json."
  value       = data.aws_iam_policy_document.operator.json
}

output "log_group_name" {
  description = "Name of the function's log group; each log event is a JSON object."
  value       = aws_cloudwatch_log_group.function.name
}

output "alarm_arns" {
  description = "Map of alarm names to ARNs: dead-letters, oldest-message, function-errors, daily-limit, schedule-not-run, unwanted (with unwanted, unless it is a dry run), throttled-share (with log_level DEBUG or INFO), batch-function-errors (with enable_batch_operations), and with trigger = \"eventbridge\" events-not-delivered and events-dropped for the first rule, then events-not-delivered-2, events-dropped-2 and so on for further rules."
  value = merge(
    { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.arn },
    { for alarm in aws_cloudwatch_metric_alarm.throttled_share : "throttled-share" => alarm.arn },
  )
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard, or null if create_dashboard is false."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}

output "metric_namespace" {
  description = "CloudWatch namespace of the metrics Labelled, Rejected, Removed, Skipped, Failed, Throttled, Latency (milliseconds) and RekognitionCalls, with text DetectTextCalls, and with unwanted Unwanted and DetectModerationLabelsCalls."
  value       = local.metric_namespace
}

output "kms_key_policy_json" {
  description = "Key policy, as JSON, that kms_key_arn requires; usable as the policy of that aws_kms_key, because it depends only on names."
  value       = data.aws_iam_policy_document.key.json
}
