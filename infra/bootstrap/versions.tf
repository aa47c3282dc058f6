terraform {
  # Native locking of the state in S3 came with 1.10: https://developer.hashicorp.com/terraform/language/backend/s3
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # In the bucket that it makes itself. README.md says how the first run gets around that.
  backend "s3" {}
}
