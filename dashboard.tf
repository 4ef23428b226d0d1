# The CloudWatch dashboard. From top to bottom it answers three questions: does labelling keep up, what fails, what does it
# cost.

locals {
  # List prices of us-east-1; other Regions and volumes differ slightly. https://aws.amazon.com/rekognition/pricing/ (first
  # million images per month) and https://aws.amazon.com/lambda/pricing/.
  dollars_per_call      = 0.001
  dollars_per_gb_second = var.lambda_architecture == "arm64" ? 0.0000133334 : 0.0000166667

  counted = { for name in keys(local.metrics) : name => [local.metric_namespace, name] }
  visible = {
    for what, queue in { photos = local.queue_name, waiting = local.waiting_queue_name, dead_letters = local.dead_letter_queue_name } :
    what => ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]
  }

  # DetectLabels has the calls that no detector has.
  ours_terms    = concat(["FILL(ours, 0)"], [for api in local.detectors : "FILL(${lower(api)}, 0)"])
  ours          = length(local.detectors) == 0 ? local.ours_terms[0] : "(${join(" - ", local.ours_terms)})"
  ours_label    = length(local.detectors) == 0 ? "this module" : "this module, DetectLabels"
  detectors_ids = { for api in local.detectors : api => lower(api) }

  questions = [
    {
      title = "Does it keep up?"
      widgets = [
        {
          title = "Messages waiting"
          metrics = [
            concat(local.visible.photos, [{ label = "in the queue" }]),
            concat(local.visible.waiting, [{ label = "over the daily limit" }]),
          ]
          stat = "Maximum"
        },
        {
          title       = "Age of the oldest event, seconds"
          metrics     = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", local.queue_name, { label = "oldest" }]]
          stat        = "Maximum"
          annotations = { horizontal = [{ label = "alarm", value = var.alarm_oldest_message_seconds }] }
        },
        {
          title = "Rekognition calls per second"
          metrics = concat(
            [
              [{ id = "ours_per_second", expression = "${local.ours} / PERIOD(ours)", label = local.ours_label }],
              concat(local.counted.RekognitionCalls, [{ id = "ours", visible = false }]),
              [{ id = "everybodys_per_second", expression = "FILL(everybodys, 0) / PERIOD(everybodys)", label = "all of the account in this Region" }],
              ["AWS/Rekognition", "SuccessfulRequestCount", "Operation", "DetectLabels", { id = "everybodys", visible = false }],
            ],
            [for api, id in local.detectors_ids : [{ id = "${id}_per_second", expression = "FILL(${id}, 0) / PERIOD(${id})", label = "this module, ${api}" }]],
            [for api, id in local.detectors_ids : concat(local.counted["${api}Calls"], [{ id = id, visible = false }])],
          )
          stat = "Sum"
          annotations = { horizontal = concat(
            [{ label = "rekognition_tps", value = local.rekognition_tps }],
            [for api in local.detectors : { label = "calls per second of ${api}", value = local.api_tps[api] }],
          ) }
        },
        {
          title = "Latency from queue to labels, milliseconds"
          metrics = [
            concat(local.counted.Latency, [{ stat = "p50", label = "p50" }]),
            concat(local.counted.Latency, [{ stat = "p99", label = "p99" }]),
          ]
          stat = "p50"
        },
      ]
    },
    {
      title = "What fails?"
      widgets = [
        {
          title   = "Dead letters"
          metrics = [concat(local.visible.dead_letters, [{ label = "dead letters" }])]
          stat    = "Maximum"
        },
        {
          title   = "Failed attempts"
          metrics = [concat(local.counted.Failed, [{ label = "failed" }]), concat(local.counted.Throttled, [{ label = "throttled" }])]
          stat    = "Sum"
        },
        {
          title = "Function errors and throttles"
          metrics = [
            ["AWS/Lambda", "Errors", "FunctionName", var.name, { label = "errors" }],
            ["AWS/Lambda", "Throttles", "FunctionName", var.name, { label = "throttled invocations" }],
          ]
          stat = "Sum"
        },
        {
          title = "Outcomes of photos"
          metrics = [
            for name in ["Labelled", "Rejected", "Removed", "Skipped"] : concat(local.counted[name], [{ label = lower(name) }])
          ]
          stat = "Sum"
        },
      ]
    },
    {
      title = "What does it cost?"
      widgets = [
        {
          title = "Dollars a day (us-east-1 list prices)"
          metrics = [
            [{ id = "rekognition_dollars", expression = "calls * ${local.dollars_per_call}", label = "Rekognition" }],
            [{ id = "lambda_dollars", expression = "duration / 1000 * ${var.lambda_memory_size / 1024} * ${format("%.10f", local.dollars_per_gb_second)}", label = "Lambda" }],
            concat(local.counted.RekognitionCalls, [{ id = "calls", visible = false }]),
            ["AWS/Lambda", "Duration", "FunctionName", var.name, { id = "duration", visible = false }],
          ]
          stat   = "Sum"
          period = 86400
        },
        {
          title       = "Images a day sent to Rekognition"
          metrics     = [concat(local.counted.RekognitionCalls, [{ label = "images" }])]
          stat        = "Sum"
          period      = 86400
          annotations = { horizontal = var.daily_image_limit == null ? [] : [{ label = "daily_image_limit", value = var.daily_image_limit }] }
        },
      ]
    },
  ]

  # Per question: a title across all 24 columns, and below it the widgets side by side.
  dashboard_rows = [
    for row, question in local.questions : concat(
      [{ type = "text", x = 0, y = 8 * row, width = 24, height = 2, properties = { markdown = "## ${question.title}" } }],
      [
        for column, widget in question.widgets : {
          type = "metric", x = column * 24 / length(question.widgets), y = 8 * row + 2, width = 24 / length(question.widgets), height = 6
          properties = {
            title       = widget.title
            metrics     = widget.metrics
            stat        = widget.stat
            period      = try(widget.period, 300)
            region      = local.region
            view        = "timeSeries"
            annotations = try(widget.annotations, { horizontal = [] })
            yAxis       = { left = { min = 0 } }
          }
        }
      ],
    )
  ]
  bottom = 8 * length(local.questions)
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.create_dashboard ? 1 : 0

  # Dashboard names are unique per account, not per Region.
  dashboard_name = "${var.name}-${local.region}"

  dashboard_body = jsonencode({
    # Keep the periods set above. By default CloudWatch adapts them to the time range, and daily costs would become costs per
    # minute.
    periodOverride = "inherit"
    start          = "-P7D"

    widgets = concat(flatten(local.dashboard_rows), [
      {
        type = "log", x = 0, y = local.bottom, width = 24, height = 7
        properties = {
          title  = "Recent failures and next steps"
          region = local.region
          view   = "table"
          query  = "SOURCE '${aws_cloudwatch_log_group.function.name}' | fields @timestamp, coalesce(key, photo, message_id) as what, cause, next_step | filter outcome in ['failed', 'handed back', 'dead-lettered'] | sort @timestamp desc | limit 50"
        }
      },
      {
        type = "alarm", x = 0, y = local.bottom + 7, width = 24, height = 3
        properties = {
          title  = "Alarms"
          alarms = concat([for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn], aws_cloudwatch_metric_alarm.throttled_share[*].arn)
        }
      },
    ])
  })
}
