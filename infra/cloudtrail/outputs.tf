output "trail_arn" {
  description = "The trail. It is there once everything that it delivers to is."
  value       = aws_cloudtrail.trail.arn
}

output "bucket" {
  description = "The bucket that the trail delivers to, under AWSLogs/<account>/."
  value       = aws_s3_bucket.trail.id
}

output "key_arn" {
  description = "The key that log files, digests and the log group are encrypted with."
  value       = aws_kms_key.logs.arn
}

output "log_group_name" {
  description = "The log group that the trail's events come to as well."
  value       = aws_cloudwatch_log_group.trail.name
}

output "log_group_arn" {
  description = "The ARN of that log group."
  value       = aws_cloudwatch_log_group.trail.arn
}

output "recorded_arns" {
  description = "The beginnings of the ARNs of the objects whose reads and writes are recorded."
  value       = flatten([for each in aws_cloudtrail.trail.advanced_event_selector : [for field in each.field_selector : field.starts_with if field.field == "resources.ARN"]])
}

output "lock" {
  description = "How firmly and for how many days Object Lock holds what was delivered."
  value       = one(aws_s3_bucket_object_lock_configuration.trail.rule[0].default_retention)
}
