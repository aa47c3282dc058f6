# The keys: what each is for, and who may use it. Nothing is asked of AWS: the provider is a mock.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "replica"
  source          = "./tests/mocks"
  override_during = plan
}

run "keys_turn_every_year_wait_thirty_days_and_have_their_names" {
  command = plan

  assert {
    condition     = alltrue([for key in [aws_kms_key.bytes, aws_kms_key.metadata, aws_kms_key.operations] : key.enable_key_rotation])
    error_message = "Every symmetric key must rotate."
  }

  assert {
    condition     = alltrue([for key in [aws_kms_key.bytes, aws_kms_key.metadata, aws_kms_key.operations] : coalesce(key.key_usage, "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT"])
    error_message = "Keys of bytes, records and operations must encrypt."
  }

  assert {
    condition     = alltrue([for key in [aws_kms_key.bytes, aws_kms_key.metadata, aws_kms_key.operations, aws_kms_key.signing] : key.deletion_window_in_days == 30])
    error_message = "A key must wait the longest KMS allows, 30 days, before it is deleted."
  }

  assert {
    condition = { for alias in [aws_kms_alias.bytes, aws_kms_alias.metadata, aws_kms_alias.operations, aws_kms_alias.signing] : alias.name => alias.target_key_id } == {
      "alias/smas-bytes"      = aws_kms_key.bytes.key_id
      "alias/smas-metadata"   = aws_kms_key.metadata.key_id
      "alias/smas-operations" = aws_kms_key.operations.key_id
      "alias/smas-signing"    = aws_kms_key.signing.key_id
    }
    error_message = "Each key must have its alias."
  }
}

run "signatures_are_made_on_p256_by_the_verifier_alone" {
  command = plan

  assert {
    condition     = aws_kms_key.signing.customer_master_key_spec == "ECC_NIST_P256" && aws_kms_key.signing.key_usage == "SIGN_VERIFY"
    error_message = "The signing key must be an ECC_NIST_P256 key that signs."
  }

  assert {
    condition     = aws_kms_key.signing.enable_key_rotation != true
    error_message = "KMS rotates no asymmetric key: asked to, it refuses."
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_kms_key.signing.policy).Statement :
      statement.Effect == "Deny" && contains(statement.Action, "kms:Sign") && statement.Principal == { AWS = "*" }
      && try(statement.Condition == { ArnNotEquals = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/smas-verifier-tagging" } }, false)
    ])
    error_message = "Nobody but the verifier's tagging role may sign."
  }
}

run "keys_delegate_to_iam_and_refuse_whoever_reads_no_byte" {
  command = plan

  assert {
    condition = alltrue([for key in [aws_kms_key.bytes, aws_kms_key.metadata, aws_kms_key.operations, aws_kms_key.signing] : [
      for statement in jsondecode(key.policy).Statement : statement.Principal if statement.Effect == "Allow" && can(statement.Principal.AWS)
    ] == [{ AWS = "arn:aws:iam::111122223333:root" }]])
    error_message = "Of people and roles a key's policy names the account alone, which leaves to IAM who may."
  }

  assert {
    condition = alltrue(flatten([for key in [aws_kms_key.bytes, aws_kms_key.metadata, aws_kms_key.operations, aws_kms_key.signing] : [
      for statement in jsondecode(key.policy).Statement : statement.Effect == "Deny" && can(statement.Condition) if strcontains(jsonencode(statement.Principal), "*")
    ]]))
    error_message = "Everybody may be named only where something is refused, under a condition."
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_kms_key.bytes.policy).Statement :
      statement.Effect == "Deny" && contains(statement.Action, "kms:Decrypt") && try(toset(statement.Condition.ArnEquals["aws:PrincipalArn"]), toset([])) == toset([
        for role in ["auditor", "custodian", "verifier-tagging"] : "arn:aws:iam::111122223333:role/smas-${role}"
      ])
    ])
    error_message = "Auditors, custodians and the tagging role must be refused by the bytes' key itself."
  }
}

run "services_use_the_operations_key_for_things_of_the_store_alone" {
  command = plan

  assert {
    condition = { for statement in jsondecode(aws_kms_key.operations.policy).Statement : statement.Principal.Service => statement.Condition if can(statement.Principal.Service) } == {
      "logs.eu-central-1.amazonaws.com" = {
        ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/*" }
      }
      "s3.amazonaws.com" = {
        ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::smas-models-111122223333-eu-central-1" }
        StringEquals = { "aws:SourceAccount" = "111122223333" }
      }
      "cloudwatch.amazonaws.com" = {
        ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:*" }
        StringEquals = { "aws:SourceAccount" = "111122223333" }
      }
    }
    error_message = "Logs, notifications and alarms may use the key for this store's groups, bucket and account, and no other service may."
  }

  assert {
    condition = alltrue([for group in [aws_cloudwatch_log_group.service, aws_cloudwatch_log_group.worker, aws_cloudwatch_log_group.api_gateway, aws_cloudwatch_log_group.token_groups] :
      group.kms_key_id == aws_kms_key.operations.arn && startswith(group.name, "/smas/")
    ])
    error_message = "A log group must be encrypted under the key of operations, and have a name that the key's policy lets CloudWatch Logs use it for."
  }
}
