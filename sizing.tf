# Capacity: the Regions that have DetectLabels, the quota there, and the concurrency and batch size that follow from it.

locals {
  # The Regions that have DetectLabels (November 2026), by the default quota in calls per second. AWS's pages disagree about
  # ca-central-1, so it is not among them; rekognition_tps admits it.
  # https://docs.aws.amazon.com/general/latest/gr/rekognition.html
  regions_at_50 = ["us-east-1", "us-west-2", "eu-west-1"]
  regions_at_5 = [
    "us-east-2", "us-west-1", "us-gov-west-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-5", "ap-southeast-7", "eu-central-1", "eu-south-2", "eu-west-2", "il-central-1",
    "sa-east-1",
  ]
  regions = sort(concat(local.regions_at_50, local.regions_at_5))

  rekognition_tps = coalesce(var.rekognition_tps, contains(local.regions_at_50, local.region) ? 50 : 5)

  # As few invocations at a time as use the quota up when a photo takes 1.5 s, twice what it mostly does: waiting is
  # billed once for all 10 photos of an invocation. SQS wants 2 at least.
  maximum_concurrency = min(1000, max(2, ceil(1.5 * local.rekognition_tps / 10)))

  # Each has its share of the quota. A burst then drains at the quota, whatever the photos' own pace, and hardly any
  # call is throttled, which would be no more than another try spent.
  detect_labels_per_second = local.rekognition_tps / local.maximum_concurrency

  # As many photos as an invocation can have its turn with in half of its time.
  batch_size = min(10, max(1, floor(0.5 * var.lambda_timeout * local.detect_labels_per_second)))
}
