# One image, three functions by their command (../Dockerfile). None has a function URL: the API is reached through API Gateway alone.
# Code signing is for packages, not for images: an image is named by its digest (var.image), and its signature is checked before it is
# deployed (docs/supply-chain.md). https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html

locals {
  runtime_client = ["python", "-m", "awslambdaric"]
  # What is built on CI machines of today and measured in benchmarks/. All locked packages have wheels for arm64 as well: a fifth
  # cheaper, if the image is built there.
  architecture = "x86_64"

  # At 1,769 MB a function has one whole processor: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
  one_processor = 1769

  # API Gateway waits for 30 s at most: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
  api_seconds = 28

  # Lambda's most. A file is at most 50 GB because it must be hashed in this time; the queue hides a message for longer (sqs.tf).
  verifier_seconds = 900
}

resource "aws_cloudwatch_log_group" "service" {
  name              = local.service_log_group
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.operations.arn
}

resource "aws_cloudwatch_log_group" "worker" {
  name              = local.worker_log_group
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.operations.arn
}

resource "aws_cloudwatch_log_group" "token_groups" {
  name              = "/${var.name}/token-groups"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.operations.arn
}

resource "aws_lambda_function" "api" {
  function_name = "${var.name}-api"
  description   = "The HTTP service."
  role          = aws_iam_role.service.arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = [local.architecture]
  memory_size   = local.one_processor
  timeout       = local.api_seconds
  # Versions are what the alias moves between, one of them back.
  publish                        = true
  reserved_concurrent_executions = var.capacity.concurrency
  kms_key_arn                    = aws_kms_key.operations.arn

  image_config {
    entry_point = local.runtime_client
    command     = ["service.lambda_handler.api"]
  }

  environment {
    variables = { for name, value in local.service_settings : name => value if !contains(local.reserved_settings, name) }
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.service.name
    application_log_level = "INFO"
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_iam_role_policy.service, aws_iam_role_policy.function]
}

resource "aws_lambda_alias" "api" {
  name             = "live"
  description      = "What API Gateway calls."
  function_name    = aws_lambda_function.api.function_name
  function_version = aws_lambda_function.api.version
}

# Environments that are kept ready, when asked for: var.capacity.warm.
resource "aws_lambda_provisioned_concurrency_config" "api" {
  count = var.capacity.warm > 0 ? 1 : 0

  function_name                     = aws_lambda_function.api.function_name
  qualifier                         = aws_lambda_alias.api.name
  provisioned_concurrent_executions = var.capacity.warm

  lifecycle {
    # From here on it is the scaling's.
    ignore_changes = [provisioned_concurrent_executions]
  }
}

resource "aws_appautoscaling_target" "api" {
  count = var.capacity.warm > 0 ? 1 : 0

  service_namespace  = "lambda"
  resource_id        = "function:${aws_lambda_function.api.function_name}:${aws_lambda_alias.api.name}"
  scalable_dimension = "lambda:function:ProvisionedConcurrency"
  min_capacity       = var.capacity.warm
  max_capacity       = var.capacity.warm_most

  depends_on = [aws_lambda_provisioned_concurrency_config.api]
}

resource "aws_appautoscaling_policy" "api" {
  count = var.capacity.warm > 0 ? 1 : 0

  name               = "${var.name}-api"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.api[0].service_namespace
  resource_id        = aws_appautoscaling_target.api[0].resource_id
  scalable_dimension = aws_appautoscaling_target.api[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    # https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
    target_value = 0.7

    predefined_metric_specification {
      predefined_metric_type = "LambdaProvisionedConcurrencyUtilization"
    }
  }
}

resource "aws_lambda_function" "verifier" {
  function_name = "${var.name}-verifier"
  description   = "The verifier: batches of messages, and the sweep and the watch when the schedule calls."
  role          = aws_iam_role.worker.arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = [local.architecture]
  # It reads ahead on several connections while it hashes: two processors.
  memory_size = 2 * local.one_processor
  timeout     = local.verifier_seconds
  # One more than the queue may take up, so that a full queue never keeps the schedule waiting.
  reserved_concurrent_executions = var.capacity.verifications + 1
  kms_key_arn                    = aws_kms_key.operations.arn

  image_config {
    entry_point = local.runtime_client
    command     = ["service.lambda_handler.verifier"]
  }

  environment {
    variables = { for name, value in local.worker_settings : name => value if !contains(local.reserved_settings, name) }
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.worker.name
    application_log_level = "INFO"
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_iam_role_policy.worker, aws_iam_role_policy.worker_queues, aws_iam_role_policy.function]
}

resource "aws_lambda_event_source_mapping" "events" {
  event_source_arn = aws_sqs_queue.events.arn
  function_name    = aws_lambda_function.verifier.arn
  # One message may mean fifty gigabytes, so few share a deadline; what is not reached comes again.
  batch_size              = 5
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.capacity.verifications
  }
}

# What messages forgot is looked for every minute, as SMAS_SWEEP_SECONDS has it, and so are sessions that nobody announced. A rule and
# not EventBridge Scheduler: its events say themselves that they are scheduled, and the function works on no others.
resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${var.name}-sweep"
  description         = "The verifier sweeps, and watches for sessions that nobody announced."
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule = aws_cloudwatch_event_rule.sweep.name
  arn  = aws_lambda_function.verifier.arn

  # The next minute has its own.
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 1
  }
}

resource "aws_lambda_permission" "sweep" {
  statement_id   = "the-schedule"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.verifier.function_name
  principal      = "events.amazonaws.com"
  source_arn     = aws_cloudwatch_event_rule.sweep.arn
  source_account = local.account
}

# A scheduled invocation that failed, or waited for too long, is set aside with its reason. A queue of its own: what is in the dead-letter
# queue of the events goes back to the verifier some day, and this must not.
resource "aws_lambda_function_event_invoke_config" "verifier" {
  function_name                = aws_lambda_function.verifier.function_name
  maximum_event_age_in_seconds = 300
  maximum_retry_attempts       = 1

  destination_config {
    on_failure {
      destination = aws_sqs_queue.invocations_dead.arn
    }
  }
}

resource "aws_sqs_queue" "invocations_dead" {
  name                      = "${var.name}-invocations-dead"
  message_retention_seconds = 1209600 # the longest that SQS keeps one
  kms_master_key_id         = aws_kms_key.operations.arn
}

resource "aws_sqs_queue_policy" "invocations_dead" {
  queue_url = aws_sqs_queue.invocations_dead.url
  policy    = templatefile("${path.module}/policies/events-dead-queue.json", { events_queue_arn = trimsuffix(aws_sqs_queue.invocations_dead.arn, "-dead") })
}

# The groups in a token, decided while it is made (cognito.tf). Its settings are its own: docs/settings.md.
resource "aws_lambda_function" "token_groups" {
  function_name = "${var.name}-token-groups"
  description   = "Which groups a token names: the pool's own, or what an identity provider's groups mean here."
  role          = aws_iam_role.token_groups.arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = [local.architecture]
  memory_size   = 512
  # Cognito waits for 5 s: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
  timeout                        = 5
  reserved_concurrent_executions = 10
  kms_key_arn                    = aws_kms_key.operations.arn

  image_config {
    entry_point = local.runtime_client
    command     = ["service.lambda_handler.token_groups"]
  }

  environment {
    variables = { SMAS_PROVIDER_GROUPS = local.provider_groups }
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.token_groups.name
    application_log_level = "INFO"
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = "Active"
  }

  lifecycle {
    precondition {
      # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
      condition     = length(local.provider_groups) <= 4000
      error_message = "identity_providers name too many groups: a function's environment holds 4 KB. One group of theirs may mean several roles here."
    }
  }

  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_permission" "token_groups" {
  statement_id   = "the-user-pool"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.token_groups.function_name
  principal      = "cognito-idp.amazonaws.com"
  source_arn     = aws_cognito_user_pool.people.arn
  source_account = local.account
}
