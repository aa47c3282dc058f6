# People, machines, and what they are: groups `<role>` and `<role>@<team>` for people, scopes `smas/<role>@<team>` for machines.
# A token names them, and the service and IAM make the rest of it.

locals {
  issuer = "https://${aws_cognito_user_pool.people.endpoint}"
  # Where the CLI waits for the browser, on the first of these ports that is free (client/smas/identity/loopback.py). Cognito compares
  # callback URLs to the letter, ports included.
  callback_urls = [for port in [18390, 18391, 18392] : "http://127.0.0.1:${port}/callback"]
  sign_in_url = join("", [
    "https://${aws_cognito_user_pool_domain.people.domain}.auth.${var.region}.amazoncognito.com/login",
    "?response_type=code&client_id=${aws_cognito_user_pool_client.people.id}&scope=openid",
    "&redirect_uri=${urlencode(local.callback_urls[0])}",
  ])

  team_roles = toset(flatten([for team in var.teams : [for persona in local.team_personas : "${persona}@${team}"]]))
  # Who the smoke test of a deployment signs in as (deployment/canary.py); a team of its own, so that it sees nobody's models.
  canary_role = "data-scientist@canary"
  roles       = setunion(local.team_roles, local.global_personas, [local.canary_role])

  federated = length(var.identity_providers) > 0
  # What service/aws_lambda/token_groups.py is configured by.
  provider_groups = jsonencode({ for name, provider in var.identity_providers : name => { for group, roles in provider.groups : group => sort(roles) } })
}

resource "aws_cognito_user_pool" "people" {
  name                = var.name
  deletion_protection = "ACTIVE"
  mfa_configuration   = "ON"
  # Threat protection and V2 of the trigger come with Plus, which costs 0.02 USD a month for each person who signs in: for 200 people
  # 4 USD. https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-sign-in-feature-plans.html
  user_pool_tier = "PLUS"

  # No SMS: whoever takes over a phone number would take over its codes.
  software_token_mfa_configuration {
    enabled = true
  }

  user_pool_add_ons {
    advanced_security_mode = "ENFORCED"
  }

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  username_configuration {
    case_sensitive = false
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_uppercase                = true
    require_numbers                  = true
    require_symbols                  = true
    password_history_size            = 24
    temporary_password_validity_days = 1
  }

  auto_verified_attributes = ["email"]

  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email"]
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  # What an identity provider says of its groups, as Cognito writes it down at each sign-in; the trigger reads it. Its name in the
  # pool is `custom:groups`. A pool's attributes can be added, never removed, so it is there from the start.
  schema {
    name                = "groups"
    attribute_data_type = "String"
    mutable             = true

    string_attribute_constraints {
      min_length = 0
      max_length = 2048
    }
  }

  lambda_config {
    # V2 because it is the one that says of access tokens what it does:
    # https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
    pre_token_generation_config {
      lambda_arn     = aws_lambda_function.token_groups.arn
      lambda_version = "V2_0"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# A password that is known from a breach elsewhere signs nobody in. Other risks are on record and in the metrics of the pool; to block
# them Cognito wants an address of Amazon SES to write to people from:
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-adaptive-authentication.html
resource "aws_cognito_risk_configuration" "people" {
  user_pool_id = aws_cognito_user_pool.people.id

  compromised_credentials_risk_configuration {
    event_filter = ["PASSWORD_CHANGE", "SIGN_IN"]

    actions {
      event_action = "BLOCK"
    }
  }
}

# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html: the prefix is everybody's.
resource "aws_cognito_user_pool_domain" "people" {
  domain       = "${var.name}-${local.account}"
  user_pool_id = aws_cognito_user_pool.people.id
}

resource "aws_cognito_user_group" "role" {
  for_each = local.roles

  name         = each.key
  description  = "Who is in it acts as ${each.key}."
  user_pool_id = aws_cognito_user_pool.people.id
}

resource "aws_cognito_resource_server" "store" {
  # The service reads scopes that begin with "smas/", whatever the store is called (service/domain/access.py).
  identifier   = "smas"
  name         = var.name
  user_pool_id = aws_cognito_user_pool.people.id

  dynamic "scope" {
    for_each = local.team_roles

    content {
      scope_name        = scope.value
      scope_description = "act as ${scope.value}"
    }
  }
}

# What people sign in with, all of them through the sign-in page: an authorization code, which is worth nothing without the proof key
# of the process that asked (Cognito demands none, `smas` always sends one: RFC 7636). It has no secret, because a program on
# everybody's machine keeps none, and no password flow, so that a password is typed into one page alone and a second factor is asked there.
resource "aws_cognito_user_pool_client" "people" {
  name         = "${var.name}-people"
  user_pool_id = aws_cognito_user_pool.people.id

  generate_secret                      = false
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  # Not aws.cognito.signin.user.admin: with it an access token may write its person's attributes, those of the identity provider too.
  allowed_oauth_scopes          = ["openid"]
  callback_urls                 = local.callback_urls
  supported_identity_providers  = concat(["COGNITO"], [for name in sort(keys(var.identity_providers)) : aws_cognito_identity_provider.provider[name].provider_name])
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  # What is mapped from an identity provider must be writable by the client that signs in:
  # https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-specifying-attribute-mapping.html
  read_attributes  = ["email", "email_verified"]
  write_attributes = local.federated ? ["custom:groups", "email"] : ["email"]

  # A working day with one sign-in; whoever leaves is out when the access token ends.
  access_token_validity  = 60
  id_token_validity      = 60
  refresh_token_validity = 10
  auth_session_validity  = 5

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "hours"
  }
}

# How a deployment's smoke test signs in, as a user made for it and deleted again: with a password, and with a second factor as everybody.
# Only who may call AdminInitiateAuth in this account can use it, and they could make users in any group anyway; it is known to no browser.
resource "aws_cognito_user_pool_client" "canary" {
  name         = "${var.name}-canary"
  user_pool_id = aws_cognito_user_pool.people.id

  generate_secret                      = true
  explicit_auth_flows                  = ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
  allowed_oauth_flows_user_pool_client = false
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
  read_attributes                      = ["email"]
  write_attributes                     = ["email"]

  # A smoke test takes a minute or two.
  access_token_validity  = 10
  id_token_validity      = 10
  refresh_token_validity = 60
  auth_session_validity  = 3

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "minutes"
  }
}

# One a machine, so that one can be taken away. Its secret is made by Cognito and is in the state, which is why the state is encrypted
# and closed (bootstrap/): read it with aws cognito-idp describe-user-pool-client.
resource "aws_cognito_user_pool_client" "machine" {
  for_each = var.machines

  name         = "${var.name}-machine-${each.key}"
  user_pool_id = aws_cognito_user_pool.people.id

  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = [for role in sort(each.value) : "${aws_cognito_resource_server.store.identifier}/${role}"]
  # An empty list would mean Cognito's own, passwords among them; this one allows nothing, for such a client gets no refresh token.
  explicit_auth_flows           = ["ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true
  access_token_validity         = 60

  token_validity_units {
    access_token = "minutes"
  }

  depends_on = [aws_cognito_resource_server.store]
}

# Where people sign in instead of here. A second factor is then their provider's business: Cognito asks them for none.
resource "aws_cognito_identity_provider" "provider" {
  for_each = var.identity_providers

  user_pool_id  = aws_cognito_user_pool.people.id
  provider_name = each.key
  provider_type = each.value.oidc == null ? "SAML" : "OIDC"

  provider_details = each.value.oidc == null ? {
    MetadataURL             = each.value.saml_metadata_url
    IDPSignout              = "true"
    RequestSigningAlgorithm = "rsa-sha256"
    } : {
    oidc_issuer               = each.value.oidc.issuer
    client_id                 = each.value.oidc.client_id
    client_secret             = data.aws_ssm_parameter.provider_secret[each.key].value
    authorize_scopes          = "openid email profile"
    attributes_request_method = "GET"
  }

  attribute_mapping = merge(
    { "custom:groups" = each.value.groups_attribute },
    each.value.oidc == null ? {
      email = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
      } : {
      email    = "email"
      username = "sub"
    }
  )

  lifecycle {
    # Cognito adds what it read from the metadata (SAML), or found at the issuer (OIDC):
    # https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html
    ignore_changes = [
      provider_details["ActiveEncryptionCertificate"],
      provider_details["SLORedirectBindingURI"],
      provider_details["SSORedirectBindingURI"],
      provider_details["attributes_url"],
      provider_details["attributes_url_add_attributes"],
      provider_details["authorize_url"],
      provider_details["jwks_uri"],
      provider_details["token_url"],
    ]
  }
}

# The secret that an OIDC provider gave us, by the name of the parameter (SecureString) that it was put in by hand. No variable and no
# plan shows it; the state holds it, as it holds the machines' secrets.
data "aws_ssm_parameter" "provider_secret" {
  for_each = { for name, provider in var.identity_providers : name => provider.oidc.client_secret_param if provider.oidc != null }

  name            = each.value
  with_decryption = true
}
