# What is counted in the logs, and the alarms on it. How the store itself is doing: `alarms.tf`.
#
# The filters are files of their own (`metric-filters/`), because their patterns are tried on events in CloudTrail's shape offline. Those
# over the trail that CIS AWS Foundations 4.1 to 4.9 asks for have exactly its events; what it leaves out has filters beside them.

locals {
  metric_filters = {
    for file in fileset("${path.module}/metric-filters", "*.json") : trimsuffix(file, ".json") => jsondecode(
      templatefile("${path.module}/metric-filters/${file}", { name = var.name, role_prefix = local.role_prefix })
    )
  }

  filtered_log_groups = {
    api_gateway = aws_cloudwatch_log_group.api_gateway.name
    service     = aws_cloudwatch_log_group.service.name
    trail       = module.cloudtrail.log_group_name
    worker      = aws_cloudwatch_log_group.worker.name
  }

  denied_an_hour = { at_least = var.alarm_thresholds.denied_calls_per_hour, minutes = 60 }
  any            = { at_least = 1, minutes = 5 }

  # By the filter's name: from how many on, in how many minutes, what it means, and what to do first.
  log_alarms = {
    # Somebody does what is theirs to nobody.
    unknown-sessions = merge(local.any, {
      means = "A session of a persona exists that the service never announced: somebody uses its role without it."
      first = "Ask smas audit integrity whose session, from where; then revoke the service role's sessions."
    })
    denied-calls = merge(local.denied_an_hour, {
      means = "Sessions of the store's roles were denied by AWS unusually often. Nobody honest is: the service looks before it reads."
      first = "See who, and what they tried: smas audit events --outcome denied."
    })
    refusals = merge(local.denied_an_hour, {
      means = "The service refused unusually many requests of people with a token."
      first = "See who, and which models they asked for: smas audit events --outcome denied."
    })
    unauthenticated = merge(local.denied_an_hour, {
      means = "Unusually many requests reached the service without a valid token."
      first = "Look for source addresses in the service's log: audit = refusal, error_code = unauthenticated."
    })
    gateway-refusals = merge(local.denied_an_hour, {
      means = "API Gateway refused unusually many requests for their token."
      first = "Look for source_ip and authorizer_error in API Gateway's access log."
    })
    gateway-throttles = {
      at_least = 10
      minutes  = 5
      means    = "API Gateway answers 429: more requests a second than var.capacity allows."
      first    = "See in its access log whether one caller makes them; else raise requests_per_second and burst."
    }
    unauthorized-calls = merge(local.denied_an_hour, {
      means = "Calls were denied unusually often in this account (CIS 4.1)."
      first = "See whose in the trail, by errorCode and userIdentity.arn."
    })

    # Changes of what protects.
    trail-changes = merge(local.any, {
      means = "A trail was made, changed, started, stopped or deleted (CIS 4.5)."
      first = "If it was no deployment of yours: turn logging on again, then find out who and with which credentials."
    })
    watch-changes = merge(local.any, {
      means = "The trail's selectors, a log group, a metric filter, an alarm or this topic was changed: somebody may be putting out the lights."
      first = "If it was no deployment of yours: find out who in the trail, and run make plan to see what differs."
    })
    key-losses = merge(local.any, {
      means = "A KMS key was disabled or is to be deleted (CIS 4.7). What is encrypted under it is lost when it is gone."
      first = "If it was no decision of yours: aws kms cancel-key-deletion and enable-key at once."
    })
    key-changes = merge(local.any, {
      means = "A KMS key, its policy, its rotation or a grant was changed."
      first = "If it was no deployment of yours: compare the key's policy with make plan, list and revoke grants."
    })
    bucket-policy-changes = merge(local.any, {
      means = "A bucket's policy, access list, CORS, lifecycle or replication was changed (CIS 4.8)."
      first = "If it was no deployment of yours: make plan says what differs; put it back, then find out who."
    })
    bucket-changes = merge(local.any, {
      means = "A bucket of the store, or the account's block on public access, was configured differently."
      first = "If it was no deployment of yours: make plan says what differs; put it back, then find out who."
    })
    object-lock-changes = merge(local.any, {
      means = "Object Lock was configured, a retention or legal hold was set, or somebody deleted past it."
      first = "See in the trail which objects and whose session; versions that are gone come back from the replica alone."
    })
    role-changes = merge(local.any, {
      means = "A role of the store, its policy or who may assume it was changed."
      first = "If it was no deployment of yours: make plan says what differs; put it back, then revoke the role's sessions."
    })
    iam-changes = merge(local.any, {
      means = "A policy was changed, attached or detached in this account (CIS 4.4)."
      first = "If nobody of yours did: see in the trail what it now allows, and take it back."
    })
    function-changes = merge(local.any, {
      means = "A function of the store has other code, settings or callers. Whoever chooses its code has its role."
      first = "If it was no deployment of yours: put the alias back on the version before, and revoke the service role's sessions."
    })
    user-pool-changes = merge(local.any, {
      means = "The user pool, a client or an identity provider was changed, or somebody was given a role or a password, or barred, or let in again."
      first = "If it was no administrator of yours: take the person out of the group and sign them out of everything."
    })
    config-changes = merge(local.any, {
      means = "AWS Config was stopped or changed (CIS 4.9)."
      first = "If nobody of yours did: start the recorder again, then find out who."
    })

    # People at the account itself.
    root-use = merge(local.any, {
      means = "The account's root was used (CIS 4.3). Nothing here needs it."
      first = "Ask who holds it. If nobody did: change its password, remove its keys, call AWS."
    })
    console-sign-ins-without-mfa = merge(local.any, {
      means = "An IAM user signed in to the console without a second factor (CIS 4.2)."
      first = "Have the user add one, or take the user's password away."
    })
    console-sign-in-failures = {
      at_least = 3
      minutes  = 60
      means    = "Signing in to the console failed several times (CIS 4.6)."
      first    = "See user and address in the trail (ConsoleLogin); change the password if it was not the user."
    }
  }
}

resource "aws_cloudwatch_log_metric_filter" "counted" {
  for_each = local.metric_filters

  name           = each.key
  log_group_name = local.filtered_log_groups[each.value.log_group]
  pattern        = each.value.pattern

  metric_transformation {
    namespace     = each.value.namespace
    name          = each.value.metric
    value         = each.value.value
    default_value = each.value.default
  }
}

resource "aws_cloudwatch_metric_alarm" "log" {
  for_each = local.log_alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.means} First: ${each.value.first} More: docs/operations.md#${each.key}"

  namespace           = local.metric_filters[each.key].namespace
  metric_name         = local.metric_filters[each.key].metric
  statistic           = "Sum"
  period              = each.value.minutes * 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.at_least

  # Nothing is counted where no line came in, so nothing happened. That the trail itself fell silent is an alarm of its own.
  treat_missing_data = "notBreaching"

  # Told when it happens, not when the five minutes after it are quiet.
  alarm_actions = [aws_sns_topic.alarms.arn]

  depends_on = [aws_cloudwatch_log_metric_filter.counted]
}
