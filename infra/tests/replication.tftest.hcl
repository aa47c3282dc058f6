# The second copy: as protected as the first, and not reached by what destroys it. Nothing is asked of AWS: the provider is a mock.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "replica"
  source          = "./tests/mocks"
  override_during = plan
}

override_resource {
  target          = aws_kms_key.bytes
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/bytes" }
}

override_resource {
  target          = aws_kms_key.metadata
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/metadata" }
}

override_resource {
  target          = aws_kms_key.replica_bytes
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-west-1:111122223333:key/bytes" }
}

override_resource {
  target          = aws_kms_key.replica_metadata
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-west-1:111122223333:key/metadata" }
}

override_resource {
  target          = aws_s3_bucket.replica
  override_during = plan
  values          = { id = "smas-models-111122223333-eu-west-1", arn = "arn:aws:s3:::smas-models-111122223333-eu-west-1" }
}

override_resource {
  target          = aws_s3_bucket.models
  override_during = plan
  values          = { id = "smas-models-111122223333-eu-central-1" }
}

variables {
  replica_region = "eu-west-1"
}

run "no_copy_is_made_unless_asked_for" {
  command = plan

  variables {
    replica_region = null
  }

  assert {
    condition = (
      length(aws_s3_bucket.replica) + length(aws_kms_key.replica_bytes) + length(aws_kms_key.replica_metadata)
      + length(aws_iam_role.replication) + length(aws_s3_bucket_replication_configuration.models) == 0
    )
    error_message = "Without replica_region there must be no second bucket, no keys and no role."
  }

  assert {
    condition     = output.copy != null && length(output.copy) == 0
    error_message = "Without replica_region the output must be there and empty: Terraform drops one that is null, and `python -m deployment` then finds no store."
  }
}

run "the_copy_is_as_protected_as_the_first" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.replica[0].versioning_configuration[0].status == "Enabled" && aws_s3_bucket_versioning.replica[0].bucket == aws_s3_bucket.replica[0].id
    error_message = "The copy must be versioned."
  }

  assert {
    condition     = aws_s3_bucket.replica[0].object_lock_enabled && length(aws_s3_bucket_object_lock_configuration.replica[0].rule) == 0
    error_message = "The copy must take the first bucket's retention and holds, and add none of its own."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.replica[0].bucket == aws_s3_bucket.replica[0].id
      && aws_s3_bucket_public_access_block.replica[0].block_public_acls
      && aws_s3_bucket_public_access_block.replica[0].block_public_policy
      && aws_s3_bucket_public_access_block.replica[0].ignore_public_acls
      && aws_s3_bucket_public_access_block.replica[0].restrict_public_buckets
    )
    error_message = "The copy must block public access in all four ways."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.replica[0].rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "The copy must own what is in it."
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.replica[0].policy) == jsondecode(replace(
      aws_s3_bucket_policy.models.policy, "eu-central-1", "eu-west-1"
    ))
    error_message = "The copy must have policies/bucket.json, of its own name and keys."
  }

  assert {
    condition = toset([for rule in aws_s3_bucket_lifecycle_configuration.replica[0].rule :
      rule.filter[0].prefix if length(rule.expiration) + length(rule.noncurrent_version_expiration) > 0
    ]) == toset(["uploads/", "requests/"])
    error_message = "In the copy too, a rule that deletes must be about uploads/ or requests/ alone."
  }

  assert {
    condition     = aws_s3_bucket.replica[0].force_destroy != true
    error_message = "No plan may empty the copy."
  }

  assert {
    condition     = local.data_event_arns == ["arn:aws:s3:::smas-models-111122223333-eu-central-1/", "arn:aws:s3:::smas-models-111122223333-eu-west-1/"]
    error_message = "The trail must record the objects of both buckets."
  }
}

run "everything_is_copied_under_keys_of_that_region" {
  command = plan

  assert {
    condition = alltrue([for key in [aws_kms_key.replica_bytes[0], aws_kms_key.replica_metadata[0]] :
      key.enable_key_rotation && key.deletion_window_in_days == 30 && key.multi_region != true
    ])
    error_message = "The copy's keys must rotate, wait 30 days before they go, and be no part of a multi-region key."
  }

  assert {
    condition = (
      aws_kms_key.replica_bytes[0].policy == aws_kms_key.bytes.policy
      && aws_kms_key.replica_metadata[0].policy == aws_kms_key.metadata.policy
      && aws_kms_alias.replica_bytes[0].name == "alias/smas-bytes"
      && aws_kms_alias.replica_metadata[0].name == "alias/smas-metadata"
    )
    error_message = "The copy's keys must have the policies and names of the first bucket's."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.replica[0].rule).apply_server_side_encryption_by_default[0].kms_master_key_id == "arn:aws:kms:eu-west-1:111122223333:key/bytes"
    error_message = "The copy must encrypt under its own key of the bytes."
  }

  assert {
    condition = { for rule in aws_s3_bucket_replication_configuration.models[0].rule : rule.filter[0].prefix => [
      rule.status, rule.priority, rule.destination[0].bucket, rule.destination[0].encryption_configuration[0].replica_kms_key_id, rule.destination[0].storage_class
      ] } == {
      "blobs/" = ["Enabled", 2, "arn:aws:s3:::smas-models-111122223333-eu-west-1", "arn:aws:kms:eu-west-1:111122223333:key/bytes", "STANDARD"]
      ""       = ["Enabled", 1, "arn:aws:s3:::smas-models-111122223333-eu-west-1", "arn:aws:kms:eu-west-1:111122223333:key/metadata", "STANDARD"]
    }
    error_message = "Blobs must be copied under the bytes' key and all else under the records', the former with priority."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_replication_configuration.models[0].rule : rule.source_selection_criteria[0].sse_kms_encrypted_objects[0].status == "Enabled"])
    error_message = "S3 copies what is encrypted under KMS only where it is told to."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_replication_configuration.models[0].rule : rule.destination[0].metrics[0].status == "Enabled"])
    error_message = "Each rule must have metrics: alarms count what failed."
  }
}

run "copies_tier_as_the_first_do_and_deletions_are_not_copied" {
  command = plan

  variables {
    storage_tier = "intelligent-tiering"
  }

  assert {
    condition = { for rule in aws_s3_bucket_replication_configuration.models[0].rule : rule.id => rule.destination[0].storage_class } == {
      bytes   = "INTELLIGENT_TIERING"
      records = "STANDARD"
    }
    error_message = "With storage_tier = intelligent-tiering, copies of blobs and nothing else lie in S3 Intelligent-Tiering."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_replication_configuration.models[0].rule : rule.delete_marker_replication[0].status == "Disabled"])
    error_message = "Delete markers must not reach the copy."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.replication[0].policy, "s3:ReplicateDelete")
    error_message = "The role must not be able to delete in the copy."
  }

  assert {
    condition = (
      aws_s3_bucket_replication_configuration.models[0].role == aws_iam_role.replication[0].arn
      && [for statement in jsondecode(aws_iam_role.replication[0].assume_role_policy).Statement : [statement.Principal, statement.Action]] == [[{ Service = "s3.amazonaws.com" }, ["sts:AssumeRole"]]]
    )
    error_message = "S3 alone may take the role on."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.replication[0].policy).Statement : statement.Sid => statement.Resource } == {
      ReadWhatToReplicate = ["arn:aws:s3:::smas-models-111122223333-eu-central-1"]
      ReadVersions        = ["arn:aws:s3:::smas-models-111122223333-eu-central-1/*"]
      WriteReplicas       = ["arn:aws:s3:::smas-models-111122223333-eu-west-1/*"]
      DecryptHere         = ["arn:aws:kms:eu-central-1:111122223333:key/bytes", "arn:aws:kms:eu-central-1:111122223333:key/metadata"]
      EncryptThere        = ["arn:aws:kms:eu-west-1:111122223333:key/bytes", "arn:aws:kms:eu-west-1:111122223333:key/metadata"]
    }
    error_message = "The role must read the first bucket and write the copy, under their keys."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.replication[0].policy).Statement : statement.Sid => statement.Condition.StringEquals["kms:ViaService"] if can(statement.Condition) } == {
      DecryptHere  = "s3.eu-central-1.amazonaws.com"
      EncryptThere = "s3.eu-west-1.amazonaws.com"
    }
    error_message = "The role must use keys through S3 alone, each in its region."
  }
}

run "the_copy_refuses_whom_the_first_bucket_refuses" {
  command = plan

  variables {
    barred_identities = { "00000000-0000-0000-0000-000000000000" = "somebody who left" }
  }

  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.replica[0].policy).Statement : statement.Condition
      if statement.Sid == "TheBarredAreRefused" && statement.Effect == "Deny" && statement.Action == ["s3:*"]
    ] == [{ StringEquals = { "aws:SourceIdentity" = ["-", "00000000-0000-0000-0000-000000000000"] } }]
    error_message = "The copy must refuse the barred, who may read it as they read the first bucket."
  }

  assert {
    condition     = output.copy == { bucket = "smas-models-111122223333-eu-west-1", region = "eu-west-1" }
    error_message = "The commands that look after a store find the copy by the output."
  }
}
