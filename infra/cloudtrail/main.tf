# The audit trail: every call to the account, and every read and write of the models' objects, where nobody can change it.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # Policies name these before they exist, and CloudTrail makes no trail before the policies do.
  trail_arn     = "arn:${local.partition}:cloudtrail:${local.region}:${local.account}:trail/${var.name}"
  log_group     = "/${var.name}/trail"
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.log_group}"

  policies = "${path.module}/../policies"
  placeholders = {
    partition           = local.partition
    account             = local.account
    region              = local.region
    trail_arn           = local.trail_arn
    trail_bucket        = var.bucket
    trail_prefix        = ""
    trail_log_group_arn = local.log_group_arn
  }
}

resource "aws_cloudtrail" "trail" {
  name = var.name

  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  enable_logging                = true

  s3_bucket_name             = aws_s3_bucket.trail.id
  kms_key_id                 = aws_kms_key.logs.arn
  cloud_watch_logs_group_arn = "${aws_cloudwatch_log_group.trail.arn}:*"
  cloud_watch_logs_role_arn  = aws_iam_role.log_group.arn

  # No field readOnly: reads as well as writes.
  # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
  advanced_event_selector {
    name = "Management"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }

  advanced_event_selector {
    name = "Models"

    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }

    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }

    field_selector {
      field       = "resources.ARN"
      starts_with = var.data_event_arns
    }
  }

  depends_on = [
    aws_s3_bucket_policy.trail,
    aws_s3_bucket_object_lock_configuration.trail,
    aws_kms_key_policy.logs,
    aws_iam_role_policy.log_group,
  ]
}
