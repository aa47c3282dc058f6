# The audit over years: what guards its questions and its answers. `tests/infra/athena/test_glue.py` compares tables and texts with
# the SQL in `athena/`.

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

  mock_data "aws_regions" {
    defaults = { names = ["us-east-1", "eu-central-1"] }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:111122223333:queue" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/its-own" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/smas-role" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { id = "smas-bucket" }
  }

  mock_resource "aws_athena_workgroup" {
    defaults = { id = "smas-audit" }
  }
}

mock_provider "aws" {
  alias           = "replica"
  override_during = plan
}

override_resource {
  target          = module.cloudtrail.aws_s3_bucket.trail
  override_during = plan
  values          = { id = "smas-trail-111122223333-eu-central-1" }
}

override_resource {
  target          = module.cloudtrail.aws_kms_key.logs
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/logs" }
}

override_resource {
  target          = aws_s3_bucket.athena
  override_during = plan
  values          = { id = "smas-athena-111122223333-eu-central-1" }
}

override_resource {
  target          = aws_s3_bucket.access_log
  override_during = plan
  values          = { id = "smas-access-logs-111122223333-eu-central-1" }
}

variables {
  region = "eu-central-1"
  image  = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  teams  = ["fraud"]
}

run "the_work_group_decides_where_answers_go" {
  command = plan

  assert {
    condition     = aws_athena_workgroup.audit.name == "smas-audit" && aws_athena_workgroup.audit.configuration[0].enforce_workgroup_configuration
    error_message = "What a client asks for must not count: the work group's settings must."
  }

  assert {
    condition     = aws_athena_workgroup.audit.configuration[0].result_configuration[0].output_location == "s3://smas-athena-111122223333-eu-central-1/results/" && aws_athena_workgroup.audit.configuration[0].result_configuration[0].expected_bucket_owner == "111122223333"
    error_message = "Answers must go to the bucket made for them, in this account."
  }

  assert {
    condition     = aws_athena_workgroup.audit.force_destroy != true && coalesce(aws_athena_workgroup.audit.state, "ENABLED") == "ENABLED"
    error_message = "The work group must be on, and not be deleted with what it holds."
  }
}

run "answers_are_encrypted_with_the_trail_s_key" {
  command = plan

  assert {
    condition = [
      aws_athena_workgroup.audit.configuration[0].result_configuration[0].encryption_configuration[0].encryption_option,
      aws_athena_workgroup.audit.configuration[0].result_configuration[0].encryption_configuration[0].kms_key_arn,
    ] == ["SSE_KMS", "arn:aws:kms:eu-central-1:111122223333:key/logs"]
    error_message = "Athena must encrypt its answers with the trail's key."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_server_side_encryption_configuration.athena.rule :
      [rule.apply_server_side_encryption_by_default[0].sse_algorithm, rule.apply_server_side_encryption_by_default[0].kms_master_key_id]
    ] == [["aws:kms", "arn:aws:kms:eu-central-1:111122223333:key/logs"]]
    error_message = "The bucket must encrypt with the trail's key what comes without a header."
  }
}

run "a_question_that_reads_too_much_is_ended" {
  command = plan

  assert {
    condition     = aws_athena_workgroup.audit.configuration[0].bytes_scanned_cutoff_per_query == 100 * 1024 * 1024 * 1024
    error_message = "A query must end at 100 GiB."
  }

  assert {
    condition     = aws_athena_workgroup.audit.configuration[0].publish_cloudwatch_metrics_enabled
    error_message = "What queries read must be seen in CloudWatch."
  }

  assert {
    condition     = aws_athena_workgroup.audit.configuration[0].requester_pays_enabled == false
    error_message = "Nobody's requester-pays bucket may be read at our cost."
  }
}

run "the_answers_bucket_is_never_public" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.athena.block_public_acls,
      aws_s3_bucket_public_access_block.athena.block_public_policy,
      aws_s3_bucket_public_access_block.athena.ignore_public_acls,
      aws_s3_bucket_public_access_block.athena.restrict_public_buckets,
    ])
    error_message = "All four blocks of public access must be on."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.athena.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Access control lists must be off."
  }

  assert {
    condition     = aws_s3_bucket_versioning.athena.versioning_configuration[0].status == "Enabled"
    error_message = "The bucket must have versions."
  }
}

run "the_answers_bucket_takes_tls_only" {
  command = plan

  assert {
    condition = jsondecode(aws_s3_bucket_policy.athena.policy).Statement == [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["s3:*"]
      Resource  = ["arn:aws:s3:::smas-athena-111122223333-eu-central-1", "arn:aws:s3:::smas-athena-111122223333-eu-central-1/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "The bucket must refuse whatever comes without TLS, and give nobody anything."
  }
}

run "answers_expire_after_a_month" {
  command = plan

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.athena.rule :
      [rule.status, rule.expiration[0].days, rule.noncurrent_version_expiration[0].noncurrent_days, rule.filter[0].prefix] if rule.id == "expire"
    ] == [["Enabled", 30, 1, ""]]
    error_message = "Answers must go after 30 days, and their older versions with them."
  }
}

run "who_reads_answers_is_logged" {
  command = plan

  assert {
    condition     = aws_s3_bucket_logging.athena.target_bucket == "smas-access-logs-111122223333-eu-central-1" && aws_s3_bucket_logging.athena.target_prefix == "athena/"
    error_message = "S3 must log reads of the answers."
  }
}

run "who_asks_reads_the_record_and_nothing_else" {
  command = plan

  assert {
    condition = length(setsubtract(
      flatten([for each in jsondecode(aws_iam_policy.athena_reader.policy).Statement : each.Resource if anytrue([for action in each.Action : startswith(action, "s3:")])]),
      [
        "arn:aws:s3:::${local.access_log_bucket}", "arn:aws:s3:::${local.access_log_bucket}/*",
        "arn:aws:s3:::${local.athena_bucket}", "arn:aws:s3:::${local.athena_bucket}/results/*",
        "arn:aws:s3:::${local.trail_bucket}", "arn:aws:s3:::${local.trail_bucket}/AWSLogs/111122223333/*",
      ],
    )) == 0
    error_message = "Whoever asks Athena must read no model."
  }

  assert {
    condition     = flatten([for each in jsondecode(aws_iam_policy.athena_reader.policy).Statement : each.Resource if each.Sid == "AskInTheWorkGroup"]) == ["arn:aws:athena:eu-central-1:111122223333:workgroup/${aws_athena_workgroup.audit.name}"]
    error_message = "Questions must be asked in the audit's work group, whose settings count."
  }
}

run "the_tables_project_their_partitions" {
  command = plan

  assert {
    condition = [
      for table in [aws_glue_catalog_table.cloudtrail, aws_glue_catalog_table.access_log] : [
        table.parameters["projection.enabled"],
        table.parameters["projection.day.range"],
        table.database_name,
      ]
    ] == [["true", "2026/11/01,NOW", "smas_audit"], ["true", "2026/11/01,NOW", "smas_audit"]]
    error_message = "Nobody may have to add partitions."
  }

  assert {
    condition     = aws_glue_catalog_table.cloudtrail.parameters["projection.region.values"] == "eu-central-1,us-east-1"
    error_message = "The trail's table must have each region that the account has on."
  }

  assert {
    condition     = aws_glue_catalog_table.cloudtrail.storage_descriptor[0].location == "s3://smas-trail-111122223333-eu-central-1/AWSLogs/111122223333/CloudTrail/"
    error_message = "The table must lie where the trail delivers."
  }

  assert {
    condition     = aws_glue_catalog_table.access_log.storage_descriptor[0].location == "s3://${local.access_log_bucket}/${aws_s3_bucket_logging.models.target_prefix}111122223333/eu-central-1/${local.bucket}/"
    error_message = "The table must lie where S3 delivers the access logs of the models' bucket."
  }

  assert {
    condition     = aws_s3_bucket_logging.models.target_object_key_format[0].partitioned_prefix[0].partition_date_source == "EventTime"
    error_message = "The access logs must lie in a folder for each day."
  }
}

run "the_questions_are_saved_in_the_work_group" {
  command = plan

  assert {
    condition = { for file, query in aws_athena_named_query.audit : file => query.name } == {
      control_changes      = "Changes to what guards the store"
      denied_attempts      = "Denied attempts"
      downloads_per_person = "Downloads per person"
      model_access         = "Who touched a model"
      person_activity      = "What a person did"
      sessions_assumed     = "Sessions assumed"
      version_readers      = "Who read a version"
    }
    error_message = "Each file of athena/queries must be a named query, by the name that it gives itself."
  }

  assert {
    condition     = alltrue([for query in concat(values(aws_athena_named_query.audit), values(aws_athena_named_query.view)) : query.workgroup == "smas-audit" && query.database == "smas_audit"])
    error_message = "Named queries must be in the audit's work group and database."
  }

  assert {
    condition     = toset(keys(aws_athena_named_query.view)) == toset(["audit_events", "audit_records"])
    error_message = "Both views must be there to be made."
  }
}
