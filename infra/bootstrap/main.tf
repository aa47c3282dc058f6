# What must be there before the store: the bucket of Terraform's state, and the repository that the image is pushed to.

provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ Application = var.name }, var.tags)
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  bucket    = "${var.name}-state-${local.account}-${var.region}"

  # A backend's settings, as `terraform init -backend-config=<file>` reads them; two states in one bucket.
  backends = {
    for key in ["store", "bootstrap"] : key => join("\n", [
      "bucket       = \"${aws_s3_bucket.state.id}\"",
      "key          = \"${key}.tfstate\"",
      "region       = \"${var.region}\"",
      "encrypt      = true",
      "kms_key_id   = \"${aws_kms_key.state.arn}\"",
      "use_lockfile = true",
      "",
    ])
  }
}
