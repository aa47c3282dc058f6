# Every variable's rule from both sides: what is refused, and what is just not. Nothing is asked of AWS: the provider is a mock.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "replica"
  source          = "./tests/mocks"
  override_during = plan
}

run "the_least_is_taken" {
  command = plan

  variables {
    name             = "abc"
    teams            = ["a"]
    machines         = { ci = ["deployer@a"] }
    iam_people       = { auditor = ["arn:aws:iam::111122223333:role/people/audit"] }
    alarm_emails     = ["a@b"]
    capacity         = { concurrency = 1, warm = 1, warm_most = 1, verifications = 2, requests_per_second = 1, burst = 1 }
    tags             = { a = "" }
    domain           = { name = "a.b", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/1" }
    url_seconds      = 60
    audit_lock       = { days = 1 }
    log_days         = 365
    alarm_thresholds = { egress_gib_per_hour = 1, denied_calls_per_hour = 1 }
  }

  assert {
    condition     = aws_lambda_function.api.reserved_concurrent_executions == 1 && output.service_settings.SMAS_URL_SECONDS == "60"
    error_message = "The least that each variable takes must be what is deployed."
  }
}

run "the_most_is_taken" {
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

  variables {
    region         = "ap-southeast-2"
    image          = "111122223333.dkr.ecr.ap-southeast-2.amazonaws.com/smas@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    name           = "a23456789-12345678"
    tags           = { for number in range(49) : join("", [format("%02d", number), join("", [for letter in range(126) : "k"])]) => join("", [for letter in range(256) : "ä"]) }
    teams          = ["ttttttttttttttttttttttttttttttttttttttt", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11", "t12", "t13", "t14", "t15", "t16", "t17", "t18", "t19", "t20", "t21", "t22", "t23", "t24", "t25", "t26", "t27", "t28", "t29", "t30", "t31"]
    capacity       = { concurrency = 1000, warm = 0, warm_most = 0, verifications = 1000 }
    url_seconds    = 1800
    storage_tier   = "intelligent-tiering"
    replica_region = "ap-northeast-3"
    audit_lock     = { mode = "COMPLIANCE", days = 36500 }
    log_days       = 3653
    iam_people     = { for persona in ["approver", "auditor", "compliance", "custodian", "data-scientist", "deployer"] : persona => ["arn:aws-cn:iam::111122223333:role/x"] }
    machines       = { for number in range(48) : join("", [format("%02d", number), join("", [for letter in range(61) : "m"])]) => ["deployer@t0"] }
    domain         = { name = join(".", [for label in ["a", "b", "c"] : join("", [for letter in range(63) : label])]), certificate_arn = "arn:aws-cn:acm:ap-southeast-2:111122223333:certificate/00000000-0000-0000-0000-000000000000" }
    identity_providers = {
      Saml = { saml_metadata_url = "https://sign-in.example.com/metadata.xml", groups_attribute = "groups", groups = {} }
      Oidc = { oidc = { issuer = "https://sign-in.example.com", client_id = "smas", client_secret_param = "/smas/oidc" }, groups_attribute = "groups", groups = {} }
    }
  }

  assert {
    condition     = length(split(",", output.service_settings.SMAS_CLIENT_IDS)) == 50
    error_message = "With the most machines an authorizer must have no more audiences than API Gateway takes."
  }

  assert {
    condition     = alltrue([for client in aws_cognito_user_pool_client.machine : length(client.name) <= 128])
    error_message = "With the longest names a client's must be one that Cognito takes."
  }

  assert {
    condition     = alltrue([for bucket in [local.bucket, local.access_log_bucket, local.trail_bucket, local.athena_bucket, local.replica_bucket] : length(bucket) <= 63])
    error_message = "With the longest name every bucket's name must be one that S3 takes."
  }
}

run "region_a_zone_is_refused" {
  command = plan

  variables {
    region = "eu-central-1a"
  }

  expect_failures = [var.region]
}

run "region_in_words_is_refused" {
  command = plan

  variables {
    region = "Frankfurt"
  }

  expect_failures = [var.region]
}

run "name_too_short_is_refused" {
  command = plan

  variables {
    name = "ab"
  }

  expect_failures = [var.name]
}

run "name_too_long_is_refused" {
  command = plan

  variables {
    name = "a234567890123456789"
  }

  expect_failures = [var.name]
}

run "name_with_capitals_is_refused" {
  command = plan

  variables {
    name = "Smas"
  }

  expect_failures = [var.name]
}

run "name_with_two_hyphens_is_refused" {
  command = plan

  variables {
    name = "sm--as"
  }

  expect_failures = [var.name]
}

run "name_with_a_digit_first_is_refused" {
  command = plan

  variables {
    name = "1smas"
  }

  expect_failures = [var.name]
}

run "name_with_a_hyphen_last_is_refused" {
  command = plan

  variables {
    name = "smas-"
  }

  expect_failures = [var.name]
}

run "image_by_a_tag_is_refused" {
  command = plan

  variables {
    image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas:latest"
  }

  expect_failures = [var.image]
}

run "image_of_another_registry_is_refused" {
  command = plan

  variables {
    image = "docker.io/smas@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  }

  expect_failures = [var.image]
}

run "image_with_half_a_digest_is_refused" {
  command = plan

  variables {
    image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas@sha256:00000000000000000000000000000000"
  }

  expect_failures = [var.image]
}

run "teams_none_are_refused" {
  command = plan

  variables {
    teams = []
  }

  expect_failures = [var.teams]
}

run "teams_with_capitals_are_refused" {
  command = plan

  variables {
    teams = ["Fraud"]
  }

  expect_failures = [var.teams]
}

run "teams_with_a_hyphen_last_are_refused" {
  command = plan

  variables {
    teams = ["fraud-"]
  }

  expect_failures = [var.teams]
}

run "teams_too_long_are_refused" {
  command = plan

  variables {
    teams = ["tttttttttttttttttttttttttttttttttttttttt"]
  }

  expect_failures = [var.teams]
}

run "teams_too_many_are_refused" {
  command = plan

  variables {
    teams = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11", "t12", "t13", "t14", "t15", "t16", "t17", "t18", "t19", "t20", "t21", "t22", "t23", "t24", "t25", "t26", "t27", "t28", "t29", "t30", "t31", "t32", "t33"]
  }

  expect_failures = [var.teams]
}

run "machines_of_all_teams_are_refused" {
  command = plan

  variables {
    machines = { ci = ["compliance"] }
  }

  expect_failures = [var.machines]
}

run "machines_auditing_are_refused" {
  command = plan

  variables {
    machines = { ci = ["auditor@fraud"] }
  }

  expect_failures = [var.machines]
}

run "machines_of_no_team_are_refused" {
  command = plan

  variables {
    machines = { ci = ["deployer@"] }
  }

  expect_failures = [var.machines]
}

run "identity_providers_of_both_kinds_are_refused" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "https://x", oidc = { issuer = "https://x", client_id = "x", client_secret_param = "x" }, groups_attribute = "g", groups = {} } }
  }

  expect_failures = [var.identity_providers]
}

run "identity_providers_of_no_kind_are_refused" {
  command = plan

  variables {
    identity_providers = { Bank = { groups_attribute = "g", groups = {} } }
  }

  expect_failures = [var.identity_providers]
}

run "iam_people_of_no_persona_are_refused" {
  command = plan

  variables {
    iam_people = { root = ["arn:aws:iam::111122223333:role/x"] }
  }

  expect_failures = [var.iam_people]
}

run "iam_people_by_a_user_are_refused" {
  command = plan

  variables {
    iam_people = { auditor = ["arn:aws:iam::111122223333:user/x"] }
  }

  expect_failures = [var.iam_people]
}

run "iam_people_by_anybody_are_refused" {
  command = plan

  variables {
    iam_people = { auditor = ["*"] }
  }

  expect_failures = [var.iam_people]
}

run "iam_people_by_an_account_are_refused" {
  command = plan

  variables {
    iam_people = { auditor = ["arn:aws:iam::111122223333:root"] }
  }

  expect_failures = [var.iam_people]
}

run "alarm_emails_without_an_at_are_refused" {
  command = plan

  variables {
    alarm_emails = ["example.com"]
  }

  expect_failures = [var.alarm_emails]
}

run "alarm_emails_with_a_space_are_refused" {
  command = plan

  variables {
    alarm_emails = ["a b@example.com"]
  }

  expect_failures = [var.alarm_emails]
}

run "capacity_of_nobody_is_refused" {
  command = plan

  variables {
    capacity = { concurrency = 0 }
  }

  expect_failures = [var.capacity]
}

run "capacity_with_one_verification_is_refused" {
  command = plan

  variables {
    capacity = { verifications = 1 }
  }

  expect_failures = [var.capacity]
}

run "capacity_with_negative_warmth_is_refused" {
  command = plan

  variables {
    capacity = { warm = -1 }
  }

  expect_failures = [var.capacity]
}

run "capacity_warmer_than_its_most_is_refused" {
  command = plan

  variables {
    capacity = { warm = 3, warm_most = 2 }
  }

  expect_failures = [var.capacity]
}

run "capacity_warmer_than_its_ceiling_is_refused" {
  command = plan

  variables {
    capacity = { concurrency = 5, warm = 1, warm_most = 6 }
  }

  expect_failures = [var.capacity]
}

run "url_seconds_too_few_are_refused" {
  command = plan

  variables {
    url_seconds = 59
  }

  expect_failures = [var.url_seconds]
}

run "url_seconds_too_many_are_refused" {
  command = plan

  variables {
    url_seconds = 1801
  }

  expect_failures = [var.url_seconds]
}

run "url_seconds_in_halves_are_refused" {
  command = plan

  variables {
    url_seconds = 60.5
  }

  expect_failures = [var.url_seconds]
}

run "storage_tier_of_the_archive_is_refused" {
  command = plan

  variables {
    storage_tier = "glacier"
  }

  expect_failures = [var.storage_tier]
}

run "replica_region_the_same_is_refused" {
  command = plan

  variables {
    replica_region = "eu-central-1"
  }

  expect_failures = [var.replica_region]
}

run "audit_lock_of_no_mode_is_refused" {
  command = plan

  variables {
    audit_lock = { mode = "NONE" }
  }

  expect_failures = [var.audit_lock]
}

run "audit_lock_of_no_days_is_refused" {
  command = plan

  variables {
    audit_lock = { days = 0 }
  }

  expect_failures = [var.audit_lock]
}

run "audit_lock_for_too_long_is_refused" {
  command = plan

  variables {
    audit_lock = { days = 36501 }
  }

  expect_failures = [var.audit_lock]
}

run "log_days_less_than_a_year_are_refused" {
  command = plan

  variables {
    log_days = 180
  }

  expect_failures = [var.log_days]
}

run "log_days_between_are_refused" {
  command = plan

  variables {
    log_days = 400.5
  }

  expect_failures = [var.log_days]
}

run "log_days_for_ever_are_refused" {
  command = plan

  variables {
    log_days = 0
  }

  expect_failures = [var.log_days]
}

run "machines_of_another_team_are_refused" {
  command = plan

  variables {
    machines = { ci = ["deployer@markets"] }
  }

  expect_failures = [var.machines]
}

run "machines_of_no_role_are_refused" {
  command = plan

  variables {
    machines = { ci = [] }
  }

  expect_failures = [var.machines]
}

run "identity_providers_of_another_team_are_refused" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "https://x", groups_attribute = "g", groups = { "x" = ["approver@markets"] } } }
  }

  expect_failures = [var.identity_providers]
}

run "identity_providers_of_an_unknown_role_are_refused" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "https://x", groups_attribute = "g", groups = { "x" = ["root"] } } }
  }

  expect_failures = [var.identity_providers]
}

run "identity_providers_with_a_comma_in_a_group_are_refused" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "https://x", groups_attribute = "g", groups = { "a,b" = ["auditor"] } } }
  }

  expect_failures = [var.identity_providers]
}

run "identity_providers_with_a_short_name_are_refused" {
  command = plan

  variables {
    identity_providers = { X = { saml_metadata_url = "https://x", groups_attribute = "g", groups = {} } }
  }

  expect_failures = [var.identity_providers]
}

run "identity_providers_in_the_clear_are_refused" {
  command = plan

  variables {
    identity_providers = { Bank = { saml_metadata_url = "http://x", groups_attribute = "g", groups = {} } }
  }

  expect_failures = [var.identity_providers]
}

run "alarm_thresholds_of_no_bytes_are_refused" {
  command = plan

  variables {
    alarm_thresholds = { egress_gib_per_hour = 0 }
  }

  expect_failures = [var.alarm_thresholds]
}

run "alarm_thresholds_of_no_calls_are_refused" {
  command = plan

  variables {
    alarm_thresholds = { denied_calls_per_hour = 0 }
  }

  expect_failures = [var.alarm_thresholds]
}

run "an_account_has_twelve_digits" {
  command = plan

  variables {
    account = "1111-2222-3333"
  }

  expect_failures = [var.account]
}

run "who_is_barred_has_a_source_identity" {
  command = plan

  variables {
    barred_identities = { "two words" = "no source identity" }
  }

  expect_failures = [var.barred_identities]
}

run "the_verifier_is_never_barred" {
  command = plan

  variables {
    barred_identities = { smas-verifier = "everything new would stay unread" }
  }

  expect_failures = [var.barred_identities]
}

run "a_hundred_can_be_barred_and_no_more" {
  command = plan

  variables {
    barred_identities = { for number in range(101) : "left-${number}" => "long ago" }
  }

  expect_failures = [var.barred_identities]
}

run "names_that_are_aws_s_own_or_everybody_s_are_refused" {
  command = plan

  variables {
    name       = "bank-aws-models"
    tags       = { "aws:team" = "fraud" }
    iam_people = { auditor = ["arn:aws:iam::111122223333:role/*"] }
    domain     = { name = "*.example.com", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/1" }
  }

  expect_failures = [var.name, var.tags, var.iam_people, var.domain]
}

run "names_with_odd_characters_are_refused" {
  command = plan

  variables {
    tags           = { team = "fraud; risk" }
    machines       = { "c i" = ["deployer@fraud"] }
    domain         = { name = "https://models.example.com", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/1" }
    replica_region = "Ireland"
  }

  expect_failures = [var.tags, var.machines, var.domain, var.replica_region]
}

run "names_that_are_none_are_refused" {
  command = plan

  variables {
    tags       = { "" = "fraud" }
    machines   = { "" = ["deployer@fraud"] }
    iam_people = { auditor = ["arn:aws:iam::111122223333:role/"] }
    domain     = { name = "models", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/1" }
  }

  expect_failures = [var.tags, var.machines, var.iam_people, var.domain]
}

run "what_is_in_another_region_is_refused" {
  command = plan

  variables {
    image  = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/smas@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    domain = { name = "models.example.com", certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/1" }
  }

  expect_failures = [var.image, var.domain]
}

run "more_than_aws_takes_is_refused" {
  command = plan

  variables {
    tags     = { for number in range(50) : "tag-${number}" => "x" }
    machines = { for number in range(49) : "m${number}" => ["deployer@fraud"] }
    capacity = { verifications = 1001 }
  }

  expect_failures = [var.tags, var.machines, var.capacity]
}

run "machines_with_more_roles_than_a_client_has_scopes_are_refused" {
  command = plan

  variables {
    teams    = [for number in range(17) : "t${number}"]
    machines = { ci = flatten([for number in range(17) : [for role in ["approver", "data-scientist", "deployer"] : "${role}@t${number}"]]) }
  }

  expect_failures = [var.machines]
}

run "halves_are_refused" {
  command = plan

  variables {
    capacity   = { concurrency = 1.5 }
    audit_lock = { days = 1.5 }
  }

  expect_failures = [var.capacity, var.audit_lock]
}

run "capacity_for_no_request_is_refused" {
  command = plan

  variables {
    capacity = { requests_per_second = 0 }
  }

  expect_failures = [var.capacity]
}

run "capacity_for_no_burst_is_refused" {
  command = plan

  variables {
    capacity = { burst = 0 }
  }

  expect_failures = [var.capacity]
}
