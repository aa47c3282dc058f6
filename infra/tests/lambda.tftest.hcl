# The functions: what runs, within which bounds, and what wakes it. Nothing is asked of AWS: the provider is a mock.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/its-own" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:smas" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:111122223333:rule/smas-sweep" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:eu-central-1:111122223333:smas-invocations-dead"
      url = "https://sqs.eu-central-1.amazonaws.com/111122223333/smas-invocations-dead"
    }
  }
}

mock_provider "aws" {
  alias           = "replica"
  override_during = plan
}

variables {
  region = "eu-central-1"
  image  = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  teams  = ["fraud", "nlp"]
}

run "all_functions_are_the_one_image_by_its_digest" {
  command = plan

  assert {
    condition = alltrue([for each in [aws_lambda_function.api, aws_lambda_function.verifier, aws_lambda_function.token_groups] :
      each.package_type == "Image" && each.image_uri == var.image && each.architectures == tolist(["x86_64"])
    ])
    error_message = "What runs is the image that was tested and signed, by its digest."
  }
}

run "each_function_starts_the_runtime_client_with_its_own_entry" {
  command = plan

  assert {
    condition = alltrue([for each in [aws_lambda_function.api, aws_lambda_function.verifier, aws_lambda_function.token_groups] :
      each.image_config[0].entry_point == tolist(["python", "-m", "awslambdaric"])
    ])
    error_message = "The image's own command is gunicorn; Lambda needs its runtime client."
  }

  assert {
    condition = [for each in [aws_lambda_function.api, aws_lambda_function.verifier, aws_lambda_function.token_groups] : each.image_config[0].command[0]] == [
      "service.lambda_handler.api", "service.lambda_handler.verifier", "service.lambda_handler.token_groups"
    ]
    error_message = "The entries are those of service/lambda_handler.py."
  }
}

run "each_function_has_a_role_of_its_own" {
  command = plan

  override_resource {
    target          = aws_iam_role.service
    override_during = plan
    values          = { arn = "arn:aws:iam::111122223333:role/smas-service" }
  }

  override_resource {
    target          = aws_iam_role.worker
    override_during = plan
    values          = { arn = "arn:aws:iam::111122223333:role/smas-worker" }
  }

  override_resource {
    target          = aws_iam_role.token_groups
    override_during = plan
    values          = { arn = "arn:aws:iam::111122223333:role/smas-token-groups" }
  }

  assert {
    condition = [aws_lambda_function.api.role, aws_lambda_function.verifier.role, aws_lambda_function.token_groups.role] == [
      "arn:aws:iam::111122223333:role/smas-service", "arn:aws:iam::111122223333:role/smas-worker", "arn:aws:iam::111122223333:role/smas-token-groups"
    ]
    error_message = "What maps groups must not be able to become anybody, nor the verifier a person."
  }
}

run "settings_are_the_environment_and_nothing_else_is" {
  command = plan

  assert {
    condition     = sort(keys(aws_lambda_function.api.environment[0].variables)) == tolist(sort([for name in keys(local.service_settings) : name if name != "AWS_REGION"]))
    error_message = "The API has the service's settings, but for what Lambda sets itself."
  }

  assert {
    condition     = sort(keys(aws_lambda_function.verifier.environment[0].variables)) == tolist(sort([for name in keys(local.worker_settings) : name if name != "AWS_REGION"]))
    error_message = "The verifier has the worker's settings, but for what Lambda sets itself."
  }

  assert {
    condition     = aws_lambda_function.token_groups.environment[0].variables == tomap({ SMAS_PROVIDER_GROUPS = "{}" })
    error_message = "What maps groups has its mapping alone."
  }
}

run "environments_are_encrypted_with_our_key" {
  command = plan

  assert {
    condition = alltrue([for each in [aws_lambda_function.api, aws_lambda_function.verifier, aws_lambda_function.token_groups] :
      each.kms_key_arn == aws_kms_key.operations.arn
    ])
    error_message = "Environments must be under our own key."
  }
}

run "the_api_gives_up_before_the_gateway_does" {
  command = plan

  assert {
    condition     = aws_lambda_function.api.timeout * 1000 < aws_apigatewayv2_integration.store.timeout_milliseconds && aws_apigatewayv2_integration.store.timeout_milliseconds <= 30000
    error_message = "The function must end before the gateway stops waiting, and that waits for 30 s at most."
  }
}

run "the_verifier_has_the_time_of_the_largest_file" {
  command = plan

  assert {
    condition     = aws_lambda_function.verifier.timeout == 900 && aws_lambda_function.token_groups.timeout == 5
    error_message = "The verifier needs Lambda's 15 minutes; Cognito waits for 5 s."
  }
}

run "concurrency_is_reserved" {
  command = plan

  variables {
    capacity = { concurrency = 30, verifications = 7 }
  }

  assert {
    condition     = aws_lambda_function.api.reserved_concurrent_executions == 30
    error_message = "The API's ceiling is what capacity says."
  }

  assert {
    condition     = aws_lambda_function.verifier.reserved_concurrent_executions == 8 && aws_lambda_event_source_mapping.events.scaling_config[0].maximum_concurrency == 7
    error_message = "Messages take up what capacity says, and one place is left for the schedule."
  }

  assert {
    condition     = aws_lambda_function.token_groups.reserved_concurrent_executions > 0
    error_message = "Signing in must not wait for the others."
  }
}

run "log_groups_keep_their_lines_and_are_encrypted_with_our_key" {
  command = plan

  variables {
    log_days = 731
  }

  assert {
    condition = alltrue([for group in [aws_cloudwatch_log_group.service, aws_cloudwatch_log_group.worker, aws_cloudwatch_log_group.token_groups, aws_cloudwatch_log_group.api_gateway] :
      group.retention_in_days == 731 && group.kms_key_id == aws_kms_key.operations.arn && startswith(group.name, "/smas/")
    ])
    error_message = "Each log group keeps its lines for log_days, under our own key, which covers groups of the store's name."
  }
}

run "functions_log_json_into_their_own_group" {
  command = plan

  assert {
    condition = [for each in [aws_lambda_function.api, aws_lambda_function.verifier, aws_lambda_function.token_groups] : [each.logging_config[0].log_format, each.logging_config[0].log_group]] == [
      ["JSON", "/smas/service"], ["JSON", "/smas/worker"], ["JSON", "/smas/token-groups"]
    ]
    error_message = "Each function's lines go to its own group, as JSON."
  }

  assert {
    condition     = aws_lambda_function.api.environment[0].variables["SMAS_LOG_GROUP"] == aws_lambda_function.api.logging_config[0].log_group
    error_message = "The audit reads the group that the API writes."
  }
}

run "calls_are_traced" {
  command = plan

  assert {
    condition = alltrue([for each in [aws_lambda_function.api, aws_lambda_function.verifier, aws_lambda_function.token_groups] :
      each.tracing_config[0].mode == "Active"
    ])
    error_message = "Every function must be traced."
  }
}

run "the_alias_live_is_what_is_called" {
  command = plan

  assert {
    condition     = aws_lambda_alias.api.name == "live" && aws_lambda_function.api.publish && aws_lambda_alias.api.function_version == aws_lambda_function.api.version
    error_message = "A deployment publishes a version, and `live` is moved to it."
  }
}

run "nothing_is_kept_warm_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_lambda_provisioned_concurrency_config.api) == 0 && length(aws_appautoscaling_target.api) == 0 && length(aws_appautoscaling_policy.api) == 0
    error_message = "Without capacity.warm there is no provisioned concurrency to pay for."
  }
}

run "what_is_kept_warm_follows_its_use" {
  command = plan

  variables {
    capacity = { concurrency = 100, warm = 5, warm_most = 40 }
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.api[0].provisioned_concurrent_executions == 5 && aws_lambda_provisioned_concurrency_config.api[0].qualifier == "live"
    error_message = "Environments are kept ready for the alias."
  }

  assert {
    condition     = aws_appautoscaling_target.api[0].min_capacity == 5 && aws_appautoscaling_target.api[0].max_capacity == 40 && aws_appautoscaling_target.api[0].resource_id == "function:smas-api:live"
    error_message = "It scales between warm and warm_most."
  }

  assert {
    condition = alltrue([for tracking in aws_appautoscaling_policy.api[0].target_tracking_scaling_policy_configuration :
      tracking.target_value == 0.7 && tracking.predefined_metric_specification[0].predefined_metric_type == "LambdaProvisionedConcurrencyUtilization"
    ])
    error_message = "It scales by use."
  }
}

run "messages_reach_the_verifier_and_failed_ones_come_again_alone" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.events.event_source_arn == aws_sqs_queue.events.arn && aws_lambda_event_source_mapping.events.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "One message that fails must not bring its batch back."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.events.batch_size <= 10
    error_message = "A large batch would share one deadline."
  }
}

run "the_sweep_and_the_watch_are_called_every_minute_by_this_rule_alone" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(1 minute)" && aws_cloudwatch_event_target.sweep.arn == aws_lambda_function.verifier.arn
    error_message = "What messages forgot is looked for every minute."
  }

  assert {
    condition     = aws_lambda_permission.sweep.principal == "events.amazonaws.com" && aws_lambda_permission.sweep.source_arn == aws_cloudwatch_event_rule.sweep.arn && aws_lambda_permission.sweep.source_account == "111122223333"
    error_message = "EventBridge may call the verifier for this rule of this account alone."
  }
}

run "failed_invocations_are_set_aside_encrypted_and_apart_from_events" {
  command = plan

  assert {
    condition     = aws_lambda_function_event_invoke_config.verifier.destination_config[0].on_failure[0].destination == aws_sqs_queue.invocations_dead.arn && aws_sqs_queue.invocations_dead.name == "smas-invocations-dead"
    error_message = "A scheduled invocation that fails must leave a trace."
  }

  assert {
    condition     = aws_sqs_queue.invocations_dead.kms_master_key_id == aws_kms_key.operations.arn && aws_sqs_queue.invocations_dead.message_retention_seconds == 1209600
    error_message = "It must be encrypted with our key and kept for as long as SQS keeps messages."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.invocations_dead.policy).Statement[0].Sid == "TlsOnly" && jsondecode(aws_sqs_queue_policy.invocations_dead.policy).Statement[0].Resource == [aws_sqs_queue.invocations_dead.arn]
    error_message = "It must be reached through TLS alone."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.worker_queues.policy).Statement[0].Resource == [aws_sqs_queue.invocations_dead.arn]
    error_message = "Lambda writes there with the verifier's role."
  }
}

run "cognito_may_call_what_maps_groups_for_our_pool_alone" {
  command = plan

  override_resource {
    target          = aws_cognito_user_pool.people
    override_during = plan
    values          = { id = "eu-central-1_example", arn = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_example" }
  }

  assert {
    condition     = aws_lambda_permission.token_groups.principal == "cognito-idp.amazonaws.com" && aws_lambda_permission.token_groups.source_arn == "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_example" && aws_lambda_permission.token_groups.source_account == "111122223333"
    error_message = "No other pool may ask it."
  }
}

run "more_groups_than_an_environment_holds_are_refused" {
  command = plan

  variables {
    identity_providers = {
      Bank = {
        saml_metadata_url = "https://sign-in.example.com/metadata.xml"
        groups_attribute  = "groups"
        groups            = { for number in range(100) : "00000000-0000-0000-0000-${1000000000 + number}" => ["approver@fraud"] }
      }
    }
  }

  expect_failures = [aws_lambda_function.token_groups]
}

run "an_image_is_named_by_its_digest" {
  command = plan

  variables {
    image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas:latest"
  }

  expect_failures = [var.image]
}

run "warm_environments_fit_into_the_concurrency" {
  command = plan

  variables {
    capacity = { concurrency = 10, warm = 5, warm_most = 20 }
  }

  expect_failures = [var.capacity]
}
