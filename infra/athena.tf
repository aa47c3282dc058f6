# The audit over years: a work group, a bucket for what it answers, and the questions. The tables are in `glue.tf`; the SQL and what to
# know about it in `athena/`.

locals {
  audit_workgroup = "${var.name}-audit"

  # What the SQL names. A day before the trail's first costs nothing but a look into an empty folder, and no store is older than this.
  athena_values = {
    database          = local.audit_database
    table             = "cloudtrail"
    access_log_table  = "access_log"
    bucket            = module.cloudtrail.bucket
    prefix            = ""
    account           = local.account
    region            = var.region
    regions           = join(",", sort(data.aws_regions.enabled.names))
    first_day         = "2026/11/01"
    models_bucket     = local.bucket
    role_prefix       = local.role_prefix
    access_log_bucket = local.access_log_bucket
    access_log_prefix = local.access_log_prefix
  }

  # Each file's text, and what the comment that it begins with says of it.
  audit_queries = {
    for file in fileset("${path.module}/athena/queries", "*.sql") :
    trimsuffix(file, ".sql") => templatefile("${path.module}/athena/queries/${file}", local.athena_values)
  }
  audit_views = {
    for name in ["audit_records", "audit_events"] :
    name => templatefile("${path.module}/athena/${name}.sql", local.athena_values)
  }
}

# Regions that the account has on: calls to any of them are recorded.
data "aws_regions" "enabled" {}

resource "aws_athena_workgroup" "audit" {
  name        = local.audit_workgroup
  description = "Questions about who touched what, over all the years that the trail is kept."

  configuration {
    # What a client asks for (another bucket, no encryption) does not count.
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    requester_pays_enabled             = false

    # 100 GiB, half a dollar. A question about five years of a million events a month reads a tenth of it; one that reads more lacks a
    # condition on the day.
    bytes_scanned_cutoff_per_query = 107374182400

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location       = "s3://${aws_s3_bucket.athena.id}/results/"
      expected_bucket_owner = local.account

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = module.cloudtrail.key_arn
      }
    }
  }
}

resource "aws_athena_named_query" "audit" {
  for_each = local.audit_queries

  name        = regex("-- name: (.+)", each.value)[0]
  description = replace(regex("(?s)-- description: (.+?)\n-- parameters:", each.value)[0], "\n--   ", " ")
  workgroup   = aws_athena_workgroup.audit.id
  database    = aws_glue_catalog_database.audit.name
  query       = each.value
}

# Views are statements to run once, after each change of them: `athena/README.md`. AWS documents no way to write a view of Athena's into
# Glue, and one whose types are not what Athena would have made of them fails only when it is asked.
resource "aws_athena_named_query" "view" {
  for_each = local.audit_views

  name        = "View ${each.key}"
  description = "Makes the view that the audit's questions read. Run audit_records first, then audit_events."
  workgroup   = aws_athena_workgroup.audit.id
  database    = aws_glue_catalog_database.audit.name
  query       = each.value
}

# For people who ask Athena with credentials of their own, as of a permission set for auditors in IAM Identity Center: attached to nobody
# here. It reads the trail and the access logs as the work group's questions do, and no model. Whoever has it sees the others' answers.
resource "aws_iam_policy" "athena_reader" {
  name        = "${var.name}-athena-reader"
  description = "Asks the audit's questions in Athena."

  policy = templatefile("${path.module}/policies/athena-reader.json", merge(local.placeholders, {
    access_log_bucket = local.access_log_bucket
    athena_bucket     = local.athena_bucket
    audit_database    = local.audit_database
    audit_workgroup   = local.audit_workgroup
  }))
}

# The answers: they say who did what, so they are kept as the trail is, but for a month.
resource "aws_s3_bucket" "athena" {
  bucket = local.athena_bucket
}

resource "aws_s3_bucket_versioning" "athena" {
  bucket = aws_s3_bucket.athena.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "athena" {
  bucket = aws_s3_bucket.athena.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = module.cloudtrail.key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "athena" {
  bucket                  = aws_s3_bucket.athena.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "athena" {
  bucket = aws_s3_bucket.athena.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "athena" {
  bucket = aws_s3_bucket.athena.id

  policy = templatefile("${path.module}/policies/athena-bucket.json", {
    partition     = local.partition
    athena_bucket = local.athena_bucket
  })

  depends_on = [aws_s3_bucket_public_access_block.athena]
}

resource "aws_s3_bucket_lifecycle_configuration" "athena" {
  bucket = aws_s3_bucket.athena.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      days = 30
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # A rule with days cannot sweep delete markers: https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html
  rule {
    id     = "sweep"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.athena]
}

resource "aws_s3_bucket_logging" "athena" {
  bucket        = aws_s3_bucket.athena.id
  target_bucket = aws_s3_bucket.access_log.id
  target_prefix = "athena/"

  target_object_key_format {
    partitioned_prefix {
      partition_date_source = "EventTime"
    }
  }

  depends_on = [aws_s3_bucket_policy.access_log]
}
