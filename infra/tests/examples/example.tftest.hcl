# The two examples, `small.tfvars` and `large.tfvars`, can be planned: tests/infra/terraform runs this once with each.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "replica"
  source          = "./tests/mocks"
  override_during = plan
}

run "an_example_can_be_planned" {
  command = plan

  assert {
    condition     = length(aws_cognito_user_group.role) == 3 * length(var.teams) + 3 + 1
    error_message = "each team has its three groups, beside the three over all teams and the smoke test's"
  }

  assert {
    condition     = length(output.machine_client_ids) == length(var.machines)
    error_message = "each machine has a client of its own"
  }
}
