# The key of everything that tells who did what. Its policy leaves to IAM who may decrypt: the auditor, compliance and the
# watch through S3, by `policies/`, and nobody else.

resource "aws_kms_key" "logs" {
  description             = "What ${var.name}'s audit trail recorded"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  lifecycle {
    # Without it, nobody can read the trail any more.
    prevent_destroy = true
  }
}

resource "aws_kms_key_policy" "logs" {
  key_id = aws_kms_key.logs.key_id
  policy = templatefile("${local.policies}/kms-logs.json", local.placeholders)
}

resource "aws_kms_alias" "logs" {
  name          = "alias/${var.name}-logs"
  target_key_id = aws_kms_key.logs.key_id
}
