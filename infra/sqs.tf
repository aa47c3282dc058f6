# What arrives in the bucket reaches the verifier through a queue; what it gives up on waits for a person in another.

locals {
  message_seconds = 14 * 24 * 3600 # the longest SQS allows
}

resource "aws_sqs_queue" "events" {
  name                      = "${var.name}-events"
  kms_master_key_id         = aws_kms_key.operations.arn
  message_retention_seconds = local.message_seconds
  # Six times as long as the function may run: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  visibility_timeout_seconds = 6 * local.verifier_seconds
  receive_wait_time_seconds  = 20

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.events_dead.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.url
  policy    = templatefile("${path.module}/policies/events-queue.json", local.placeholders)
}

# Nothing is dead before it was tried here.
resource "aws_sqs_queue_redrive_allow_policy" "events" {
  queue_url = aws_sqs_queue.events.url

  redrive_allow_policy = jsonencode({
    redrivePermission = "denyAll"
  })
}

resource "aws_sqs_queue" "events_dead" {
  name                      = "${var.name}-events-dead"
  kms_master_key_id         = aws_kms_key.operations.arn
  message_retention_seconds = local.message_seconds
}

resource "aws_sqs_queue_policy" "events_dead" {
  queue_url = aws_sqs_queue.events_dead.url
  policy    = templatefile("${path.module}/policies/events-dead-queue.json", local.placeholders)
}

resource "aws_sqs_queue_redrive_allow_policy" "events_dead" {
  queue_url = aws_sqs_queue.events_dead.url

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events.arn]
  })
}
