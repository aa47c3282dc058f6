terraform {
  # Native locking of the state in S3 came with 1.10: https://developer.hashicorp.com/terraform/language/backend/s3
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Bucket, key and region come from `infra/bootstrap`: terraform init -backend-config=state.config
  backend "s3" {}
}
