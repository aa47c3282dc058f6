# A second copy of the models' bucket in another region, where `replica_region` names one. `docs/operations.md` says what failing over
# takes. It is as protected as the first: the same policy, lock, versions and kinds of keys.
#
# Deletions are not copied, neither markers nor of versions, so that what destroys one copy does not reach the other. The copy keeps
# version ids, tags, retention and holds, so that manifests, which pin version ids, hold there too:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html

locals {
  replicas       = var.replica_region == null ? 0 : 1
  replica_region = coalesce(var.replica_region, var.region)

  # As a store of this name in that region would call it, so that one can take it over.
  replica_bucket = "${var.name}-models-${local.account}-${local.replica_region}"

  # Reads and writes of both are on record.
  data_event_arns = [for bucket in concat([local.bucket], local.replicas > 0 ? [local.replica_bucket] : []) : "arn:${local.partition}:s3:::${bucket}/"]

  # The copy's policies are the first bucket's, of other things.
  replica_placeholders = merge(local.placeholders, {
    bucket           = local.replica_bucket
    region           = local.replica_region
    bytes_key_arn    = one(aws_kms_key.replica_bytes[*].arn)
    metadata_key_arn = one(aws_kms_key.replica_metadata[*].arn)
  })
}

# Keys of that region's own. Multi-region keys would gain nothing, since S3 treats them as keys of one region, and would let one
# deletion or one key policy reach both: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
resource "aws_kms_key" "replica_bytes" {
  count    = local.replicas
  provider = aws.replica

  description             = "The bytes of models in ${var.name}, second copy"
  policy                  = templatefile("${path.module}/policies/kms-bytes.json", local.key_placeholders)
  enable_key_rotation     = true
  deletion_window_in_days = 30

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "replica_bytes" {
  count    = local.replicas
  provider = aws.replica

  name          = "alias/${var.name}-bytes"
  target_key_id = aws_kms_key.replica_bytes[0].key_id
}

resource "aws_kms_key" "replica_metadata" {
  count    = local.replicas
  provider = aws.replica

  description             = "The records of models in ${var.name}, second copy"
  policy                  = templatefile("${path.module}/policies/kms-metadata.json", local.key_placeholders)
  enable_key_rotation     = true
  deletion_window_in_days = 30

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "replica_metadata" {
  count    = local.replicas
  provider = aws.replica

  name          = "alias/${var.name}-metadata"
  target_key_id = aws_kms_key.replica_metadata[0].key_id
}

resource "aws_s3_bucket" "replica" {
  count    = local.replicas
  provider = aws.replica

  bucket              = local.replica_bucket
  object_lock_enabled = true

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "replica" {
  count    = local.replicas
  provider = aws.replica

  bucket = aws_s3_bucket.replica[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "replica" {
  count    = local.replicas
  provider = aws.replica

  bucket              = aws_s3_bucket.replica[0].id
  object_lock_enabled = "Enabled"

  depends_on = [aws_s3_bucket_versioning.replica]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "replica" {
  count    = local.replicas
  provider = aws.replica

  bucket = aws_s3_bucket.replica[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.replica_bytes[0].arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "replica" {
  count    = local.replicas
  provider = aws.replica

  bucket                  = aws_s3_bucket.replica[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "replica" {
  count    = local.replicas
  provider = aws.replica

  bucket = aws_s3_bucket.replica[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "replica" {
  count    = local.replicas
  provider = aws.replica

  bucket = aws_s3_bucket.replica[0].id
  policy = templatefile("${path.module}/policies/bucket.json", local.replica_placeholders)

  depends_on = [aws_s3_bucket_public_access_block.replica]
}

# Expirations are not copied either, so the copy has its own: of the same records and of nothing else.
resource "aws_s3_bucket_lifecycle_configuration" "replica" {
  count    = local.replicas
  provider = aws.replica

  bucket = aws_s3_bucket.replica[0].id

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

  depends_on = [aws_s3_bucket_versioning.replica]
}

# S3 documents no condition for this trust. What holds instead: the role reads our bucket and writes our copy, nothing else, and only
# who may pass the role can name it. https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
resource "aws_iam_role" "replication" {
  count = local.replicas

  name               = "${var.name}-replication"
  description        = "S3 copies the models' bucket of ${var.name} to ${local.replica_region} in it"
  assume_role_policy = templatefile("${path.module}/policies/trust-replication.json", {})
}

resource "aws_iam_role_policy" "replication" {
  count = local.replicas

  name = "replication"
  role = aws_iam_role.replication[0].name

  policy = templatefile("${path.module}/policies/replication.json", merge(local.placeholders, {
    replica_bucket           = local.replica_bucket
    replica_region           = local.replica_region
    replica_bytes_key_arn    = aws_kms_key.replica_bytes[0].arn
    replica_metadata_key_arn = aws_kms_key.replica_metadata[0].arn
  }))
}

resource "aws_s3_bucket_replication_configuration" "models" {
  count = local.replicas

  bucket = aws_s3_bucket.models.id
  role   = aws_iam_role.replication[0].arn

  # A rule encrypts its copies under one key, so bytes and records have one each. Of two rules for an object and the same
  # destination the one of higher priority holds.
  dynamic "rule" {
    for_each = {
      bytes = {
        priority      = 2
        prefix        = "blobs/"
        key_arn       = aws_kms_key.replica_bytes[0].arn
        storage_class = var.storage_tier == "intelligent-tiering" ? "INTELLIGENT_TIERING" : "STANDARD"
      }
      records = {
        priority      = 1
        prefix        = ""
        key_arn       = aws_kms_key.replica_metadata[0].arn
        storage_class = "STANDARD"
      }
    }

    content {
      id       = rule.key
      priority = rule.value.priority
      status   = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      delete_marker_replication {
        status = "Disabled"
      }

      source_selection_criteria {
        sse_kms_encrypted_objects {
          status = "Enabled"
        }
      }

      destination {
        bucket        = aws_s3_bucket.replica[0].arn
        storage_class = rule.value.storage_class

        encryption_configuration {
          replica_kms_key_id = rule.value.key_arn
        }

        # What is pending and what failed, as metrics. Replication Time Control, which promises 15 minutes for a price per GB, is not
        # bought: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics.html
        metrics {
          status = "Enabled"
        }
      }
    }
  }

  depends_on = [
    aws_iam_role_policy.replication,
    aws_s3_bucket_object_lock_configuration.replica,
    aws_s3_bucket_versioning.models,
    aws_s3_bucket_versioning.replica,
  ]
}
