# Each protection of the trail, by name. `terraform init && terraform test` in this module's folder; nothing is called.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }

  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:eu-central-1:111122223333:key/logs"
      key_id = "logs"
    }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { id = "smas-trail" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/trail" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/smas-trail-log-group" }
  }

  mock_resource "aws_cloudtrail" {
    defaults = { arn = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/smas" }
  }
}

variables {
  name            = "smas"
  bucket          = "smas-trail"
  data_event_arns = ["arn:aws:s3:::smas-models/"]
}

run "every_region_and_the_global_services_are_recorded" {
  command = plan

  assert {
    condition     = aws_cloudtrail.trail.is_multi_region_trail && aws_cloudtrail.trail.include_global_service_events
    error_message = "The trail must record every region, and IAM and the other global services."
  }

  assert {
    condition     = aws_cloudtrail.trail.enable_logging
    error_message = "The trail must be on."
  }
}

run "log_files_can_be_validated" {
  command = plan

  assert {
    condition     = aws_cloudtrail.trail.enable_log_file_validation
    error_message = "CloudTrail must sign digests of its log files."
  }
}

run "management_events_are_recorded_reads_and_writes" {
  command = plan

  assert {
    condition = [
      for each in aws_cloudtrail.trail.advanced_event_selector : one(each.field_selector).equals
      if length(each.field_selector) == 1 && alltrue([for field in each.field_selector : field.field == "eventCategory"])
    ] == [tolist(["Management"])]
    error_message = "One selector must take all management events: no other field may narrow it to reads or writes, or leave a source out."
  }
}

run "reads_and_writes_of_the_models_are_recorded_and_of_nothing_else" {
  command = plan

  assert {
    condition = {
      for field in flatten([for each in aws_cloudtrail.trail.advanced_event_selector : tolist(each.field_selector) if each.name == "Models"]) :
      field.field => coalescelist(field.equals, field.starts_with)
      } == {
      "eventCategory"  = tolist(["Data"])
      "resources.type" = tolist(["AWS::S3::Object"])
      "resources.ARN"  = tolist(["arn:aws:s3:::smas-models/"])
    }
    error_message = "A selector must take all data events of the models' objects: no field readOnly, no name of an event."
  }

  assert {
    condition     = length(aws_cloudtrail.trail.advanced_event_selector) == 2
    error_message = "There must be no third selector: data events of other buckets are not ours, and cost."
  }
}

run "the_trail_has_a_key_of_its_own_that_rotates" {
  command = plan

  assert {
    condition     = aws_cloudtrail.trail.kms_key_id == aws_kms_key.logs.arn
    error_message = "CloudTrail must encrypt with the key of this module."
  }

  assert {
    condition     = aws_kms_key.logs.enable_key_rotation && aws_kms_key.logs.deletion_window_in_days == 30
    error_message = "The key must rotate, and its deletion must take the longest time there is."
  }

  assert {
    condition     = aws_kms_alias.logs.name == "alias/smas-logs" && aws_kms_alias.logs.target_key_id == aws_kms_key.logs.key_id
    error_message = "The key must be found by its alias."
  }
}

run "only_this_trail_and_its_log_group_use_the_key" {
  command = plan

  assert {
    condition     = aws_kms_key_policy.logs.key_id == aws_kms_key.logs.key_id
    error_message = "The policy must be the key's."
  }

  assert {
    condition = alltrue([
      for each in jsondecode(aws_kms_key_policy.logs.policy).Statement :
      each.Condition.StringEquals["aws:SourceArn"] == "arn:aws:cloudtrail:eu-central-1:111122223333:trail/smas"
      if try(each.Principal.Service, "") == "cloudtrail.amazonaws.com"
    ])
    error_message = "CloudTrail may use the key for this trail alone."
  }

  assert {
    condition = flatten([
      for each in jsondecode(aws_kms_key_policy.logs.policy).Statement : each.Action
      if try(each.Principal.Service, "") == "cloudtrail.amazonaws.com"
    ]) == ["kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"]
    error_message = "CloudTrail encrypts, and decrypts nothing."
  }

  assert {
    condition = [
      for each in jsondecode(aws_kms_key_policy.logs.policy).Statement : each.Condition.ArnEquals["kms:EncryptionContext:aws:logs:arn"]
      if try(each.Principal.Service, "") == "logs.eu-central-1.amazonaws.com"
    ] == ["arn:aws:logs:eu-central-1:111122223333:log-group:/smas/trail"]
    error_message = "CloudWatch Logs may use the key for the trail's log group alone."
  }

  assert {
    condition = [
      for each in jsondecode(aws_kms_key_policy.logs.policy).Statement : each.Principal.AWS if can(each.Principal.AWS)
    ] == ["arn:aws:iam::111122223333:root"]
    error_message = "Who may decrypt is for IAM to say; the key itself gives nobody anything."
  }
}

run "events_come_to_an_encrypted_log_group_that_keeps_them_a_year" {
  command = plan

  assert {
    condition     = aws_cloudtrail.trail.cloud_watch_logs_group_arn == "${aws_cloudwatch_log_group.trail.arn}:*" && aws_cloudtrail.trail.cloud_watch_logs_role_arn == aws_iam_role.log_group.arn
    error_message = "The trail must deliver to its log group, in its role."
  }

  assert {
    condition     = aws_cloudwatch_log_group.trail.kms_key_id == aws_kms_key.logs.arn
    error_message = "The log group must be encrypted with the trail's key."
  }

  assert {
    condition     = aws_cloudwatch_log_group.trail.retention_in_days == 400 && aws_cloudwatch_log_group.trail.name == "/smas/trail"
    error_message = "The log group must keep events for log_days, under the name that the key's policy knows."
  }
}

run "cloudtrail_s_role_writes_that_log_group_and_nothing_else" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role_policy.log_group.policy).Statement == [{
      Sid      = "WriteEvents"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:aws:logs:eu-central-1:111122223333:log-group:/smas/trail:log-stream:111122223333_CloudTrail_eu-central-1*"]
    }]
    error_message = "The role may make and write CloudTrail's streams of the trail's log group."
  }

  assert {
    condition     = [for each in jsondecode(aws_iam_role.log_group.assume_role_policy).Statement : each.Principal] == [{ Service = "cloudtrail.amazonaws.com" }]
    error_message = "Only CloudTrail may take the role."
  }
}

run "the_bucket_locks_what_is_delivered" {
  command = plan

  assert {
    condition     = aws_s3_bucket.trail.object_lock_enabled && aws_s3_bucket_versioning.trail.versioning_configuration[0].status == "Enabled"
    error_message = "The bucket must be made for Object Lock, with versions."
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.trail.rule[0].default_retention[0].mode == "GOVERNANCE" && aws_s3_bucket_object_lock_configuration.trail.rule[0].default_retention[0].days == 365
    error_message = "Without being asked, the lock must be GOVERNANCE for a year."
  }

  assert {
    condition     = aws_s3_bucket.trail.force_destroy != true
    error_message = "Terraform must never empty the bucket."
  }
}

run "the_lock_is_what_was_asked_for" {
  command = plan

  variables {
    lock_mode = "COMPLIANCE"
    lock_days = 2555
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.trail.rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.trail.rule[0].default_retention[0].days == 2555
    error_message = "The lock must be of lock_mode, for lock_days."
  }
}

run "the_bucket_is_never_public" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.trail.block_public_acls,
      aws_s3_bucket_public_access_block.trail.block_public_policy,
      aws_s3_bucket_public_access_block.trail.ignore_public_acls,
      aws_s3_bucket_public_access_block.trail.restrict_public_buckets,
    ])
    error_message = "All four blocks of public access must be on."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.trail.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Access control lists must be off."
  }
}

run "the_bucket_encrypts_with_the_trail_s_key" {
  command = plan

  assert {
    condition = [
      for rule in aws_s3_bucket_server_side_encryption_configuration.trail.rule : [
        rule.apply_server_side_encryption_by_default[0].sse_algorithm,
        rule.apply_server_side_encryption_by_default[0].kms_master_key_id,
      ]
    ] == [["aws:kms", aws_kms_key.logs.arn]]
    error_message = "What comes without a header must be encrypted with the trail's key, too."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_server_side_encryption_configuration.trail.rule : !rule.bucket_key_enabled])
    error_message = "A bucket key would need CloudTrail to decrypt, and hide who read which file."
  }
}

run "only_this_trail_writes_the_bucket" {
  command = plan

  assert {
    condition = alltrue([
      for each in jsondecode(aws_s3_bucket_policy.trail.policy).Statement :
      each.Principal == { Service = "cloudtrail.amazonaws.com" } && each.Condition.ArnEquals["aws:SourceArn"] == "arn:aws:cloudtrail:eu-central-1:111122223333:trail/smas"
      if each.Effect == "Allow"
    ])
    error_message = "Only CloudTrail may be given anything, for this trail alone (aws:SourceArn)."
  }

  assert {
    condition = flatten([
      for each in jsondecode(aws_s3_bucket_policy.trail.policy).Statement : each.Resource if each.Effect == "Allow" && contains(each.Action, "s3:PutObject")
    ]) == ["arn:aws:s3:::smas-trail/AWSLogs/111122223333/*"]
    error_message = "CloudTrail may write below the account's folder alone."
  }
}

run "nobody_else_writes_deletes_or_unlocks" {
  command = plan

  assert {
    condition = [
      for each in jsondecode(aws_s3_bucket_policy.trail.policy).Statement : sort(each.Action)
      if each.Effect == "Deny" && try(each.Condition.Bool["aws:PrincipalIsAWSService"], "") == "false" && each.Principal == { AWS = "*" }
    ] == [tolist(["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectLegalHold", "s3:PutObjectRetention"])]
    error_message = "The bucket must refuse everybody's writes, deletions and changes of a lock."
  }
}

run "the_bucket_takes_tls_only" {
  command = plan

  assert {
    condition = [
      for each in jsondecode(aws_s3_bucket_policy.trail.policy).Statement : [each.Principal.AWS, each.Action, each.Resource]
      if each.Effect == "Deny" && try(each.Condition.Bool["aws:SecureTransport"], "") == "false"
    ] == [["*", ["s3:*"], ["arn:aws:s3:::smas-trail", "arn:aws:s3:::smas-trail/*"]]]
    error_message = "The bucket must refuse whatever comes without TLS."
  }
}

run "nothing_expires_unasked" {
  command = plan

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.trail.rule : length(rule.expiration) + length(rule.noncurrent_version_expiration) == 0])
    error_message = "No rule may delete what the trail delivered."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.trail.rule : [for move in rule.transition : "${move.storage_class} after ${move.days}"] if rule.id == "tier"
    ] == [["GLACIER_IR after 90"]]
    error_message = "After 90 days, files must move to a cheaper storage class that answers at once."
  }

  assert {
    condition     = length([for rule in aws_s3_bucket_lifecycle_configuration.trail.rule : rule if length(rule.abort_incomplete_multipart_upload) == 1]) == 1
    error_message = "Uploads that nobody finishes must be cleared away."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.trail.rule : rule.status == "Enabled"])
    error_message = "Each rule must be on."
  }
}

run "what_expires_does_so_after_the_lock" {
  command = plan

  variables {
    lock_days = 365
    keep_days = 366
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.trail.rule : [rule.expiration[0].days, rule.noncurrent_version_expiration[0].noncurrent_days] if rule.id == "expire"
    ] == [[366, 366]]
    error_message = "Files and their older versions must go after keep_days."
  }
}

run "nobody_is_told_of_readers_unless_asked" {
  command = plan

  assert {
    condition     = length(aws_s3_bucket_logging.trail) == 0
    error_message = "Without access_log, there is nowhere to log to."
  }
}

run "who_reads_the_trail_is_logged" {
  command = plan

  variables {
    access_log = { bucket = "smas-access-logs", prefix = "trail/" }
  }

  assert {
    condition     = aws_s3_bucket_logging.trail[0].target_bucket == "smas-access-logs" && aws_s3_bucket_logging.trail[0].target_prefix == "trail/"
    error_message = "S3 must log to the bucket and prefix given."
  }

  assert {
    condition     = aws_s3_bucket_logging.trail[0].target_object_key_format[0].partitioned_prefix[0].partition_date_source == "EventTime"
    error_message = "The log must lie in folders by the day of the event."
  }
}

run "outputs_name_what_was_made" {
  command = plan

  assert {
    condition = [output.trail_arn, output.bucket, output.key_arn, output.log_group_name, output.log_group_arn] == [
      "arn:aws:cloudtrail:eu-central-1:111122223333:trail/smas",
      "smas-trail",
      "arn:aws:kms:eu-central-1:111122223333:key/logs",
      "/smas/trail",
      "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/trail",
    ]
    error_message = "The outputs must be the trail, its bucket, key and log group."
  }

  assert {
    condition     = output.recorded_arns == ["arn:aws:s3:::smas-models/"] && [output.lock.mode, output.lock.days] == ["GOVERNANCE", 365]
    error_message = "The outputs must say what is recorded and how it is locked."
  }

  assert {
    condition     = output.trail_arn == local.trail_arn && output.log_group_arn == local.log_group_arn
    error_message = "The policies must name the trail and the log group as they are."
  }
}
