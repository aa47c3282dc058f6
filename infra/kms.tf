# Four keys, so that a role can be given one without the others. The trail's own is in `cloudtrail/`.
#
# Each key's policy leaves to IAM who may use it (the account's root delegates, nobody else is named), refuses those who never may, and
# names services only for our own things: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html

locals {
  # The log groups of this store: their names begin with the store's.
  log_groups_arn = "${local.log_group_prefix}/${var.name}/*"
}

resource "aws_kms_key" "bytes" {
  description             = "The bytes of models in ${var.name}"
  policy                  = templatefile("${path.module}/policies/kms-bytes.json", local.key_placeholders)
  enable_key_rotation     = true
  deletion_window_in_days = 30

  lifecycle {
    # Without it, no model can be read any more.
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "bytes" {
  name          = "alias/${var.name}-bytes"
  target_key_id = aws_kms_key.bytes.key_id
}

resource "aws_kms_key" "metadata" {
  description             = "The records of models in ${var.name}"
  policy                  = templatefile("${path.module}/policies/kms-metadata.json", local.key_placeholders)
  enable_key_rotation     = true
  deletion_window_in_days = 30

  lifecycle {
    # Without it, nobody knows which bytes belong to which model.
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "metadata" {
  name          = "alias/${var.name}-metadata"
  target_key_id = aws_kms_key.metadata.key_id
}

# What the store says while it runs: log groups, the events' queues, the alarms' topic. Services may use it when they say for whom:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-least-privilege-policy.html
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
resource "aws_kms_key" "operations" {
  description             = "Logs, queues and alarms of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = templatefile("${path.module}/policies/kms-operations.json", merge(local.key_placeholders, {
    bucket         = local.bucket
    log_groups_arn = local.log_groups_arn
  }))
}

resource "aws_kms_alias" "operations" {
  name          = "alias/${var.name}-operations"
  target_key_id = aws_kms_key.operations.key_id
}

# The signatures of verdicts, made by the verifier's tagging role and checked by anybody who has the public half. KMS rotates no
# asymmetric key: a new one is a new alias, and the old one stays to check what it signed.
# https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
resource "aws_kms_key" "signing" {
  description              = "The signatures of ${var.name}"
  policy                   = templatefile("${path.module}/policies/kms-signing.json", local.key_placeholders)
  customer_master_key_spec = "ECC_NIST_P256"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 30

  lifecycle {
    # Without it, nothing new can be signed, and the public half is wherever somebody kept it.
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "signing" {
  name          = "alias/${var.name}-signing"
  target_key_id = aws_kms_key.signing.key_id
}
