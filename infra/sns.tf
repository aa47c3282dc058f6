# Where alarms go. Who else wants them (a pager, a chat) subscribes to this topic.

locals {
  alarms_topic_name = "${var.name}-alarms"
  alarms_topic_arn  = "arn:${local.partition}:sns:${var.region}:${local.account}:${local.alarms_topic_name}"
}

resource "aws_sns_topic" "alarms" {
  name              = local.alarms_topic_name
  kms_master_key_id = aws_kms_key.operations.arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = templatefile("${path.module}/policies/alarms-topic.json", {
    partition        = local.partition
    region           = var.region
    account          = local.account
    alarms_topic_arn = local.alarms_topic_arn
  })
}

# Each address gets a mail and has to confirm; until then it is told nothing.
resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}
