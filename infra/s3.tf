# The models' bucket, which is the whole truth, and the bucket of the server access logs.
#
# What S3 is told here in words of Terraform, the local stack tells it in Python (`emulator/smas_emulator/storage.py`);
# `tests/infra/test_terraform_agrees.py` holds the two together.

locals {
  access_log_prefix = "models/"

  # Records that have served: an open upload's and a request's idempotency key. Nothing else in the bucket ever expires.
  passing = ["uploads", "requests"]

  # What the verifier has to look at when it changes.
  notified = ["blobs", "manifests", "authors", "protected"]
}

resource "aws_s3_bucket" "models" {
  bucket              = local.bucket
  object_lock_enabled = true

  lifecycle {
    # S3 refuses to delete a bucket that holds something, but a plan to destroy it would first take its policy away.
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "models" {
  bucket = aws_s3_bucket.models.id

  versioning_configuration {
    status = "Enabled"
  }
}

# Without a default retention: S3 would refuse every upload that has no checksum header, presigned parts too. Retention and holds are
# set version by version. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
resource "aws_s3_bucket_object_lock_configuration" "models" {
  bucket              = aws_s3_bucket.models.id
  object_lock_enabled = "Enabled"

  depends_on = [aws_s3_bucket_versioning.models]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "models" {
  bucket = aws_s3_bucket.models.id

  rule {
    # Else every read of an object is a call to KMS: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.bytes.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "models" {
  bucket                  = aws_s3_bucket.models.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "models" {
  bucket = aws_s3_bucket.models.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "models" {
  bucket = aws_s3_bucket.models.id
  policy = templatefile("${path.module}/policies/bucket.json", local.placeholders)

  depends_on = [aws_s3_bucket_public_access_block.models]
}

resource "aws_s3_bucket_lifecycle_configuration" "models" {
  bucket = aws_s3_bucket.models.id

  rule {
    id     = "abort-unfinished-uploads"
    status = "Enabled"

    filter {
      prefix = ""
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  dynamic "rule" {
    for_each = toset(local.passing)

    content {
      id     = "expire-${rule.value}"
      status = "Enabled"

      filter {
        prefix = "${rule.value}/"
      }

      expiration {
        days = 1
      }

      noncurrent_version_expiration {
        noncurrent_days = 1
      }
    }
  }

  # A rule with days cannot sweep delete markers: https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html
  dynamic "rule" {
    for_each = toset(local.passing)

    content {
      id     = "sweep-${rule.value}"
      status = "Enabled"

      filter {
        prefix = "${rule.value}/"
      }

      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  # Its two first tiers, which need no restoring; the archive tiers are opt-in and stay off.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html
  dynamic "rule" {
    for_each = var.storage_tier == "intelligent-tiering" ? ["blobs"] : []

    content {
      id     = "tier-${rule.value}"
      status = "Enabled"

      filter {
        prefix = "${rule.value}/"
      }

      transition {
        days          = 30
        storage_class = "INTELLIGENT_TIERING"
      }

      noncurrent_version_transition {
        noncurrent_days = 30
        storage_class   = "INTELLIGENT_TIERING"
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.models]
}

resource "aws_s3_bucket_logging" "models" {
  bucket        = aws_s3_bucket.models.id
  target_bucket = aws_s3_bucket.access_log.id
  target_prefix = local.access_log_prefix

  # A folder a day, by which Athena reads only the days that were asked for (`athena/access_log_table.sql`).
  target_object_key_format {
    partitioned_prefix {
      partition_date_source = "EventTime"
    }
  }

  depends_on = [aws_s3_bucket_policy.access_log]
}

resource "aws_s3_bucket_notification" "models" {
  bucket = aws_s3_bucket.models.id

  dynamic "queue" {
    for_each = local.notified

    content {
      id            = "created-${queue.value}"
      queue_arn     = aws_sqs_queue.events.arn
      events        = ["s3:ObjectCreated:*"]
      filter_prefix = "${queue.value}/"
    }
  }

  # S3 sends a message to try the queue before it accepts this.
  depends_on = [aws_sqs_queue_policy.events]
}

# S3 counts requests and bytes only where it is asked to; alarms on egress count `BytesDownloaded` of this filter.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-configurations.html
resource "aws_s3_bucket_metric" "blobs" {
  bucket = aws_s3_bucket.models.id
  name   = "blobs"

  filter {
    prefix = "blobs/"
  }
}

resource "aws_s3_bucket_metric" "everything" {
  bucket = aws_s3_bucket.models.id
  name   = "EntireBucket"
}

# Server access logs, a second witness besides the trail. Without Object Lock, which S3 does not take for a bucket that it delivers
# these logs to, so its policy alone keeps everybody else from writing and deleting:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
resource "aws_s3_bucket" "access_log" {
  bucket = local.access_log_bucket
}

resource "aws_s3_bucket_versioning" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  rule {
    apply_server_side_encryption_by_default {
      # Log delivery writes under S3's own keys alone, never under one of KMS:
      # https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "access_log" {
  bucket                  = aws_s3_bucket.access_log.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  policy = templatefile("${path.module}/policies/access-log-bucket.json", merge(local.placeholders, {
    access_log_bucket = local.access_log_bucket
    athena_bucket     = local.athena_bucket
  }))

  depends_on = [aws_s3_bucket_public_access_block.access_log]
}

resource "aws_s3_bucket_lifecycle_configuration" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      days = var.log_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

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

  depends_on = [aws_s3_bucket_versioning.access_log]
}
