# How the store calls the trail's module; what the module itself keeps is asserted in `cloudtrail/tests/`.

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
    defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:111122223333:queue" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/trail" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/smas-role" }
  }

  mock_resource "aws_cloudtrail" {
    defaults = { arn = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/smas" }
  }
}

mock_provider "aws" {
  alias           = "replica"
  override_during = plan

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
  }
}

override_resource {
  target          = module.cloudtrail.aws_kms_key.logs
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/logs" }
}

override_resource {
  target          = module.cloudtrail.aws_s3_bucket.trail
  override_during = plan
  values          = { id = "smas-trail-111122223333-eu-central-1" }
}

variables {
  region = "eu-central-1"
  image  = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  teams  = ["fraud"]
}

run "policies_name_the_trail_as_it_is" {
  command = plan

  assert {
    condition = [local.placeholders.trail_arn, local.placeholders.trail_log_group_arn, local.placeholders.trail_bucket, local.placeholders.logs_key_arn] == [
      module.cloudtrail.trail_arn, module.cloudtrail.log_group_arn, module.cloudtrail.bucket, module.cloudtrail.key_arn,
    ]
    error_message = "What policies name must be what the module makes, or CloudTrail is refused and auditors read nothing."
  }

  assert {
    condition     = module.cloudtrail.log_group_name == "/smas/trail"
    error_message = "Filters and alarms find the trail's events by the name of their log group."
  }
}

run "the_service_is_told_of_the_trail" {
  command = plan

  assert {
    condition = [local.service_settings.SMAS_TRAIL_ARN, local.service_settings.SMAS_TRAIL_BUCKET, local.service_settings.SMAS_TRAIL_PREFIX] == [
      "arn:aws:cloudtrail:eu-central-1:111122223333:trail/smas", "smas-trail-111122223333-eu-central-1", local.placeholders.trail_prefix,
    ]
    error_message = "The audit API must read where the trail delivers."
  }
}

run "the_models_are_recorded_and_the_record_is_locked" {
  command = plan

  assert {
    condition     = module.cloudtrail.recorded_arns == ["arn:aws:s3:::${local.bucket}/"]
    error_message = "Reads and writes of the models' objects, and of no others, must be recorded."
  }

  assert {
    condition     = [module.cloudtrail.lock.mode, module.cloudtrail.lock.days] == ["GOVERNANCE", 365]
    error_message = "Without being asked, the record must be locked for a year."
  }
}

run "a_replica_is_recorded_and_the_lock_is_what_was_asked_for" {
  command = plan

  variables {
    replica_region = "eu-west-1"
    audit_lock     = { mode = "COMPLIANCE", days = 2555 }
  }

  assert {
    condition     = module.cloudtrail.recorded_arns == ["arn:aws:s3:::${local.bucket}/", "arn:aws:s3:::${local.replica_bucket}/"]
    error_message = "Reads of the replica must be recorded as those of the bucket are."
  }

  assert {
    condition     = [module.cloudtrail.lock.mode, module.cloudtrail.lock.days] == ["COMPLIANCE", 2555]
    error_message = "The trail must be locked as audit_lock says."
  }
}
