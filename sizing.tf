# Capacity: the Regions that have DetectLabels, the quotas in each, and the concurrency and batch size derived from them.
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

  has_higher_quotas = contains(local.regions_at_50, local.region)

  # Default quotas in calls per second of each API, which have one quota each: in the Regions at 50, and in the others (same
  # page).
  default_tps = {
    DetectLabels           = local.has_higher_quotas ? 50 : 5
    DetectText             = local.has_higher_quotas ? 50 : 5
    DetectModerationLabels = local.has_higher_quotas ? 50 : 5
    DetectFaces            = local.has_higher_quotas ? 100 : 25
    IndexFaces             = local.has_higher_quotas ? 50 : 5
    SearchFacesByImage     = local.has_higher_quotas ? 50 : 5
  }

  rekognition_tps = coalesce(var.rekognition_tps, local.default_tps["DetectLabels"])

  # The APIs that the function calls once for each photo, with the calls per second that the module may make.
  api_tps = merge(
    { DetectLabels = local.rekognition_tps },
    var.text == null ? {} : { DetectText = coalesce(var.text.tps, local.default_tps["DetectText"]) },
    var.faces == null ? {} : { (local.faces_api) = coalesce(var.faces.tps, local.default_tps[local.faces_api]) },
    local.detects_moderation ? { DetectModerationLabels = coalesce(var.unwanted.moderation_tps, local.default_tps["DetectModerationLabels"]) } : {},
  )
  detectors = [for api in keys(local.api_tps) : api if api != "DetectLabels"]

  # The function's environment variables for the calls per second of one invocation.
  api_variables = {
    DetectLabels           = "DETECT_LABELS_PER_SECOND"
    DetectText             = "DETECT_TEXT_PER_SECOND"
    DetectModerationLabels = "DETECT_MODERATION_LABELS_PER_SECOND"
    DetectFaces            = "DETECT_FACES_PER_SECOND"
    IndexFaces             = "INDEX_FACES_PER_SECOND"
  }

  # The slowest API decides how many photos per second get all their answers.
  photos_per_second = min(values(local.api_tps)...)

  # The queue's part of the quotas: with enable_batch_operations a fifth, because the function for the jobs has the rest.
  # Quotients of whole numbers: a product with 0.2 would not be exact, and the next ceil() could round up.
  queue_tps     = var.enable_batch_operations ? local.photos_per_second / 5 : local.photos_per_second
  queue_api_tps = { for api, tps in local.api_tps : api => var.enable_batch_operations ? tps / 5 : tps }

  # About twice the usual time: a second for each call, and half a second for the rest.
  seconds_per_photo = 0.5 + length(local.api_tps)

  # The lowest concurrency that uses the whole part if a photo takes that long. Fewer invocations cost less, because one
  # invocation waits for 10 photos at once. The minimum that SQS allows is 2.
  maximum_concurrency = min(1000, max(2, ceil(local.seconds_per_photo * local.queue_tps / 10)))

  # Each invocation's share. A burst then drains at the quota, regardless of the latency, and few calls are throttled: a
  # throttled call only uses up an attempt.
  calls_per_second         = { for api, tps in local.queue_api_tps : api => tps / local.maximum_concurrency }
  detect_labels_per_second = local.calls_per_second["DetectLabels"]

  # Batch size that the quotas let one invocation finish in half of its timeout.
  batch_size = min(10, max(1, floor(0.5 * var.lambda_timeout * min(values(local.calls_per_second)...))))
}
