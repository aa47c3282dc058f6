# The settings of both processes (docs/settings.md), made of what is deployed. The functions get these and nothing else.

locals {
  public_url = var.domain == null ? aws_apigatewayv2_api.store.api_endpoint : "https://${var.domain.name}"

  shared_settings = {
    AWS_REGION            = var.region
    SMAS_BUCKET           = aws_s3_bucket.models.id
    SMAS_ROLE_PREFIX      = local.role_prefix
    SMAS_METADATA_KEY_ARN = aws_kms_key.metadata.arn
    SMAS_URL_SECONDS      = tostring(var.url_seconds)
    SMAS_TRAIL_ARN        = module.cloudtrail.trail_arn
    SMAS_TRAIL_BUCKET     = module.cloudtrail.bucket
    SMAS_TRAIL_PREFIX     = ""
    SMAS_LOG_GROUP        = aws_cloudwatch_log_group.service.name
    SMAS_PEOPLE_ROLES     = join(",", sort(distinct(flatten([for arns in values(var.iam_people) : tolist(arns)]))))
  }

  service_settings = merge(local.shared_settings, {
    SMAS_PUBLIC_URL       = local.public_url
    SMAS_ISSUER           = local.issuer
    SMAS_JWKS_URL         = "${local.issuer}/.well-known/jwks.json"
    SMAS_PEOPLE_CLIENT_ID = aws_cognito_user_pool_client.people.id
    SMAS_CLIENT_IDS       = join(",", concat([aws_cognito_user_pool_client.people.id, aws_cognito_user_pool_client.canary.id], [for name in sort(keys(var.machines)) : aws_cognito_user_pool_client.machine[name].id]))
  })

  worker_settings = merge(local.shared_settings, {
    SMAS_EVENTS_QUEUE_URL = aws_sqs_queue.events.url
    SMAS_SWEEP_SECONDS    = "60"
    SMAS_WORKER_THREADS   = "2"
  })

  # AWS_REGION is Lambda's own to set: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
  reserved_settings = ["AWS_REGION"]
}
