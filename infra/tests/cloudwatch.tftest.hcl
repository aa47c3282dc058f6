# What is watched, who is told, and that each alarm says what to do. Nothing is asked of AWS: the provider is a mock.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "replica"
  source          = "./tests/mocks"
  override_during = plan
}

run "alarms_go_to_an_encrypted_topic" {
  command = plan

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.operations.arn
    error_message = "The topic must be encrypted under the key of operations."
  }

  assert {
    condition     = toset([for subscription in aws_sns_topic_subscription.email : "${subscription.protocol}:${subscription.endpoint}"]) == toset(["email:alarms@example.com"])
    error_message = "Each address of alarm_emails must be subscribed."
  }
}

run "the_topic_takes_alarms_of_this_account_alone_and_nothing_without_tls" {
  command = plan

  assert {
    condition = one([for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement if statement.Effect == "Allow"]) == {
      Sid       = "AlarmsNotify"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["sns:Publish"]
      Resource  = ["arn:aws:sns:eu-central-1:111122223333:smas-alarms"]
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:*" }
        StringEquals = { "aws:SourceAccount" = "111122223333" }
      }
    }
    error_message = "The topic's policy must allow CloudWatch's alarms of this account and nobody else."
  }

  assert {
    condition = one([for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement if statement.Effect == "Deny"]).Condition == {
      Bool = { "aws:SecureTransport" = "false" }
    }
    error_message = "The topic's policy must refuse what comes without TLS."
  }
}

run "what_must_be_watched_is" {
  command = plan

  assert {
    condition = length(setsubtract([
      "api-errors",         # 5xx
      "gateway-throttles",  # throttles: API Gateway's, each function's, AWS's
      "throttles-api",      #
      "throttles-verifier", #
      "aws-throttles",      #
      "slow-answers",       # duration
      "slow-verifications", #
      "errors-api",         # functions that break off
      "errors-verifier",    #
      "errors-token-groups",
      "events-dead", # dead letters, of events and of the schedule
      "invocations-dead",
      "events-late",  # the age of the oldest event
      "denied-calls", # denied by AWS, and refused by the service
      "refusals",
      "unauthenticated",
      "gateway-refusals",
      "egress",           # unusual egress
      "unknown-sessions", # AssumeRole unknown to the request log
      "trail-changes",    # any change to the trail, and to what watches it
      "watch-changes",
      "trail-silent",
      "key-losses", # to a key
      "key-changes",
      "bucket-policy-changes", # to a bucket's policy, or whatever else protects a bucket
      "bucket-changes",
      "object-lock-changes", # to Object Lock, and past it
      "role-changes",        # to a role of the store
      "function-changes",    # to what runs in such a role
      "root-use",
      "quarantined", # the verifier
      "rejected-versions",
      "unsettled-events",
    ], concat(keys(aws_cloudwatch_metric_alarm.plain), keys(aws_cloudwatch_metric_alarm.log)))) == 0
    error_message = "An alarm is missing."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.failed_sign_ins.threshold == var.alarm_thresholds.denied_calls_per_hour && aws_cloudwatch_metric_alarm.egress_unusual.threshold_metric_id == "band"
    error_message = "Failed sign-ins and unusual egress must be alarms."
  }
}

run "the_benchmarks_events_are_counted_in_the_trail" {
  command = plan

  assert {
    # CIS AWS Foundations v5, 4.1 to 4.9.
    condition = alltrue([for name in [
      "unauthorized-calls", "console-sign-ins-without-mfa", "root-use", "iam-changes", "trail-changes", "console-sign-in-failures",
      "key-losses", "bucket-policy-changes", "config-changes",
      ] : aws_cloudwatch_log_metric_filter.counted[name].log_group_name == module.cloudtrail.log_group_name
    ])
    error_message = "CIS 4.1 to 4.9 must each have a filter over the trail's log group."
  }

  assert {
    condition     = alltrue([for filter in aws_cloudwatch_log_metric_filter.counted : !strcontains(filter.pattern, "$${")])
    error_message = "A pattern names a placeholder that nothing fills."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_log_metric_filter.counted["denied-calls"].pattern, "\"arn:aws:iam::111122223333:role/smas-*\"")
    error_message = "Denied calls must be those of the store's roles."
  }
}

run "every_filter_has_its_alarm_and_every_alarm_its_filter" {
  command = plan

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.log)) == toset(keys(aws_cloudwatch_log_metric_filter.counted))
    error_message = "What is counted must be an alarm, and the other way round."
  }

  assert {
    condition = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.log :
      alarm.metric_name == aws_cloudwatch_log_metric_filter.counted[name].metric_transformation[0].name
      && alarm.namespace == aws_cloudwatch_log_metric_filter.counted[name].metric_transformation[0].namespace
    ])
    error_message = "An alarm must look at the metric that its filter counts."
  }
}

run "every_alarm_notifies_the_topic" {
  command = plan

  assert {
    condition = alltrue([for alarm in concat(
      values(aws_cloudwatch_metric_alarm.plain), values(aws_cloudwatch_metric_alarm.log),
      [aws_cloudwatch_metric_alarm.egress_unusual, aws_cloudwatch_metric_alarm.failed_sign_ins],
    ) : alarm.actions_enabled != false && alarm.alarm_actions == toset([aws_sns_topic.alarms.arn])])
    error_message = "An alarm that tells nobody is none."
  }
}

run "every_alarm_says_what_to_do_first" {
  command = plan

  variables {
    replica_region = "eu-west-1"
    capacity       = { warm = 1, warm_most = 2 }
  }

  assert {
    condition = alltrue([for alarm in concat(
      values(aws_cloudwatch_metric_alarm.plain), values(aws_cloudwatch_metric_alarm.log),
      [aws_cloudwatch_metric_alarm.egress_unusual, aws_cloudwatch_metric_alarm.failed_sign_ins],
      ) : length(alarm.alarm_description) <= 1024
      && can(regex("^.{20,}[.] First: .{20,} More: docs/operations[.]md#${trimprefix(alarm.alarm_name, "smas-")}$", alarm.alarm_description))
    ])
    error_message = "An alarm's description must say what it means, what to do first, and where to read on."
  }

  assert {
    # The page has one entry for each alarm, and none for others.
    condition = toset([for found in regexall("\n### `([a-z0-9-]+)`\n", split("\n## Alarms\n", file("${path.module}/../docs/operations.md"))[1]) : found[0]]) == toset([for alarm in concat(
      values(aws_cloudwatch_metric_alarm.plain), values(aws_cloudwatch_metric_alarm.log),
      [aws_cloudwatch_metric_alarm.egress_unusual, aws_cloudwatch_metric_alarm.failed_sign_ins],
    ) : trimprefix(alarm.alarm_name, "smas-")])
    error_message = "docs/operations.md must have an entry for each alarm in its section Alarms."
  }
}

run "one_is_enough_where_nobody_honest_does_it" {
  command = plan

  assert {
    condition = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.log :
      alarm.threshold == 1 && alarm.period == 300 if endswith(name, "-changes") || contains(["unknown-sessions", "key-losses", "root-use", "console-sign-ins-without-mfa"], name)
    ])
    error_message = "One change, one unknown session and one use of root must be an alarm within minutes."
  }
}

run "silence_is_an_alarm_where_something_always_happens" {
  command = plan

  assert {
    condition = alltrue([for name in ["trail-silent", "verifier-silent"] :
      aws_cloudwatch_metric_alarm.plain[name].treat_missing_data == "breaching"
      && aws_cloudwatch_metric_alarm.plain[name].comparison_operator == "LessThanThreshold"
      && aws_cloudwatch_metric_alarm.plain[name].threshold == 1
    ])
    error_message = "A trail and a verifier that say nothing must be noticed."
  }
}

run "dead_letters_stay_an_alarm_while_nobody_looks" {
  command = plan

  assert {
    # SQS stops reporting on a queue that nobody has touched for six hours.
    condition     = alltrue([for name in ["events-dead", "invocations-dead"] : aws_cloudwatch_metric_alarm.plain[name].treat_missing_data == "ignore" && aws_cloudwatch_metric_alarm.plain[name].threshold == 1])
    error_message = "Dead letters must stay an alarm when the queue falls silent."
  }
}

run "no_other_alarm_goes_off_for_want_of_data" {
  command = plan

  assert {
    condition = alltrue([for name, alarm in merge(aws_cloudwatch_metric_alarm.plain, aws_cloudwatch_metric_alarm.log) :
      alarm.treat_missing_data == "notBreaching" || contains(["trail-silent", "verifier-silent", "events-dead", "invocations-dead"], name)
    ])
    error_message = "A store that nobody uses at night must not wake anybody."
  }
}

run "what_is_unusual_is_said_by_the_variables" {
  command = plan

  variables {
    alarm_thresholds = { egress_gib_per_hour = 7, denied_calls_per_hour = 3 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.plain["egress"].threshold == 7516192768 && aws_cloudwatch_metric_alarm.plain["egress"].period == 3600
    error_message = "Egress must be an alarm from 7 GiB in an hour on."
  }

  assert {
    condition = alltrue(concat(
      [for name in ["denied-calls", "refusals", "unauthenticated", "gateway-refusals", "unauthorized-calls"] : aws_cloudwatch_metric_alarm.log[name].threshold == 3 && aws_cloudwatch_metric_alarm.log[name].period == 3600],
      [aws_cloudwatch_metric_alarm.failed_sign_ins.threshold == 3],
    ))
    error_message = "Denials must be an alarm from 3 in an hour on."
  }
}

run "what_is_not_there_is_not_watched" {
  command = plan

  assert {
    condition     = length([for name in keys(aws_cloudwatch_metric_alarm.plain) : name if name == "spillover" || startswith(name, "replication-")]) == 0
    error_message = "Without warm environments and a replica there is nothing to watch."
  }
}

run "spillover_is_watched_when_environments_are_kept_ready" {
  command = plan

  variables {
    capacity = { warm = 1, warm_most = 2 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.plain["spillover"].metric_name == "ProvisionedConcurrencySpilloverInvocations" && aws_cloudwatch_metric_alarm.plain["spillover"].dimensions["Resource"] == "smas-api:live"
    error_message = "Spill-over must be watched on the alias that is called."
  }
}

run "failed_copies_are_watched_where_there_is_a_replica" {
  command = plan

  variables {
    replica_region = "eu-west-1"
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_replication_configuration.models[0].rule : aws_cloudwatch_metric_alarm.plain["replication-${rule.id}"].dimensions["RuleId"] == rule.id])
    error_message = "Each rule of the replication must have its alarm."
  }
}

run "the_dashboard_answers_a_question_a_row" {
  command = plan

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.store.dashboard_body).widgets : split(":", trimprefix(widget.properties.markdown, "## "))[0] if widget.type == "text"] == [
      "Traffic", "Errors", "Latency", "Verification", "Queue", "Storage", "Security",
    ]
    error_message = "The dashboard must have its seven rows, in this order."
  }

  assert {
    condition = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.store.dashboard_body).widgets :
      widget.x + widget.width <= 24
      && length([for other in jsondecode(aws_cloudwatch_dashboard.store.dashboard_body).widgets : other if other.x < widget.x + widget.width && widget.x < other.x + other.width && other.y < widget.y + widget.height && widget.y < other.y + other.height]) == 1
    ])
    error_message = "No two graphs may lie over each other, and none beyond the page."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.store.dashboard_body).widgets[0].properties.alarms) == length(aws_cloudwatch_metric_alarm.plain) + length(aws_cloudwatch_metric_alarm.log) + 2
    error_message = "The dashboard must begin with all alarms."
  }
}
