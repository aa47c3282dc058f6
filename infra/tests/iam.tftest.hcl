# Who may become whom. Nothing is asked of AWS: the provider is a mock, whose values are there while planning.

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

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:111122223333:smas-invocations-dead" }
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

run "functions_roles_are_trusted_to_lambda_of_this_account_alone" {
  command = plan

  assert {
    condition = alltrue([for role in [aws_iam_role.service, aws_iam_role.worker, aws_iam_role.token_groups] :
      jsondecode(role.assume_role_policy).Statement == [{
        Sid       = "FunctionsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "lambda.amazonaws.com" }
        Action    = ["sts:AssumeRole"]
        Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]])
    error_message = "A function's role must be trusted to Lambda, for functions of this account, and to nobody else."
  }
}

run "every_persona_has_its_role_by_its_name" {
  command = plan

  assert {
    condition     = toset([for role in aws_iam_role.persona : role.name]) == toset([for persona in ["approver", "auditor", "compliance", "custodian", "data-scientist", "deployer"] : "smas-${persona}"])
    error_message = "The service becomes role_prefix + persona: each persona needs the role of that name."
  }

  assert {
    condition     = [aws_iam_role.service.name, aws_iam_role.worker.name, aws_iam_role.verifier_scanning.name, aws_iam_role.verifier_tagging.name, aws_iam_role.watch.name] == ["smas-service", "smas-worker", "smas-verifier-scanning", "smas-verifier-tagging", "smas-watch"]
    error_message = "Roles are found by their names."
  }
}

run "no_session_lasts_longer_than_an_hour" {
  command = plan

  assert {
    condition = alltrue([for role in concat(values(aws_iam_role.persona),
      [aws_iam_role.service, aws_iam_role.worker, aws_iam_role.token_groups, aws_iam_role.verifier_scanning, aws_iam_role.verifier_tagging, aws_iam_role.watch]) :
    role.max_session_duration == 3600])
    error_message = "Every role's sessions must end after an hour."
  }
}

run "a_persona_trusts_the_service_alone_and_with_a_named_person" {
  command = plan

  assert {
    condition = alltrue([for role in aws_iam_role.persona : alltrue([
      for statement in jsondecode(role.assume_role_policy).Statement : statement.Principal == { AWS = "arn:aws:iam::111122223333:role/smas-service" }
    ])])
    error_message = "Without iam_people nobody but the service may become a persona."
  }

  assert {
    condition = alltrue([for role in aws_iam_role.persona : alltrue([
      for statement in jsondecode(role.assume_role_policy).Statement :
      statement.Condition.StringLike["sts:SourceIdentity"] == "?*" if statement.Action != ["sts:TagSession"]
    ])])
    error_message = "Every session must have the person as its source identity."
  }
}

run "the_verifiers_roles_and_the_watch_trust_the_worker_alone" {
  command = plan

  assert {
    condition = alltrue([for role in [aws_iam_role.verifier_scanning, aws_iam_role.verifier_tagging, aws_iam_role.watch] : alltrue([
      for statement in jsondecode(role.assume_role_policy).Statement : statement.Principal == { AWS = "arn:aws:iam::111122223333:role/smas-worker" }
    ])])
    error_message = "The verifier's roles are become by the worker, in its own name."
  }
}

run "each_role_has_the_policy_of_its_template" {
  command = plan

  assert {
    condition = alltrue([for persona, policy in aws_iam_role_policy.persona :
      policy.policy == templatefile("./policies/persona-${persona}.json", local.placeholders) && persona == policy.name
    ])
    error_message = "A persona may do what its template says, which the local stack enforces."
  }

  assert {
    condition = [aws_iam_role_policy.service.policy, aws_iam_role_policy.worker.policy, aws_iam_role_policy.verifier_scanning.policy, aws_iam_role_policy.verifier_tagging.policy, aws_iam_role_policy.watch.policy] == [
      for name in ["service", "worker", "verifier-scanning", "verifier-tagging", "watch"] : templatefile("./policies/${name}.json", local.placeholders)
    ]
    error_message = "Service, worker, both verifiers and the watch may do what their templates say."
  }
}

run "who_is_barred_is_refused_in_every_persona_and_by_the_bucket" {
  command = plan

  variables {
    barred_identities = { "00000000-0000-0000-0000-000000000000" = "somebody who left" }
  }

  assert {
    condition     = { for persona, policy in aws_iam_role_policy.barred : persona => policy.name } == { for persona in local.personas : persona => "barred" }
    error_message = "Every persona needs the policy barred, which the command that bars somebody writes by this name."
  }

  assert {
    condition = alltrue([for policy in aws_iam_role_policy.barred : jsondecode(policy.policy).Statement == [{
      Sid       = "TheBarredAreRefused"
      Effect    = "Deny"
      Action    = ["*"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceIdentity" = ["-", "00000000-0000-0000-0000-000000000000"] } }
    }]])
    error_message = "A persona must refuse the barred everything, and nobody else anything."
  }

  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement : statement.Condition
      if statement.Sid == "TheBarredAreRefused" && statement.Effect == "Deny" && statement.Action == ["s3:*"] && statement.Principal == { AWS = "*" }
    ] == [{ StringEquals = { "aws:SourceIdentity" = ["-", "00000000-0000-0000-0000-000000000000"] } }]
    error_message = "The models' bucket must refuse the barred, so that no URL handed out before opens anything."
  }
}

run "nobody_is_barred_unless_named" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role_policy.barred["approver"].policy).Statement[0].Condition == { StringEquals = { "aws:SourceIdentity" = ["-"] } }
    error_message = "Without barred_identities the statement must name nobody: a source identity has two characters or more."
  }
}

run "the_services_own_role_reads_and_writes_nothing" {
  command = plan

  assert {
    condition = toset(flatten([for policy in [aws_iam_role_policy.service.policy, aws_iam_role_policy.function["service"].policy] : [
      for statement in jsondecode(policy).Statement : statement.Action
      ]])) == toset([
      "logs:CreateLogStream", "logs:PutLogEvents", "sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession", "xray:PutTelemetryRecords", "xray:PutTraceSegments"
    ])
    error_message = "The service may become personas, write its log and send traces; anything else would be its own power."
  }
}

run "what_maps_groups_may_write_its_log_and_nothing_else" {
  command = plan

  assert {
    condition     = keys(aws_iam_role_policy.function) == ["service", "token-groups", "worker"]
    error_message = "Each function has the permissions of a function."
  }

  assert {
    condition     = alltrue([for policy in aws_iam_role_policy.function : jsondecode(policy.policy).Statement[0].Resource == ["arn:aws:logs:eu-central-1:111122223333:log-group:/smas/its-own:*"]])
    error_message = "A function writes to its own log group alone."
  }

  assert {
    condition = alltrue([for policy in aws_iam_role_policy.function : [
      for statement in jsondecode(policy.policy).Statement : statement.Action if statement.Resource == "*"
    ] == [["xray:PutTelemetryRecords", "xray:PutTraceSegments"]]])
    error_message = "Only traces have no resource to name."
  }
}

run "people_through_iam_are_trusted_by_name_and_only_as_themselves" {
  command = plan

  variables {
    iam_people = {
      data-scientist = ["arn:aws:iam::111122223333:role/ml", "arn:aws:iam::444455556666:role/ml"]
      auditor        = ["arn:aws:iam::111122223333:role/audit"]
    }
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role.persona["data-scientist"].assume_role_policy).Statement : statement if statement.Sid == "PeopleAsThemselvesInTheirTeam"] == [{
      Sid       = "PeopleAsThemselvesInTheirTeam"
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::111122223333:role/ml", "arn:aws:iam::444455556666:role/ml"] }
      Action    = ["sts:AssumeRole"]
      Condition = {
        StringEquals = {
          "sts:SourceIdentity"  = "$${aws:PrincipalTag/person}"
          "sts:RoleSessionName" = "$${aws:PrincipalTag/person}"
          "aws:RequestTag/team" = "$${aws:PrincipalTag/team}"
        }
        StringLike                  = { "aws:RequestTag/team" = "?*" }
        "ForAllValues:StringEquals" = { "aws:TagKeys" = "team" }
      }
    }]
    error_message = "Source identity, session name and team must equal the tags of the person's own session."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role.persona["auditor"].assume_role_policy).Statement : statement.Sid if statement.Principal == { AWS = ["arn:aws:iam::111122223333:role/audit"] }] == ["PeopleAsThemselves", "PeopleNameThemselves"]
    error_message = "A persona over all teams takes no tags from people."
  }

  assert {
    condition     = !strcontains(aws_iam_role.persona["approver"].assume_role_policy, "PrincipalTag") && !strcontains(aws_iam_role.persona["approver"].assume_role_policy, "role/ml")
    error_message = "A persona that iam_people does not name trusts the service alone."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role.persona["data-scientist"].assume_role_policy).Statement : statement if statement.Principal == { AWS = "arn:aws:iam::111122223333:role/smas-service" }] == local.persona_trust.Statement
    error_message = "The service stays trusted beside them."
  }
}

run "a_persona_named_without_roles_trusts_the_service_alone" {
  command = plan

  variables {
    iam_people = { approver = [] }
  }

  assert {
    condition     = aws_iam_role.persona["approver"].assume_role_policy == aws_iam_role.persona["deployer"].assume_role_policy
    error_message = "An empty list is nobody."
  }
}

run "too_many_roles_for_one_trust_policy_are_refused_before_aws_does" {
  command = plan

  variables {
    iam_people = { approver = [for number in range(12) : "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_ml_${number}"] }
  }

  expect_failures = [aws_iam_role.persona]
}

run "iam_people_are_by_persona" {
  command = plan

  variables {
    iam_people = { administrator = ["arn:aws:iam::111122223333:role/ml"] }
  }

  expect_failures = [var.iam_people]
}

run "iam_people_are_roles_and_never_a_whole_account" {
  command = plan

  variables {
    iam_people = { approver = ["arn:aws:iam::111122223333:root"] }
  }

  expect_failures = [var.iam_people]
}
