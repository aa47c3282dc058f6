# Before the store: state and images. Nothing is asked of AWS: the provider is a mock.

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

  mock_resource "aws_s3_bucket" {
    defaults = { id = "smas-state-111122223333-eu-central-1" }
  }

  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas" }
  }
}

variables {
  region = "eu-central-1"
}

run "every_version_of_the_state_is_kept" {
  command = plan

  assert {
    condition     = aws_s3_bucket.state.bucket == "smas-state-111122223333-eu-central-1" && aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "The state bucket must be versioned."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_s3_bucket_policy.state.policy).Statement :
      statement.Effect == "Deny" && contains(statement.Action, "s3:DeleteObjectVersion") && contains(statement.Resource, "arn:aws:s3:::smas-state-111122223333-eu-central-1/*") if statement.Sid == "NobodyDeletesAVersion"
    ]) && contains([for statement in jsondecode(aws_s3_bucket_policy.state.policy).Statement : statement.Sid], "NobodyDeletesAVersion")
    error_message = "Nobody may delete a version of the state."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.state.rule : [rule.expiration[0].expired_object_delete_marker, rule.noncurrent_version_expiration[0].noncurrent_days, rule.noncurrent_version_expiration[0].newer_noncurrent_versions]] == [[true, 365, 20]]
    error_message = "Only old states may expire, after a year and never the last twenty."
  }
}

run "the_state_is_encrypted_with_a_key_of_its_own" {
  command = plan

  assert {
    condition = alltrue(flatten([for rule in aws_s3_bucket_server_side_encryption_configuration.state.rule : [
      for each in rule.apply_server_side_encryption_by_default : each.sse_algorithm == "aws:kms" && each.kms_master_key_id == aws_kms_key.state.arn
    ]]))
    error_message = "The state must be under the state's key."
  }

  assert {
    condition     = aws_kms_key.state.enable_key_rotation && aws_kms_key.state.deletion_window_in_days == 30
    error_message = "The key must rotate, and take a month to be deleted."
  }
}

run "the_state_is_closed_to_the_public_and_to_other_accounts" {
  command = plan

  assert {
    condition     = aws_s3_bucket_public_access_block.state.block_public_acls && aws_s3_bucket_public_access_block.state.block_public_policy && aws_s3_bucket_public_access_block.state.ignore_public_acls && aws_s3_bucket_public_access_block.state.restrict_public_buckets
    error_message = "Public access must be blocked in all four ways."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.state.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "There must be no ACLs."
  }

  assert {
    condition     = [for statement in jsondecode(aws_s3_bucket_policy.state.policy).Statement : statement.Condition.StringNotEquals["aws:PrincipalAccount"] if statement.Sid == "ThisAccountOnly" && statement.Effect == "Deny"] == ["111122223333"]
    error_message = "No other account may reach the state."
  }
}

run "the_state_is_reached_through_tls_alone" {
  command = plan

  assert {
    condition     = [for statement in jsondecode(aws_s3_bucket_policy.state.policy).Statement : statement.Condition.Bool["aws:SecureTransport"] if statement.Sid == "TlsOnly" && statement.Effect == "Deny"] == ["false"]
    error_message = "Requests without TLS must be refused."
  }
}

run "the_backend_locks_natively_and_encrypts" {
  command = plan

  assert {
    condition     = output.state_config == "bucket       = \"smas-state-111122223333-eu-central-1\"\nkey          = \"store.tfstate\"\nregion       = \"eu-central-1\"\nencrypt      = true\nkms_key_id   = \"arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000\"\nuse_lockfile = true\n"
    error_message = "The store's backend must lock by a file and encrypt with the state's key."
  }

  assert {
    condition     = strcontains(output.own_state_config, "key          = \"bootstrap.tfstate\"") && replace(output.own_state_config, "bootstrap.tfstate", "store.tfstate") == output.state_config
    error_message = "This configuration's own state is beside the store's."
  }
}

run "a_tag_of_an_image_is_given_once" {
  command = plan

  assert {
    condition     = aws_ecr_repository.store.image_tag_mutability == "IMMUTABLE" && !aws_ecr_repository.store.force_delete
    error_message = "A tag must not move, and a repository with images must not go."
  }
}

run "images_are_scanned_and_encrypted" {
  command = plan

  assert {
    condition     = aws_ecr_repository.store.image_scanning_configuration[0].scan_on_push
    error_message = "What is pushed must be scanned."
  }

  assert {
    condition     = alltrue([for each in aws_ecr_repository.store.encryption_configuration : each.encryption_type == "KMS" && each.kms_key == aws_kms_key.state.arn]) && length(aws_ecr_repository.store.encryption_configuration) == 1
    error_message = "Images must be under our own key."
  }
}

run "no_image_with_a_tag_expires" {
  command = plan

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.store.policy).rules : rule.selection.tagStatus] == ["untagged"]
    error_message = "Which image runs is not ECR's to know: only what never got a tag may expire."
  }
}

run "only_the_stores_functions_pull" {
  command = plan

  assert {
    condition = [for statement in jsondecode(aws_ecr_repository_policy.store.policy).Statement : [statement.Principal, statement.Condition.StringLike["aws:SourceArn"]]] == [
      [{ Service = "lambda.amazonaws.com" }, "arn:aws:lambda:eu-central-1:111122223333:function:smas-*"]
    ]
    error_message = "Lambda may pull for the store's functions alone."
  }
}

run "a_region_is_one" {
  command = plan

  variables {
    region = "Frankfurt"
  }

  expect_failures = [var.region]
}

run "a_name_fits_into_the_sign_in_pages_address" {
  command = plan

  variables {
    name = "aws-models"
  }

  expect_failures = [var.name]
}

run "a_name_fits_into_a_buckets" {
  command = plan

  variables {
    name = "A name that no bucket may have"
  }

  expect_failures = [var.name]
}

run "tags_are_some_that_aws_takes" {
  command = plan

  variables {
    tags = { "aws:team" = "fraud" }
  }

  expect_failures = [var.tags]
}
