# The way in. A bad token on /v1 is refused here, before a function runs and is paid for; the service checks every token itself all the
# same. There is no route but these, so nothing else reaches it.
#
# No CORS: no page of another site is a client of the store, and a browser therefore refuses to be one.
# AWS WAF does not attach to HTTP APIs: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html

locals {
  # Without a token: whether it runs, how to sign in, what it can do (docs/access.md). /hf is kept for
  # clients that need errors which a gateway cannot phrase; this release answers 404 there.
  open_routes = [
    "GET /healthz",
    "GET /readyz",
    "GET /openapi.json",
    "GET /docs",
    "GET /.well-known/{proxy+}",
    "ANY /hf/{proxy+}",
  ]

  # One line a request; what never reached the service is on record here alone. In this order, because what a caller chose comes before
  # what API Gateway knows: a reader of JSON keeps the later of two members of one name. No header is in it, so no token is.
  # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
  gateway_log_fields = [
    ["path", "\"$context.path\""],
    ["method", "\"$context.httpMethod\""],
    ["time", "\"$context.requestTime\""],
    ["request_id", "\"$context.requestId\""],
    ["extended_request_id", "\"$context.extendedRequestId\""],
    ["route", "\"$context.routeKey\""],
    ["stage", "\"$context.stage\""],
    ["source_ip", "\"$context.identity.sourceIp\""],
    ["protocol", "\"$context.protocol\""],
    ["status", "\"$context.status\""],
    ["response_bytes", "\"$context.responseLength\""],
    ["latency_ms", "\"$context.responseLatency\""],
    ["subject", "\"$context.authorizer.claims.sub\""],
    ["client_id", "\"$context.authorizer.claims.client_id\""],
    ["token_id", "\"$context.authorizer.claims.jti\""],
    ["authorizer_error", "\"$context.authorizer.error\""],
    # Already quoted, by API Gateway.
    ["error", "$context.error.messageString"],
    ["error_type", "\"$context.error.responseType\""],
    ["lambda_request_id", "\"$context.integration.requestId\""],
    ["integration_status", "\"$context.integrationStatus\""],
    ["integration_latency_ms", "\"$context.integrationLatency\""],
    ["integration_error", "\"$context.integrationErrorMessage\""],
  ]
  gateway_log_format = "{${join(",", [for field in local.gateway_log_fields : "\"${field[0]}\":${field[1]}"])}}"
}

resource "aws_apigatewayv2_api" "store" {
  name          = var.name
  description   = "The store of models."
  protocol_type = "HTTP"
  # With an address of its own there is one way in, not two.
  disable_execute_api_endpoint = var.domain != null
}

resource "aws_apigatewayv2_integration" "store" {
  api_id           = aws_apigatewayv2_api.store.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_alias.api.invoke_arn
  # The service reads no other (docs/adr/0013-one-image.md).
  payload_format_version = "2.0"
  timeout_milliseconds   = (local.api_seconds + 1) * 1000
}

resource "aws_lambda_permission" "api" {
  statement_id  = "the-http-api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.api.function_name
  qualifier     = aws_lambda_alias.api.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.store.execution_arn}/*/*"
}

# Access tokens of Cognito have no `aud`; then API Gateway holds `client_id` against the audience:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
# An identity token passes here, for its `aud` is a client too; the service takes access tokens alone.
resource "aws_apigatewayv2_authorizer" "tokens" {
  api_id           = aws_apigatewayv2_api.store.id
  name             = "tokens"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = local.issuer
    audience = split(",", local.service_settings.SMAS_CLIENT_IDS)
  }
}

resource "aws_apigatewayv2_route" "v1" {
  api_id             = aws_apigatewayv2_api.store.id
  route_key          = "ANY /v1/{proxy+}"
  target             = "integrations/${aws_apigatewayv2_integration.store.id}"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.tokens.id
}

resource "aws_apigatewayv2_route" "open" {
  for_each = toset(local.open_routes)

  api_id             = aws_apigatewayv2_api.store.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.store.id}"
  authorization_type = "NONE"
}

resource "aws_apigatewayv2_stage" "store" {
  api_id      = aws_apigatewayv2_api.store.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.capacity.requests_per_second
    throttling_burst_limit   = var.capacity.burst
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api_gateway.arn
    format          = local.gateway_log_format
  }
}

resource "aws_cloudwatch_log_group" "api_gateway" {
  name              = "/${var.name}/api-gateway"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.operations.arn
}

# The store's own address. Its DNS record, an alias of what the output `domain_target` names, is made where the zone is kept.
resource "aws_apigatewayv2_domain_name" "store" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name

  domain_name_configuration {
    certificate_arn = var.domain.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "store" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.store.id
  domain_name = aws_apigatewayv2_domain_name.store[0].id
  stage       = aws_apigatewayv2_stage.store.id
}
