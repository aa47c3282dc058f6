# The models' bucket and the bucket of access logs: each promise about them, by name. Nothing is asked of AWS: the provider is a mock.

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
  target          = aws_s3_bucket.models
  override_during = plan
  values          = { id = "smas-models-111122223333-eu-central-1" }
}

override_resource {
  target          = aws_s3_bucket.access_log
  override_during = plan
  values          = { id = "smas-access-logs-111122223333-eu-central-1" }
}

run "the_models_bucket_keeps_every_version_and_can_lock_it" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.models.bucket == aws_s3_bucket.models.id && aws_s3_bucket_versioning.models.versioning_configuration[0].status == "Enabled"
    error_message = "The models' bucket must be versioned: manifests pin versions, and history is S3's."
  }

  assert {
    condition     = aws_s3_bucket.models.object_lock_enabled
    error_message = "The models' bucket must be made with Object Lock, which holds and retention need."
  }

  assert {
    condition = (
      aws_s3_bucket_object_lock_configuration.models.bucket == aws_s3_bucket.models.id
      && aws_s3_bucket_object_lock_configuration.models.object_lock_enabled == "Enabled"
      && length(aws_s3_bucket_object_lock_configuration.models.rule) == 0
    )
    error_message = "The models' bucket must have no default retention: S3 would refuse uploads without a checksum header."
  }
}

run "bytes_are_encrypted_under_our_keys_and_no_others" {
  command = plan

  assert {
    condition = one(aws_s3_bucket_server_side_encryption_configuration.models.rule).apply_server_side_encryption_by_default[0] == {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = "arn:aws:kms:eu-central-1:111122223333:key/bytes"
    }
    error_message = "The models' bucket must encrypt under the key of the bytes, whatever a client sends."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.models.rule).bucket_key_enabled
    error_message = "The models' bucket must use a bucket key: else every read is a call to KMS."
  }

  assert {
    condition = toset(one([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement :
      statement if statement.Sid == "OnlyOurKeys" && statement.Action == ["s3:PutObject"]
      ]).Condition.StringNotEquals["s3:x-amz-server-side-encryption-aws-kms-key-id"]) == toset([
      "arn:aws:kms:eu-central-1:111122223333:key/bytes",
      "arn:aws:kms:eu-central-1:111122223333:key/metadata",
    ])
    error_message = "Writes under any key but the store's two must be refused."
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement :
      statement.Action == ["s3:PutObject"] && try(statement.Condition == { Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "false" } }, false)
    ])
    error_message = "Keys that customers send along must be refused."
  }
}

run "no_bucket_is_public_or_knows_access_lists" {
  command = plan

  assert {
    condition = alltrue([for block in [aws_s3_bucket_public_access_block.models, aws_s3_bucket_public_access_block.access_log] :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "Every bucket must block public access in all four ways."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.models.bucket == aws_s3_bucket.models.id
      && aws_s3_bucket_public_access_block.access_log.bucket == aws_s3_bucket.access_log.id
    )
    error_message = "Each public access block must be its own bucket's."
  }

  assert {
    condition = alltrue([for controls in [aws_s3_bucket_ownership_controls.models, aws_s3_bucket_ownership_controls.access_log] :
      controls.rule[0].object_ownership == "BucketOwnerEnforced"
    ])
    error_message = "Every bucket must own what is in it (BucketOwnerEnforced), so that no access list counts."
  }
}

run "the_policy_is_the_tested_one_and_refuses_open_connections_and_old_signatures" {
  command = plan

  assert {
    condition     = aws_s3_bucket_policy.models.bucket == aws_s3_bucket.models.id
    error_message = "The policy must be on the models' bucket."
  }

  assert {
    condition     = aws_s3_bucket_policy.models.policy == templatefile("./policies/bucket.json", local.placeholders)
    error_message = "The models' bucket must have policies/bucket.json, which the local stack enforces too."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement : statement.Effect == "Deny" && alltrue([
      for arn in try(statement.Resource, statement.NotResource) : startswith(arn, "arn:aws:s3:::smas-models-111122223333-eu-central-1")
    ])])
    error_message = "The models' bucket's policy gives nothing to anybody; it refuses, in this bucket."
  }

  assert {
    condition = alltrue([for policy in [aws_s3_bucket_policy.models.policy, aws_s3_bucket_policy.access_log.policy] : anytrue([
      for statement in jsondecode(policy).Statement :
      statement.Effect == "Deny" && statement.Principal == { AWS = "*" } && statement.Action == ["s3:*"] && try(length(statement.Resource), 0) == 2
      && try(statement.Condition == { Bool = { "aws:SecureTransport" = "false" } }, false)
    ])])
    error_message = "Every bucket must refuse every call without TLS."
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement :
      statement.Action == ["s3:*"] && try(statement.Condition == { NumericGreaterThan = { "s3:signatureAge" = "3600000" } }, false)
    ])
    error_message = "A signature older than an hour must be refused: no presigned URL outlives a session."
  }
}

run "immutable_kinds_are_only_ever_created_and_no_role_unguards_them" {
  command = plan

  assert {
    condition = toset(one([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement :
      statement if try(statement.Condition == { Null = { "s3:if-none-match" = "true" } }, false)
      ]).Resource) == toset([for kind in ["approvals", "authors", "findings", "manifests", "moves", "tombstones", "verdicts"] :
      "arn:aws:s3:::smas-models-111122223333-eu-central-1/${kind}/*"
    ])
    error_message = "Records that never change must be written with If-None-Match alone, so that nobody writes over one."
  }

  assert {
    condition = toset(one([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement :
      statement if statement.Action == ["s3:DeleteObject"]
      ]).NotResource) == toset([for kind in ["requests", "uploads"] :
      "arn:aws:s3:::smas-models-111122223333-eu-central-1/${kind}/*"
    ])
    error_message = "Nothing that was published may be hidden by a delete marker, behind which it could be created anew."
  }

  assert {
    condition = toset(one([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement :
      statement if statement.Sid == "NoRoleOfOursUnguards"
      ]).Condition.ArnEquals["aws:PrincipalArn"]) == toset([
      for role in concat(local.personas, ["service", "worker", "watch", "verifier-scanning", "verifier-tagging"]) : "arn:aws:iam::111122223333:role/smas-${role}"
    ])
    error_message = "Every role of the store must be refused to change what guards the bucket."
  }

  assert {
    condition = length(setsubtract(
      [
        "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
      ],
      one([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement : statement if statement.Sid == "NoRoleOfOursUnguards"]).Action,
    )) == 0
    error_message = "Policy, versions, lock, encryption, lifecycle and public access must be among what they cannot change."
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.models.policy).Statement :
      statement.Effect == "Deny" && statement.Principal == { AWS = "*" } && statement.Action == ["s3:BypassGovernanceRetention"] && !can(statement.Condition)
    ])
    error_message = "Nobody at all may bypass a retention."
  }
}

run "what_has_served_expires_after_a_day_and_what_was_published_never_does" {
  command = plan

  assert {
    condition = [for rule in aws_s3_bucket_lifecycle_configuration.models.rule :
      [rule.status, rule.filter[0].prefix, rule.abort_incomplete_multipart_upload[0].days_after_initiation] if length(rule.abort_incomplete_multipart_upload) > 0
    ] == [["Enabled", "", 1]]
    error_message = "Multipart uploads that nobody finishes must end after a day, wherever they are."
  }

  assert {
    condition = { for rule in aws_s3_bucket_lifecycle_configuration.models.rule : rule.filter[0].prefix => [
      rule.status, rule.expiration[0].days, rule.noncurrent_version_expiration[0].noncurrent_days
      ] if startswith(rule.id, "expire-") } == {
      "uploads/"  = ["Enabled", 1, 1]
      "requests/" = ["Enabled", 1, 1]
    }
    error_message = "Open uploads and idempotency keys must expire after a day, with their older versions."
  }

  assert {
    condition = { for rule in aws_s3_bucket_lifecycle_configuration.models.rule :
      rule.filter[0].prefix => rule.expiration[0].expired_object_delete_marker if startswith(rule.id, "sweep-")
    } == { "uploads/" = true, "requests/" = true }
    error_message = "Their delete markers must be swept, or lists there grow for ever."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.models.rule : length(rule.transition) + length(rule.noncurrent_version_transition) == 0])
    error_message = "Nothing moves to another storage class unless storage_tier says so."
  }
}

run "blobs_alone_tier_when_asked_and_nothing_more_expires" {
  command = plan

  variables {
    storage_tier = "intelligent-tiering"
  }

  assert {
    condition = toset([for rule in aws_s3_bucket_lifecycle_configuration.models.rule :
      rule.filter[0].prefix if length(rule.expiration) + length(rule.noncurrent_version_expiration) > 0
    ]) == toset(["uploads/", "requests/"])
    error_message = "A rule that deletes objects or versions must be about uploads/ or requests/ alone."
  }

  assert {
    condition     = aws_s3_bucket.models.force_destroy != true
    error_message = "No plan may empty the models' bucket."
  }

  assert {
    condition = { for rule in aws_s3_bucket_lifecycle_configuration.models.rule : rule.filter[0].prefix => [
      one(rule.transition).storage_class, one(rule.transition).days, one(rule.noncurrent_version_transition).storage_class
    ] if length(rule.transition) > 0 } == { "blobs/" = ["INTELLIGENT_TIERING", 30, "INTELLIGENT_TIERING"] }
    error_message = "With storage_tier = intelligent-tiering, blobs and nothing else move to S3 Intelligent-Tiering."
  }
}

run "accesses_are_logged_arrivals_announced_and_bytes_counted" {
  command = plan

  assert {
    condition = (
      aws_s3_bucket_logging.models.bucket == aws_s3_bucket.models.id
      && aws_s3_bucket_logging.models.target_bucket == "smas-access-logs-111122223333-eu-central-1"
      && aws_s3_bucket_logging.models.target_prefix == "models/"
    )
    error_message = "The models' bucket must log its accesses to the access-log bucket."
  }

  assert {
    condition     = aws_s3_bucket_logging.models.target_object_key_format[0].partitioned_prefix[0].partition_date_source == "EventTime"
    error_message = "Access logs must lie in a folder a day: athena/access_log_table.sql counts on it."
  }

  assert {
    condition = { for queue in aws_s3_bucket_notification.models.queue : queue.filter_prefix => [queue.queue_arn == aws_sqs_queue.events.arn, tolist(queue.events)] } == {
      for kind in ["blobs", "manifests", "authors", "protected"] : "${kind}/" => [true, tolist(["s3:ObjectCreated:*"])]
    }
    error_message = "Everything that is created under the verifier's prefixes must be announced to the events' queue."
  }

  assert {
    condition     = length(aws_s3_bucket_notification.models.topic) + length(aws_s3_bucket_notification.models.lambda_function) == 0
    error_message = "Nobody else is told."
  }

  assert {
    condition     = aws_s3_bucket_metric.blobs.bucket == aws_s3_bucket.models.id && aws_s3_bucket_metric.blobs.filter[0].prefix == "blobs/"
    error_message = "Request metrics must count the bytes of blobs, for the alarm on egress."
  }

  assert {
    condition     = aws_s3_bucket_metric.everything.bucket == aws_s3_bucket.models.id && length(aws_s3_bucket_metric.everything.filter) == 0
    error_message = "Request metrics must count the whole bucket's requests."
  }
}

run "access_logs_are_written_by_log_delivery_alone_and_kept" {
  command = plan

  assert {
    condition = one([for statement in jsondecode(aws_s3_bucket_policy.access_log.policy).Statement : statement if statement.Effect == "Allow"]) == {
      Sid       = "BucketsLog"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = ["s3:PutObject"]
      Resource  = ["arn:aws:s3:::smas-access-logs-111122223333-eu-central-1/*"]
      Condition = {
        ArnEquals = { "aws:SourceArn" = [
          "arn:aws:s3:::smas-models-111122223333-eu-central-1",
          "arn:aws:s3:::smas-trail-111122223333-eu-central-1",
          "arn:aws:s3:::smas-athena-111122223333-eu-central-1",
        ] }
        StringEquals = { "aws:SourceAccount" = "111122223333" }
      }
    }
    error_message = "Only S3's log delivery may write access logs, for our buckets."
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.access_log.policy).Statement :
      statement.Effect == "Deny" && statement.Principal == { AWS = "*" } && statement.Action == ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]
      && try(statement.Condition == { Bool = { "aws:PrincipalIsAWSService" = "false" } }, false)
    ])
    error_message = "Nobody may write or delete an access log."
  }

  assert {
    condition     = aws_s3_bucket_versioning.access_log.versioning_configuration[0].status == "Enabled"
    error_message = "The access-log bucket must be versioned."
  }

  assert {
    condition     = one([for rule in aws_s3_bucket_lifecycle_configuration.access_log.rule : rule.expiration[0].days if rule.id == "expire"]) == 400
    error_message = "Access logs must expire after log_days, not before and not never."
  }

  assert {
    condition     = !aws_s3_bucket.access_log.object_lock_enabled && aws_s3_bucket.access_log.force_destroy != true
    error_message = "S3 delivers access logs to no bucket with Object Lock; and no plan may empty this one."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.access_log.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "Log delivery writes under S3's own keys: with a key of KMS as the default nothing would arrive."
  }
}
