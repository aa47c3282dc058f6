# The same events in CloudWatch Logs, within minutes: for alarms (`cloudwatch.tf`), not for keeping.

resource "aws_cloudwatch_log_group" "trail" {
  name              = local.log_group
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.logs.arn

  depends_on = [aws_kms_key_policy.logs]
}

resource "aws_iam_role" "log_group" {
  name               = "${var.name}-trail-log-group"
  description        = "CloudTrail writes the trail's events to their log group."
  assume_role_policy = templatefile("${local.policies}/trust-trail.json", local.placeholders)
}

resource "aws_iam_role_policy" "log_group" {
  name   = "write"
  role   = aws_iam_role.log_group.name
  policy = templatefile("${local.policies}/trail-log-group.json", local.placeholders)
}
