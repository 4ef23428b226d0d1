# Capacity: the Regions that have DetectLabels, the quota in each, and the concurrency and batch size derived from it.
# batch_operations.tf has the capacity of the function for S3 Batch Operations.

locals {
  # The Regions that have DetectLabels (November 2026), by default quota in calls per second. AWS's pages disagree about
  # ca-central-1, so the list omits it; with rekognition_tps set, the module accepts it.
  # https://docs.aws.amazon.com/general/latest/gr/rekognition.html
  regions_at_50 = ["us-east-1", "us-west-2", "eu-west-1"]
  regions_at_5 = [
    "us-east-2", "us-west-1", "us-gov-west-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-5", "ap-southeast-7", "eu-central-1", "eu-south-2", "eu-west-2", "il-central-1",
    "sa-east-1",
  ]
  regions = sort(concat(local.regions_at_50, local.regions_at_5))

  rekognition_tps = coalesce(var.rekognition_tps, contains(local.regions_at_50, local.region) ? 50 : 5)

  # The queue's part of the quota: with enable_batch_operations a fifth, because the function for the jobs has the rest.
  # A quotient of whole numbers: a product with 0.2 would not be exact, and the next ceil() could round up.
  queue_tps = var.enable_batch_operations ? local.rekognition_tps / 5 : local.rekognition_tps

  # About twice the usual time.
  seconds_per_photo = 1.5

  # The lowest concurrency that uses the whole part if a photo takes that long. Fewer invocations cost less, because one
  # invocation waits for 10 photos at once. The minimum that SQS allows is 2.
  maximum_concurrency = min(1000, max(2, ceil(local.seconds_per_photo * local.queue_tps / 10)))

  # Each invocation's share. A burst then drains at the quota, regardless of the latency, and few calls are throttled: a
  # throttled call only uses up an attempt.
  detect_labels_per_second = local.queue_tps / local.maximum_concurrency

  # Batch size that the quota lets one invocation finish in half of its timeout.
  batch_size = min(10, max(1, floor(0.5 * var.lambda_timeout * local.detect_labels_per_second)))
}
