"""Terraform's `aws_cloudtrail` works unchanged: it is made, found as it was made, and taken away."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.infra.terraform.provider import provider_mirror

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_aws import LocalStack

TERRAFORM = shutil.which("terraform")
# Where `terraform init` finds hashicorp/aws without a network: see its option `-plugin-dir`.
PLUGINS = provider_mirror()
BUCKET = "terraform-trail"
CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  endpoints {
    cloudtrail = var.endpoint
    s3         = var.endpoint
    sts        = var.endpoint
  }
}

data "aws_caller_identity" "current" {}

resource "aws_s3_bucket" "logs" {
  bucket        = "terraform-trail"
  force_destroy = true
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:GetBucketAcl"
        Resource  = aws_s3_bucket.logs.arn
      },
      {
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.logs.arn}/audit/AWSLogs/${data.aws_caller_identity.current.account_id}/*"
        Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control" } }
      },
    ]
  })
}

resource "aws_cloudtrail" "trail" {
  name                       = "terraform"
  s3_bucket_name             = aws_s3_bucket_policy.logs.bucket
  s3_key_prefix              = "audit"
  is_multi_region_trail      = true
  enable_log_file_validation = true
  tags                       = { team = "fraud" }

  event_selector {
    read_write_type           = "WriteOnly"
    include_management_events = true
    data_resource {
      type   = "AWS::S3::Object"
      values = ["${aws_s3_bucket.logs.arn}/models/"]
    }
  }
}
"""


class Terraform:
    """A configuration in a folder of its own."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        kept = ("HOME", "PATH", "TMPDIR")
        self._environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "TF_VAR_endpoint": endpoint,
            "CHECKPOINT_DISABLE": "1",
            "no_proxy": "localhost,127.0.0.1",
        }
        (folder / "main.tf").write_text(CONFIGURATION, encoding="utf-8")

    def run(self, *arguments: str) -> None:
        """Run one command, which must end well."""
        ended = subprocess.run(
            [str(TERRAFORM), *arguments, "-no-color"],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.timeout(900)
@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
@pytest.mark.skipif(
    PLUGINS is None, reason="no provider hashicorp/aws is found; TF_PLUGIN_DIR may name its folder"
)
def test_apply_plan_and_destroy(local_aws: LocalStack, tmp_path: Path) -> None:
    """A second plan is empty; the trail's last file says who deleted it, and a digest names that file."""
    terraform = Terraform(tmp_path, local_aws.endpoint)
    terraform.run("init", f"-plugin-dir={PLUGINS}")
    terraform.run("apply", "-auto-approve")
    terraform.run("plan", "-detailed-exitcode")
    # The trail goes before its bucket's policy, without which what it is owed cannot be delivered.
    terraform.run("destroy", "-auto-approve", "-target=aws_cloudtrail.trail")
    flush = urllib.request.Request(f"{local_aws.endpoint}/_smas/cloudtrail/flush", method="POST")
    assert local_aws.fetch(flush)[0] == 200
    terraform.run("destroy", "-auto-approve")

    archive = local_aws.state / "trail" / BUCKET
    logs = {
        str(path.relative_to(archive)): json.loads(gzip.decompress(path.read_bytes()))["Records"]
        for path in archive.glob("audit/AWSLogs/*/CloudTrail/**/*.json.gz")
    }
    digests = [
        json.loads(gzip.decompress(path.read_bytes()))
        for path in archive.glob("audit/AWSLogs/*/CloudTrail-Digest/**/*.json.gz")
    ]
    done = {event["eventName"] for events in logs.values() for event in events}
    assert "DeleteTrail" in done
    assert {log["s3Object"] for digest in digests for log in digest["logFiles"]} == logs.keys()
