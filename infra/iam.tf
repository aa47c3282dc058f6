# Who is who. The functions have roles that read and write nothing: they become somebody. Everything that may be done with a model is
# in the roles that are become, and their policies are the ones that the local stack enforces (policies/).

locals {
  lambda_trust = templatefile("${path.module}/policies/trust-lambda.json", { account = local.account })

  # A function's own permissions: its log, its traces, and nothing else.
  function_policies = {
    for name, group in {
      service      = aws_cloudwatch_log_group.service.arn
      worker       = aws_cloudwatch_log_group.worker.arn
      token-groups = aws_cloudwatch_log_group.token_groups.arn
    } : name => templatefile("${path.module}/policies/function.json", { log_group_arn = group })
  }

  # People who come through IAM: what their roles are trusted with, for a persona of a team and for one over all teams.
  people_trusts = {
    for persona, arns in var.iam_people : persona => jsondecode(templatefile(
      "${path.module}/policies/trust-people${contains(local.team_personas, persona) ? "" : "-global"}.json",
      { people_arns = jsonencode(sort(arns)) }
    )).Statement if length(arns) > 0
  }
  persona_trust = jsondecode(templatefile("${path.module}/policies/trust-persona.json", local.placeholders))
}

# The HTTP service may become a persona, with the caller's name on it.
resource "aws_iam_role" "service" {
  name                 = "${var.name}-service"
  description          = "The HTTP service: becomes the persona of the caller, and does nothing in its own name."
  assume_role_policy   = local.lambda_trust
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "service" {
  name   = "become-the-caller"
  role   = aws_iam_role.service.id
  policy = templatefile("${path.module}/policies/service.json", local.placeholders)
}

# The verifier takes messages, and becomes the roles of verifying and of watching.
resource "aws_iam_role" "worker" {
  name                 = "${var.name}-worker"
  description          = "The verifier: takes messages and becomes the roles that scan, decide and watch."
  assume_role_policy   = local.lambda_trust
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "worker" {
  name   = "become-the-verifier"
  role   = aws_iam_role.worker.id
  policy = templatefile("${path.module}/policies/worker.json", local.placeholders)
}

resource "aws_iam_role_policy" "worker_queues" {
  name = "queues"
  role = aws_iam_role.worker.id
  policy = templatefile("${path.module}/policies/function-queues.json", {
    region                = var.region
    invocations_queue_arn = aws_sqs_queue.invocations_dead.arn
    operations_key_arn    = aws_kms_key.operations.arn
  })
}

# What maps an identity provider's groups reads nothing and becomes nobody.
resource "aws_iam_role" "token_groups" {
  name                 = "${var.name}-token-groups"
  description          = "Decides which groups a token names: needs no permission but to write its log."
  assume_role_policy   = local.lambda_trust
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "function" {
  for_each = {
    service      = aws_iam_role.service.id
    worker       = aws_iam_role.worker.id
    token-groups = aws_iam_role.token_groups.id
  }

  name   = "log-and-traces"
  role   = each.value
  policy = local.function_policies[each.key]
}

# Role chaining caps a session at an hour; a longer one could only be somebody's who does not chain.
resource "aws_iam_role" "persona" {
  for_each = toset(local.personas)

  name        = "${var.name}-${each.key}"
  description = "A person's or machine's own session as ${each.key}."
  assume_role_policy = jsonencode({
    Version   = local.persona_trust.Version
    Statement = concat(local.persona_trust.Statement, lookup(local.people_trusts, each.key, []))
  })
  max_session_duration = 3600

  lifecycle {
    precondition {
      # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
      condition = length(jsonencode(concat(local.persona_trust.Statement, lookup(local.people_trusts, each.key, [])))) <= 2000
      error_message = join(" ", [
        "iam_people names too many roles for ${each.key}: a role's trust policy holds 2,048 characters.",
        "Let people come into one role first.",
      ])
    }
  }
}

resource "aws_iam_role_policy" "persona" {
  for_each = aws_iam_role.persona

  name   = each.key
  role   = each.value.id
  policy = templatefile("${path.module}/policies/persona-${each.key}.json", local.placeholders)
}

# Who has left is refused in every persona, in a session that began before, too. The bucket's policy says the same of itself.
# `python -m deployment bar` writes both at once (docs/operations.md).
resource "aws_iam_role_policy" "barred" {
  for_each = aws_iam_role.persona

  name   = "barred"
  role   = each.value.id
  policy = templatefile("${path.module}/policies/barred.json", local.placeholders)
}

resource "aws_iam_role" "verifier_scanning" {
  name                 = "${var.name}-verifier-scanning"
  description          = "Reads bytes and writes findings; decides nothing."
  assume_role_policy   = templatefile("${path.module}/policies/trust-verifier.json", local.placeholders)
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "verifier_scanning" {
  name   = "verifier-scanning"
  role   = aws_iam_role.verifier_scanning.id
  policy = templatefile("${path.module}/policies/verifier-scanning.json", local.placeholders)
}

resource "aws_iam_role" "verifier_tagging" {
  name                 = "${var.name}-verifier-tagging"
  description          = "Decides, tags and signs; reads not one byte of a model."
  assume_role_policy   = templatefile("${path.module}/policies/trust-verifier.json", local.placeholders)
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "verifier_tagging" {
  name   = "verifier-tagging"
  role   = aws_iam_role.verifier_tagging.id
  policy = templatefile("${path.module}/policies/verifier-tagging.json", local.placeholders)
}

resource "aws_iam_role" "watch" {
  name                 = "${var.name}-watch"
  description          = "Holds the sessions that CloudTrail recorded against those that the service announced."
  assume_role_policy   = templatefile("${path.module}/policies/trust-verifier.json", local.placeholders)
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "watch" {
  name   = "watch"
  role   = aws_iam_role.watch.id
  policy = templatefile("${path.module}/policies/watch.json", local.placeholders)
}
