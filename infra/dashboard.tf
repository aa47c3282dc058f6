# One page, top to bottom in the order in which one asks: is it used, does it fail, is it slow, are uploads verified, does the queue
# drain, what is stored and read, does anybody do what they should not.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html

locals {
  api_metric      = ["ApiId", aws_apigatewayv2_api.store.id]
  function_metric = { for name, function in local.functions : name => ["FunctionName", function] }
  bucket_metric   = ["BucketName", aws_s3_bucket.models.id]

  # A row: its title, and its graphs from left to right. A graph: what it shows, the statistic, the metrics (namespace, name, dimensions).
  dashboard_rows = [
    {
      title = "Traffic: who uses it, and for what"
      graphs = [
        { title = "Requests", stat = "Sum", metrics = [concat(["AWS/ApiGateway", "Count"], local.api_metric), ["SMAS", "Requests"]] },
        { title = "Versions published, uploads begun", stat = "Sum", metrics = [["SMAS", "VersionsPublished"], ["SMAS", "UploadsBegun"], ["SMAS", "UploadsCompleted"]] },
        { title = "Download URLs", stat = "Sum", metrics = [["SMAS", "DownloadUrls"]] },
        { title = "Sessions: new, and kept ones used again", stat = "Sum", metrics = [["SMAS", "SessionsAssumed"], ["SMAS", "SessionsReused"]] },
      ]
    },
    {
      title = "Errors: does it fail"
      graphs = [
        { title = "Answers 5xx", stat = "Sum", metrics = [concat(["AWS/ApiGateway", "5xx"], local.api_metric), ["SMAS", "ServerErrors"]] },
        { title = "Answers 4xx", stat = "Sum", metrics = [concat(["AWS/ApiGateway", "4xx"], local.api_metric), ["SMAS", "ClientErrors"]] },
        { title = "Functions that broke off", stat = "Sum", metrics = [for name in sort(keys(local.functions)) : concat(["AWS/Lambda", "Errors"], local.function_metric[name])] },
        { title = "Throttles: API Gateway, functions, AWS below us", stat = "Sum", metrics = concat([["SMAS", "GatewayThrottles"], ["SMAS", "Throttled"]], [for name in sort(keys(local.functions)) : concat(["AWS/Lambda", "Throttles"], local.function_metric[name])]) },
      ]
    },
    {
      title = "Latency: is it slow"
      graphs = [
        { title = "API, median", stat = "p50", metrics = [concat(["AWS/ApiGateway", "Latency"], local.api_metric), ["SMAS", "Latency"]] },
        { title = "API, one in a hundred", stat = "p99", metrics = [concat(["AWS/ApiGateway", "Latency"], local.api_metric), ["SMAS", "Latency"]] },
        { title = "Requests at once", stat = "Maximum", metrics = [concat(["AWS/Lambda", "ConcurrentExecutions"], local.function_metric.api)] },
        { title = "Cold starts", stat = "Sum", metrics = [["SMAS", "ColdStarts"]] },
      ]
    },
    {
      title = "Verification: are uploads served"
      graphs = [
        { title = "Blobs", stat = "Sum", metrics = [["SMAS", "BlobsVerified"], ["SMAS", "BlobsQuarantined"]] },
        { title = "Versions", stat = "Sum", metrics = [["SMAS", "VersionsAvailable"], ["SMAS", "VersionsRejected"]] },
        { title = "Bytes verified", stat = "Sum", metrics = [["SMAS", "VerifiedBytes"]] },
        { title = "Time an event takes, longest", stat = "Maximum", metrics = [["SMAS", "VerificationTime"], concat(["AWS/Lambda", "Duration"], local.function_metric.verifier)] },
      ]
    },
    {
      title = "Queue: does it drain"
      graphs = [
        { title = "Events that wait", stat = "Maximum", metrics = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.events.name]] },
        { title = "Age of the oldest event", stat = "Maximum", metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.events.name], ["SMAS", "EventAge"]] },
        { title = "Events that failed and come again", stat = "Sum", metrics = [["SMAS", "EventsUnsettled"]] },
        { title = "Dead letters", stat = "Maximum", metrics = [for name in sort(keys(local.dead_letters)) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.dead_letters[name].queue]] },
      ]
    },
    {
      title = "Storage: what is kept and read"
      graphs = [
        { title = "Bytes kept", stat = "Average", period = 86400, metrics = [for class in ["StandardStorage", "IntelligentTieringFAStorage", "IntelligentTieringIAStorage"] : concat(["AWS/S3", "BucketSizeBytes"], local.bucket_metric, ["StorageType", class])] },
        { title = "Bytes of models read and written", stat = "Sum", metrics = [for metric in ["BytesDownloaded", "BytesUploaded"] : concat(["AWS/S3", metric], local.bucket_metric, ["FilterId", aws_s3_bucket_metric.blobs.name])] },
        { title = "Requests to S3", stat = "Sum", metrics = [for metric in ["GetRequests", "PutRequests", "ListRequests"] : concat(["AWS/S3", metric], local.bucket_metric, ["FilterId", aws_s3_bucket_metric.everything.name])] },
        { title = "Errors of S3", stat = "Sum", metrics = [for metric in ["4xxErrors", "5xxErrors"] : concat(["AWS/S3", metric], local.bucket_metric, ["FilterId", aws_s3_bucket_metric.everything.name])] },
      ]
    },
    {
      title = "Security: does anybody do what they should not"
      graphs = [
        { title = "Refused by the service, by AWS, for their token", stat = "Sum", metrics = [for name in ["refusals", "denied-calls", "unauthenticated", "gateway-refusals"] : ["SMAS", local.metric_filters[name].metric]] },
        { title = "Sessions that nobody announced; service and AWS of two minds", stat = "Sum", metrics = [["SMAS", local.metric_filters.unknown-sessions.metric], ["SMAS", "RefusedByAws"]] },
        { title = "Changes of what protects", stat = "Sum", metrics = [for name in sort([for name in keys(local.metric_filters) : name if endswith(name, "-changes") || endswith(name, "-losses")]) : ["SMAS", local.metric_filters[name].metric]] },
        { title = "The account: root, sign-ins", stat = "Sum", metrics = [for name in ["root-use", "console-sign-ins-without-mfa", "console-sign-in-failures", "unauthorized-calls"] : ["SMAS", local.metric_filters[name].metric]] },
      ]
    },
  ]

  # A page is 24 wide: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
  graph_width = 6
  row_height  = 7 # a line of title, then the graphs

  dashboard_alarms = concat(
    [for alarm in aws_cloudwatch_metric_alarm.plain : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.log : alarm.arn],
    [aws_cloudwatch_metric_alarm.egress_unusual.arn, aws_cloudwatch_metric_alarm.failed_sign_ins.arn],
  )

  dashboard_widgets = concat(
    [{
      type       = "alarm"
      x          = 0
      y          = 0
      width      = 24
      height     = 6
      properties = { title = "Alarms", sortBy = "stateUpdatedTimestamp", alarms = local.dashboard_alarms }
    }],
    [for number, row in local.dashboard_rows : {
      type       = "text"
      x          = 0
      y          = 6 + number * local.row_height
      width      = 24
      height     = 1
      properties = { markdown = "## ${row.title}" }
    }],
    flatten([for number, row in local.dashboard_rows : [for place, graph in row.graphs : {
      type   = "metric"
      x      = place * local.graph_width
      y      = 7 + number * local.row_height
      width  = local.graph_width
      height = local.row_height - 1
      properties = {
        title   = graph.title
        view    = "timeSeries"
        region  = var.region
        stat    = graph.stat
        period  = try(graph.period, 300)
        metrics = graph.metrics
        yAxis   = { left = { min = 0 } }
      }
    }]]),
  )
}

resource "aws_cloudwatch_dashboard" "store" {
  dashboard_name = var.name
  dashboard_body = jsonencode({ widgets = local.dashboard_widgets })
}
