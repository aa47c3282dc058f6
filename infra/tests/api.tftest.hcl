# The way in: what is let through, what is not, and what is written down. Nothing is asked of AWS: the provider is a mock.

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

  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      api_endpoint  = "https://example.execute-api.eu-central-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:eu-central-1:111122223333:example"
    }
  }

  mock_resource "aws_cognito_user_pool" {
    defaults = {
      id       = "eu-central-1_example"
      arn      = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_example"
      endpoint = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example"
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
  machines = {
    ci = ["data-scientist@fraud"]
  }
}

run "v1_needs_a_token" {
  command = plan

  override_resource {
    target          = aws_apigatewayv2_authorizer.tokens
    override_during = plan
    values          = { id = "tokens" }
  }

  assert {
    condition     = aws_apigatewayv2_route.v1.route_key == "ANY /v1/{proxy+}" && aws_apigatewayv2_route.v1.authorization_type == "JWT" && aws_apigatewayv2_route.v1.authorizer_id == "tokens"
    error_message = "Everything below /v1 must have passed the authorizer."
  }
}

run "tokens_are_our_pools_for_our_clients" {
  command = plan

  override_resource {
    target          = aws_cognito_user_pool_client.people
    override_during = plan
    values          = { id = "people" }
  }

  override_resource {
    target          = aws_cognito_user_pool_client.canary
    override_during = plan
    values          = { id = "canary" }
  }

  override_resource {
    target          = aws_cognito_user_pool_client.machine
    override_during = plan
    values          = { id = "machine" }
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.tokens.jwt_configuration[0].issuer == "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example" && aws_apigatewayv2_authorizer.tokens.jwt_configuration[0].issuer == local.service_settings.SMAS_ISSUER
    error_message = "The gateway must take tokens of our pool alone, as the service does."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.tokens.jwt_configuration[0].audience == toset(["people", "canary", "machine"])
    error_message = "The gateway must take tokens of our clients alone."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.tokens.authorizer_type == "JWT" && aws_apigatewayv2_authorizer.tokens.identity_sources == toset(["$request.header.Authorization"])
    error_message = "A token comes in the header."
  }
}

run "only_these_routes_are_open" {
  command = plan

  assert {
    condition     = toset([for route in aws_apigatewayv2_route.open : route.route_key if route.authorization_type == "NONE"]) == toset(["ANY /hf/{proxy+}", "GET /.well-known/{proxy+}", "GET /docs", "GET /healthz", "GET /openapi.json", "GET /readyz"])
    error_message = "Without a token there is only what docs/access.md gives to anybody, and /hf, where the service asks for it."
  }

  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.open : !strcontains(route.route_key, "/v1") && route.route_key != "$default"])
    error_message = "No open route may lead to /v1."
  }
}

run "the_api_calls_the_alias_and_may_call_nothing_else" {
  command = plan

  override_resource {
    target          = aws_lambda_alias.api
    override_during = plan
    values          = { invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:111122223333:function:smas-api:live/invocations" }
  }

  assert {
    condition     = endswith(aws_apigatewayv2_integration.store.integration_uri, ":live/invocations") && aws_apigatewayv2_integration.store.payload_format_version == "2.0"
    error_message = "The gateway calls `live`, in the format that the service reads."
  }

  assert {
    condition     = aws_lambda_permission.api.principal == "apigateway.amazonaws.com" && aws_lambda_permission.api.qualifier == "live" && aws_lambda_permission.api.source_arn == "arn:aws:execute-api:eu-central-1:111122223333:example/*/*"
    error_message = "Only this API may call the function, and only `live`."
  }
}

run "requests_are_throttled" {
  command = plan

  variables {
    capacity = { requests_per_second = 17, burst = 34 }
  }

  assert {
    condition     = aws_apigatewayv2_stage.store.default_route_settings[0].throttling_rate_limit == 17 && aws_apigatewayv2_stage.store.default_route_settings[0].throttling_burst_limit == 34
    error_message = "The gateway must answer 429 from where capacity says."
  }

  assert {
    condition     = aws_apigatewayv2_stage.store.default_route_settings[0].detailed_metrics_enabled
    error_message = "Alarms need metrics by route."
  }
}

run "every_request_is_written_down_without_its_token" {
  command = plan

  assert {
    condition     = aws_apigatewayv2_stage.store.name == "$default" && aws_apigatewayv2_stage.store.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.api_gateway.arn
    error_message = "The stage must have an access log."
  }

  assert {
    condition = alltrue([for variable in ["requestId", "requestTime", "identity.sourceIp", "routeKey", "path", "httpMethod", "status", "authorizer.error", "authorizer.claims.sub", "authorizer.claims.client_id", "authorizer.claims.jti", "integration.requestId", "integrationErrorMessage", "error.responseType"] :
      strcontains(aws_apigatewayv2_stage.store.access_log_settings[0].format, "$context.${variable}\"")
    ])
    error_message = "A line must say who, what, from where, when, how it ended and why."
  }

  assert {
    condition     = !strcontains(lower(aws_apigatewayv2_stage.store.access_log_settings[0].format), "header") && !strcontains(lower(aws_apigatewayv2_stage.store.access_log_settings[0].format), "authorization") && !strcontains(aws_apigatewayv2_stage.store.access_log_settings[0].format, "querystring")
    error_message = "No header, so no token, and no query may be in the access log."
  }

  assert {
    # What API Gateway puts in without quotes has them already.
    condition     = sort(keys(jsondecode(replace(aws_apigatewayv2_stage.store.access_log_settings[0].format, "$context.error.messageString", "\"\"")))) == tolist(sort([for field in local.gateway_log_fields : field[0]]))
    error_message = "A line must be JSON."
  }

  assert {
    condition     = startswith(aws_apigatewayv2_stage.store.access_log_settings[0].format, "{\"path\":")
    error_message = "What a caller chose comes first, so that nothing in it takes the place of what API Gateway says."
  }
}

run "no_other_sites_page_may_be_a_client" {
  command = plan

  assert {
    condition     = length(aws_apigatewayv2_api.store.cors_configuration) == 0
    error_message = "There is no CORS."
  }
}

run "without_a_domain_api_gateways_address_is_the_stores" {
  command = plan

  assert {
    condition     = !aws_apigatewayv2_api.store.disable_execute_api_endpoint && length(aws_apigatewayv2_domain_name.store) == 0 && output.url == "https://example.execute-api.eu-central-1.amazonaws.com"
    error_message = "Without a domain the API's own address must answer."
  }

  assert {
    condition     = output.domain_target != null && length(output.domain_target) == 0
    error_message = "Without a domain there is no record to make."
  }
}

run "with_a_domain_it_is_the_only_way_in_and_tls_is_of_today" {
  command = plan

  override_resource {
    target          = aws_apigatewayv2_stage.store
    override_during = plan
    values          = { id = "$default" }
  }

  override_resource {
    target          = aws_apigatewayv2_domain_name.store
    override_during = plan
    values = {
      domain_name_configuration = { target_domain_name = "d-example.execute-api.eu-central-1.amazonaws.com", hosted_zone_id = "ZONE" }
    }
  }

  variables {
    domain = {
      name            = "models.example.com"
      certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000000"
    }
  }

  assert {
    condition     = aws_apigatewayv2_api.store.disable_execute_api_endpoint && output.url == "https://models.example.com"
    error_message = "The API's own address must be closed."
  }

  assert {
    condition     = aws_apigatewayv2_domain_name.store[0].domain_name_configuration[0].security_policy == "TLS_1_2" && aws_apigatewayv2_domain_name.store[0].domain_name == "models.example.com"
    error_message = "TLS must be 1.2 at least."
  }

  assert {
    condition     = aws_apigatewayv2_api_mapping.store[0].stage == "$default"
    error_message = "The domain must lead to the stage."
  }

  assert {
    condition     = output.domain_target == { name = "d-example.execute-api.eu-central-1.amazonaws.com", zone_id = "ZONE" }
    error_message = "Whoever keeps the zone must be told what the record leads to."
  }
}
