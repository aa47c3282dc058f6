# A trail for a bucket that is there already.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "region" {
  description = "The AWS region that the trail is at home in."
  type        = string
}

variable "models_bucket" {
  description = "The bucket whose objects' reads and writes are recorded."
  type        = string
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

module "cloudtrail" {
  source = "../.."

  name            = "models"
  bucket          = "models-trail-${data.aws_caller_identity.current.account_id}-${var.region}"
  data_event_arns = ["arn:${data.aws_partition.current.partition}:s3:::${var.models_bucket}/"]
  lock_mode       = "GOVERNANCE"
  lock_days       = 30
}

output "trail_arn" {
  description = "The trail: aws cloudtrail validate-logs --trail-arn <this> --start-time <since>."
  value       = module.cloudtrail.trail_arn
}

output "bucket" {
  description = "Where its log files and digests are."
  value       = module.cloudtrail.bucket
}
