# People and machines: how they sign in, and what tokens say of them. Nothing is asked of AWS: the provider is a mock.

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

  mock_resource "aws_cognito_user_pool" {
    defaults = {
      id       = "eu-central-1_example"
      arn      = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_example"
      endpoint = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example"
    }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:smas" }
  }

  mock_data "aws_ssm_parameter" {
    defaults = { value = "of-the-provider" }
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
    ci      = ["data-scientist@fraud"]
    serving = ["deployer@fraud", "deployer@nlp"]
  }
}

run "everybody_has_a_second_factor_and_no_text_message" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool.people.mfa_configuration == "ON" && aws_cognito_user_pool.people.software_token_mfa_configuration[0].enabled
    error_message = "Nobody may sign in with a password alone."
  }

  assert {
    condition     = length(aws_cognito_user_pool.people.sms_configuration) == 0
    error_message = "Codes must not go to phone numbers."
  }
}

run "passwords_are_long_and_new" {
  command = plan

  assert {
    condition = alltrue([for policy in aws_cognito_user_pool.people.password_policy :
      policy.minimum_length >= 14 && policy.password_history_size == 24 && policy.temporary_password_validity_days == 1 && policy.require_lowercase && policy.require_uppercase && policy.require_numbers && policy.require_symbols
    ])
    error_message = "A password must have 14 characters of every kind and be none of the last 24; an invitation is good for a day."
  }
}

run "the_pool_cannot_be_deleted_by_mistake" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool.people.deletion_protection == "ACTIVE"
    error_message = "The pool must be protected from deletion."
  }
}

run "only_administrators_make_users" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool.people.admin_create_user_config[0].allow_admin_create_user_only
    error_message = "Nobody may sign up."
  }
}

run "names_are_the_same_in_capitals" {
  command = plan

  assert {
    condition     = !aws_cognito_user_pool.people.username_configuration[0].case_sensitive
    error_message = "Alice and alice must not be two people."
  }
}

run "accounts_are_recovered_by_a_verified_address_alone" {
  command = plan

  assert {
    condition     = [for way in aws_cognito_user_pool.people.account_recovery_setting[0].recovery_mechanism : way.name] == ["verified_email"] && aws_cognito_user_pool.people.auto_verified_attributes == toset(["email"])
    error_message = "Only a verified mail address may recover an account."
  }

  assert {
    condition     = aws_cognito_user_pool.people.user_attribute_update_settings[0].attributes_require_verification_before_update == toset(["email"])
    error_message = "A new address must be verified before it takes the old one's place."
  }
}

run "threats_are_acted_upon" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool.people.user_pool_tier == "PLUS" && aws_cognito_user_pool.people.user_pool_add_ons[0].advanced_security_mode == "ENFORCED"
    error_message = "Threat protection must be enforced."
  }

  assert {
    condition     = aws_cognito_risk_configuration.people.compromised_credentials_risk_configuration[0].actions[0].event_action == "BLOCK" && aws_cognito_risk_configuration.people.compromised_credentials_risk_configuration[0].event_filter == toset(["PASSWORD_CHANGE", "SIGN_IN"])
    error_message = "A password known from a breach must sign nobody in."
  }
}

run "there_is_a_group_for_every_role_and_no_other" {
  command = plan

  assert {
    condition = toset([for group in aws_cognito_user_group.role : group.name]) == toset([
      "approver@fraud", "approver@nlp", "auditor", "compliance", "custodian", "data-scientist@canary", "data-scientist@fraud", "data-scientist@nlp", "deployer@fraud", "deployer@nlp"
    ])
    error_message = "A group a role and team, one a role over all teams, and the smoke test's."
  }
}

run "groups_are_decided_while_a_token_is_made" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool.people.lambda_config[0].pre_token_generation_config[0].lambda_version == "V2_0" && aws_cognito_user_pool.people.lambda_config[0].pre_token_generation_config[0].lambda_arn == aws_lambda_function.token_groups.arn
    error_message = "Every token's groups must pass through the trigger, in the version that covers access tokens."
  }
}

run "people_sign_in_with_a_code_and_never_by_the_implicit_flow" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.people.allowed_oauth_flows == toset(["code"]) && aws_cognito_user_pool_client.people.allowed_oauth_flows_user_pool_client
    error_message = "An authorization code is the only flow."
  }

  assert {
    condition     = !aws_cognito_user_pool_client.people.generate_secret
    error_message = "A program on everybody's machine keeps no secret."
  }

  assert {
    condition     = aws_cognito_user_pool_client.people.explicit_auth_flows == toset(["ALLOW_REFRESH_TOKEN_AUTH"])
    error_message = "No flow may take a password outside of the sign-in page."
  }
}

run "the_browser_comes_back_to_this_machine_alone" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.people.callback_urls == toset(["http://127.0.0.1:18390/callback", "http://127.0.0.1:18391/callback", "http://127.0.0.1:18392/callback"])
    error_message = "The callbacks are the CLI's, by address and not by name."
  }
}

run "a_token_of_a_person_cannot_change_what_the_pool_says_of_them" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.people.allowed_oauth_scopes == toset(["openid"])
    error_message = "No scope but openid: aws.cognito.signin.user.admin lets a token write attributes, the scopes of machines are for machines."
  }
}

run "tokens_of_people_end_soon_and_can_be_revoked" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.people.access_token_validity == 60 && aws_cognito_user_pool_client.people.refresh_token_validity == 10 && aws_cognito_user_pool_client.people.enable_token_revocation
    error_message = "An access token must end after an hour, a sign-in after a working day, and both by revocation."
  }

  assert {
    condition     = [for unit in aws_cognito_user_pool_client.people.token_validity_units : [unit.access_token, unit.id_token, unit.refresh_token]] == [["minutes", "minutes", "hours"]]
    error_message = "Minutes and hours, not days."
  }
}

run "nobody_learns_who_has_an_account" {
  command = plan

  assert {
    condition     = alltrue([for client in concat([aws_cognito_user_pool_client.people, aws_cognito_user_pool_client.canary], values(aws_cognito_user_pool_client.machine)) : client.prevent_user_existence_errors == "ENABLED"])
    error_message = "A wrong name and a wrong password must look the same."
  }
}

run "the_smoke_test_signs_in_by_an_administrator_alone" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.canary.explicit_auth_flows == toset(["ALLOW_ADMIN_USER_PASSWORD_AUTH"]) && aws_cognito_user_pool_client.canary.generate_secret
    error_message = "Only a call that IAM allows may hand a password to its client."
  }

  assert {
    condition     = !aws_cognito_user_pool_client.canary.allowed_oauth_flows_user_pool_client && aws_cognito_user_pool_client.canary.access_token_validity == 10
    error_message = "No sign-in page knows its client, and its tokens end with the smoke test."
  }
}

run "a_machine_has_a_secret_and_its_own_scopes_only" {
  command = plan

  assert {
    condition     = { for name, client in aws_cognito_user_pool_client.machine : name => client.allowed_oauth_scopes } == { ci = toset(["smas/data-scientist@fraud"]), serving = toset(["smas/deployer@fraud", "smas/deployer@nlp"]) }
    error_message = "Each machine must have the scopes that machines names for it, and no other's."
  }

  assert {
    condition = alltrue([for client in aws_cognito_user_pool_client.machine :
      client.generate_secret && client.allowed_oauth_flows == toset(["client_credentials"]) && client.explicit_auth_flows == toset(["ALLOW_REFRESH_TOKEN_AUTH"]) && client.access_token_validity == 60
    ])
    error_message = "A machine signs in with its client's credentials alone, and its token ends after an hour."
  }
}

run "scopes_are_those_the_service_reads" {
  command = plan

  variables {
    name = "bank-models"
  }

  assert {
    condition = aws_cognito_resource_server.store.identifier == "smas" && toset([for scope in aws_cognito_resource_server.store.scope : scope.scope_name]) == toset([
      "approver@fraud", "approver@nlp", "data-scientist@fraud", "data-scientist@nlp", "deployer@fraud", "deployer@nlp"
    ])
    error_message = "A scope a role of a team, below smas/ whatever the store is called."
  }
}

run "the_sign_in_page_is_the_pools_own" {
  command = plan

  override_resource {
    target          = aws_cognito_user_pool_client.people
    override_during = plan
    values          = { id = "people" }
  }

  assert {
    condition     = output.sign_in_url == "https://smas-111122223333.auth.eu-central-1.amazoncognito.com/login?response_type=code&client_id=people&scope=openid&redirect_uri=http%3A%2F%2F127.0.0.1%3A18390%2Fcallback"
    error_message = "People find the page by the output."
  }
}

run "without_identity_providers_the_pool_is_the_only_one" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.people.supported_identity_providers == toset(["COGNITO"]) && aws_cognito_user_pool_client.people.write_attributes == toset(["email"]) && length(aws_cognito_identity_provider.provider) == 0
    error_message = "Nothing of federation without identity_providers."
  }
}

run "a_saml_provider_signs_people_in_and_its_groups_are_mapped" {
  command = plan

  variables {
    identity_providers = {
      Bank = {
        saml_metadata_url = "https://sign-in.example.com/metadata.xml"
        groups_attribute  = "http://schemas.xmlsoap.org/claims/Group"
        groups            = { "ML-Fraud" = ["data-scientist@fraud", "approver@fraud"], "Audit" = ["auditor"] }
      }
    }
  }

  assert {
    condition     = aws_cognito_identity_provider.provider["Bank"].provider_type == "SAML" && aws_cognito_identity_provider.provider["Bank"].provider_details["MetadataURL"] == "https://sign-in.example.com/metadata.xml" && aws_cognito_identity_provider.provider["Bank"].provider_details["RequestSigningAlgorithm"] == "rsa-sha256"
    error_message = "Requests to the provider are signed."
  }

  assert {
    condition     = aws_cognito_identity_provider.provider["Bank"].attribute_mapping["custom:groups"] == "http://schemas.xmlsoap.org/claims/Group" && contains(aws_cognito_user_pool_client.people.write_attributes, "custom:groups")
    error_message = "What the provider says of groups is kept where the trigger reads it."
  }

  assert {
    condition     = !contains(keys(aws_cognito_identity_provider.provider["Bank"].attribute_mapping), "cognito:groups")
    error_message = "A provider must not name our groups itself."
  }

  assert {
    condition     = jsondecode(aws_lambda_function.token_groups.environment[0].variables["SMAS_PROVIDER_GROUPS"]) == { Bank = { Audit = ["auditor"], "ML-Fraud" = ["approver@fraud", "data-scientist@fraud"] } }
    error_message = "The trigger knows what each group means."
  }

  assert {
    condition     = aws_cognito_user_pool_client.people.supported_identity_providers == toset(["Bank", "COGNITO"])
    error_message = "The sign-in page offers it."
  }
}

run "an_oidc_providers_secret_comes_from_a_parameter_by_name" {
  command = plan

  variables {
    identity_providers = {
      Okta = {
        oidc             = { issuer = "https://example.okta.com", client_id = "smas", client_secret_param = "/smas/okta" }
        groups_attribute = "groups"
        groups           = { "ml-nlp" = ["deployer@nlp"] }
      }
    }
  }

  assert {
    condition     = data.aws_ssm_parameter.provider_secret["Okta"].name == "/smas/okta" && data.aws_ssm_parameter.provider_secret["Okta"].with_decryption
    error_message = "A variable names the parameter, and never holds the secret."
  }

  assert {
    condition     = aws_cognito_identity_provider.provider["Okta"].provider_details["client_secret"] == "of-the-provider" && aws_cognito_identity_provider.provider["Okta"].provider_details["oidc_issuer"] == "https://example.okta.com" && aws_cognito_identity_provider.provider["Okta"].provider_type == "OIDC"
    error_message = "Cognito signs in at the provider with the parameter's value."
  }
}

run "a_provider_is_either_saml_or_oidc" {
  command = plan

  variables {
    identity_providers = { Bank = { groups_attribute = "groups", groups = {} } }
  }

  expect_failures = [var.identity_providers]
}

run "a_provider_is_reached_through_tls" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "http://sign-in.example.com/metadata.xml", groups_attribute = "groups", groups = {} } }
  }

  expect_failures = [var.identity_providers]
}

run "a_providers_group_means_roles_that_there_are" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "https://sign-in.example.com/m", groups_attribute = "groups", groups = { admins = ["administrator"] } } }
  }

  expect_failures = [var.identity_providers]
}

run "a_providers_group_means_roles_of_teams_that_there_are" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "https://sign-in.example.com/m", groups_attribute = "groups", groups = { risk = ["approver@risk"] } } }
  }

  expect_failures = [var.identity_providers]
}

run "a_providers_groups_have_names_that_are_written_in_one_way" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "https://sign-in.example.com/m", groups_attribute = "groups", groups = { "ML, Fraud" = ["approver@fraud"] } } }
  }

  expect_failures = [var.identity_providers]
}

run "a_provider_has_a_name_that_cognito_takes" {
  command = plan

  variables {
    identity_providers = { "COGNITO" = { saml_metadata_url = "https://sign-in.example.com/m", groups_attribute = "groups", groups = {} } }
  }

  expect_failures = [var.identity_providers]
}

run "a_machine_acts_in_teams_that_there_are" {
  command = plan

  variables {
    machines = { ci = ["deployer@risk"] }
  }

  expect_failures = [var.machines]
}

run "no_machine_acts_over_all_teams" {
  command = plan

  variables {
    machines = { ci = ["compliance"] }
  }

  expect_failures = [var.machines]
}

run "a_team_has_a_name_that_the_service_takes" {
  command = plan

  variables {
    teams    = ["a-team-whose-name-is-longer-than-39-letters"]
    machines = {}
  }

  expect_failures = [var.teams]
}

run "the_smoke_tests_team_is_nobody_elses" {
  command = plan

  variables {
    teams    = ["fraud", "canary"]
    machines = {}
  }

  expect_failures = [var.teams]
}
