# How the store is doing. Alarms on what the logs tell: `cloudwatch.tf`.
#
# `missing` is what a gap in the metric means: AWS reports most of these only while something happens (notBreaching), a queue that
# nobody touches falls silent with messages in it (ignore: the alarm stays as it is), and some are there to notice silence (breaching).
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html

locals {
  functions = {
    api          = aws_lambda_function.api.function_name
    token-groups = aws_lambda_function.token_groups.function_name
    verifier     = aws_lambda_function.verifier.function_name
  }
  dead_letters = {
    events-dead = {
      queue = aws_sqs_queue.events_dead.name
      means = "The verifier gave up on events: what they tell of is neither verified nor released."
      first = "Find the reason in the worker's log by the message's key, mend it, then redrive the queue."
    }
    invocations-dead = {
      queue = aws_sqs_queue.invocations_dead.name
      means = "The scheduled sweep or watch failed: unannounced sessions may go unnoticed."
      first = "Read the message: it holds the error. Later sweeps make up for it; delete the message then."
    }
  }

  plain_alarms = merge(
    {
      api-errors = {
        metric     = ["AWS/ApiGateway", "5xx", "Sum"]
        dimensions = { ApiId = aws_apigatewayv2_api.store.id }
        at_least   = 5
        minutes    = 5
        means      = "The API answers with errors of its own (5xx)."
        first      = "Look for level ERROR in the service's log; if it began with a deployment, go back one version."
      }
      slow-answers = {
        metric     = ["AWS/Lambda", "Duration", "p99"]
        dimensions = { FunctionName = local.functions.api }
        at_least   = 5000
        minutes    = 5
        times      = 3
        means      = "One request in a hundred takes more than 5 s."
        first      = "See on the dashboard whether S3, STS or cold starts are slow; the query in docs/metrics.md names the requests."
      }
      slow-verifications = {
        metric     = ["AWS/Lambda", "Duration", "Maximum"]
        dimensions = { FunctionName = local.functions.verifier }
        at_least   = local.verifier_seconds * 900
        minutes    = 5
        means      = "A verification took nine tenths of the time it may take; a larger file will not end."
        first      = "Find the file in the worker's log: it may be larger than the 50 GB that are promised."
      }
      aws-throttles = {
        metric     = ["SMAS", "Throttled", "Sum"]
        dimensions = {}
        at_least   = 10
        minutes    = 5
        means      = "S3, STS or KMS throttle the service, which answers 429."
        first      = "The trail names the refused calls (docs/operations.md); raise that quota, or slow the caller that needs it."
      }
      refused-by-aws = {
        metric     = ["SMAS", "RefusedByAws", "Sum"]
        dimensions = {}
        at_least   = 1
        minutes    = 5
        means      = "AWS refused somebody whom the service had allowed: the two rules differ."
        first      = "Run make plan: a policy was changed, or the policies are of another release than the image."
      }
      events-late = {
        metric     = ["AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum"]
        dimensions = { QueueName = aws_sqs_queue.events.name }
        at_least   = 1800
        minutes    = 5
        times      = 3
        means      = "An event has waited for half an hour: what was uploaded is not available yet."
        first      = "See whether the verifier fails (its log), or is too small (var.capacity.verifications)."
      }
      unsettled-events = {
        metric     = ["SMAS", "EventsUnsettled", "Sum"]
        dimensions = {}
        at_least   = 20
        minutes    = 15
        means      = "Events fail and come again."
        first      = "Find the reason in the worker's log before they are given up."
      }
      quarantined = {
        metric     = ["SMAS", "BlobsQuarantined", "Sum"]
        dimensions = {}
        at_least   = 1
        minutes    = 5
        means      = "Bytes arrived that are not what their name says: damaged on the way, or slipped in."
        first      = "See in the worker's log which model, and in the trail whose session wrote them."
      }
      rejected-versions = {
        metric     = ["SMAS", "VersionsRejected", "Sum"]
        dimensions = {}
        at_least   = 1
        minutes    = 5
        means      = "A version was published that does not hold what it says."
        first      = "smas show names the reason; the author publishes again, or somebody wrote past the service."
      }
      egress = {
        metric     = ["AWS/S3", "BytesDownloaded", "Sum"]
        dimensions = { BucketName = aws_s3_bucket.models.id, FilterId = aws_s3_bucket_metric.blobs.name }
        at_least   = var.alarm_thresholds.egress_gib_per_hour * pow(2, 30)
        minutes    = 60
        means      = "More bytes of models left in an hour than is usual here (var.alarm_thresholds)."
        first      = "infra/athena/queries/downloads_per_person.sql says who; end that person's sessions if nobody knows why."
      }
      trail-silent = {
        metric     = ["AWS/Logs", "IncomingLogEvents", "Sum"]
        dimensions = { LogGroupName = module.cloudtrail.log_group_name }
        below      = 1
        minutes    = 60
        missing    = "breaching"
        means      = "The trail delivers nothing, although the sweep alone makes calls every minute."
        first      = "aws cloudtrail get-trail-status: logging is off, or its role, log group or key was changed."
      }
      verifier-silent = {
        metric     = ["AWS/Lambda", "Invocations", "Sum"]
        dimensions = { FunctionName = local.functions.verifier }
        below      = 1
        minutes    = 15
        missing    = "breaching"
        means      = "The verifier was not called for a quarter of an hour, although the sweep calls it every minute."
        first      = "See whether the rule of the sweep is disabled, or its permission to call the function is gone."
      }
    },
    {
      for name, function in local.functions : "errors-${name}" => {
        metric     = ["AWS/Lambda", "Errors", "Sum"]
        dimensions = { FunctionName = function }
        at_least   = 1
        minutes    = 5
        means      = "The function ${function} broke off: out of time, out of memory, or an error nobody expected."
        first      = "Look for the request id of the platform's report in its log; if it began with a deployment, go back one version."
      }
    },
    {
      for name, function in local.functions : "throttles-${name}" => {
        metric     = ["AWS/Lambda", "Throttles", "Sum"]
        dimensions = { FunctionName = function }
        at_least   = 1
        minutes    = 5
        means      = "The function ${function} is called more often at once than it may run."
        first      = "Raise its concurrency (var.capacity), after a look at the account's own limit."
      }
    },
    {
      for name, letters in local.dead_letters : name => {
        metric     = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"]
        dimensions = { QueueName = letters.queue }
        at_least   = 1
        minutes    = 5
        missing    = "ignore"
        means      = letters.means
        first      = letters.first
      }
    },
    var.capacity.warm == 0 ? {} : {
      spillover = {
        metric     = ["AWS/Lambda", "ProvisionedConcurrencySpilloverInvocations", "Sum"]
        dimensions = { FunctionName = local.functions.api, Resource = "${local.functions.api}:${aws_lambda_alias.api.name}" }
        at_least   = 1
        minutes    = 5
        times      = 3
        means      = "More requests come at once than environments are kept ready: some people wait for cold starts."
        first      = "Raise var.capacity.warm, or warm_most if the scaling has reached it."
      }
    },
    {
      for rule in(var.replica_region == null ? [] : ["bytes", "records"]) : "replication-${rule}" => {
        metric = ["AWS/S3", "OperationsFailedReplication", "Sum"]
        dimensions = {
          SourceBucket      = aws_s3_bucket.models.id
          DestinationBucket = local.replica_bucket
          RuleId            = rule
        }
        at_least = 1
        minutes  = 15
        means    = "Objects were not copied to the second region: it lacks them."
        first    = "See the replication role's denied calls in the trail; then copy what failed with S3 Batch Replication."
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "plain" {
  for_each = local.plain_alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.means} First: ${each.value.first} More: docs/operations.md#${each.key}"

  namespace           = each.value.metric[0]
  metric_name         = each.value.metric[1]
  statistic           = startswith(each.value.metric[2], "p") ? null : each.value.metric[2]
  extended_statistic  = startswith(each.value.metric[2], "p") ? each.value.metric[2] : null
  dimensions          = each.value.dimensions
  period              = each.value.minutes * 60
  evaluation_periods  = try(each.value.times, 1)
  comparison_operator = can(each.value.below) ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold"
  threshold           = try(each.value.at_least, each.value.below)
  treat_missing_data  = try(each.value.missing, "notBreaching")

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# Unusual for this hour of this day of the week, however little it is: S3's own count against a band that CloudWatch learns from two
# weeks. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Anomaly_Detection.html
resource "aws_cloudwatch_metric_alarm" "egress_unusual" {
  alarm_name        = "${var.name}-egress-unusual"
  alarm_description = "Far more bytes of models left in an hour than at this time in other weeks. First: infra/athena/queries/downloads_per_person.sql says who. More: docs/operations.md#egress-unusual"

  comparison_operator = "GreaterThanUpperThreshold"
  evaluation_periods  = 1
  threshold_metric_id = "band"
  # Nothing was read.
  treat_missing_data = "notBreaching"

  metric_query {
    id          = "bytes"
    return_data = true

    metric {
      namespace   = "AWS/S3"
      metric_name = "BytesDownloaded"
      dimensions  = local.plain_alarms.egress.dimensions
      period      = 3600
      stat        = "Sum"
    }
  }

  metric_query {
    id          = "band"
    label       = "usual"
    expression  = "ANOMALY_DETECTION_BAND(bytes, 4)"
    return_data = true
  }

  alarm_actions = [aws_sns_topic.alarms.arn]
}

# Cognito counts attempts, and as their sum those that succeeded; the rest failed:
# https://docs.aws.amazon.com/cognito/latest/developerguide/metrics-for-cognito-user-pools.html
resource "aws_cloudwatch_metric_alarm" "failed_sign_ins" {
  alarm_name        = "${var.name}-failed-sign-ins"
  alarm_description = "Signing in to the store failed unusually often. First: see in the trail for which users and from where (eventSource cognito-idp.amazonaws.com), and force a new password on those. More: docs/operations.md#failed-sign-ins"

  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 1
  threshold           = var.alarm_thresholds.denied_calls_per_hour
  # Nobody tried.
  treat_missing_data = "notBreaching"

  metric_query {
    id          = "failed"
    expression  = "attempts - successes"
    label       = "Failed sign-ins"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { attempts = "SampleCount", successes = "Sum" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/Cognito"
        metric_name = "SignInSuccesses"
        period      = 3600
        stat        = metric_query.value

        dimensions = {
          UserPool       = aws_cognito_user_pool.people.id
          UserPoolClient = aws_cognito_user_pool_client.people.id
        }
      }
    }
  }

  alarm_actions = [aws_sns_topic.alarms.arn]
}
