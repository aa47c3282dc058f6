"""docs/compliance.md has a row for each control that is published, and leaves out no bucket or key in it."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.docs.terraform_files import REPOSITORY, resources

PAGE: Final = (REPOSITORY / "docs" / "compliance.md").read_text(encoding="utf-8")
ROWS: Final = {
    control: cells
    for line in PAGE.splitlines()
    if line.startswith("| ") and (cells := [cell.strip() for cell in line.strip("|").split("|")])
    for control in cells[0].split(", ")
}
# Security Hub's controls of these services, as AWS lists them, but for those that ask for tags:
# https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-controls-reference.html
PUBLISHED: Final = {
    "APIGateway": (1, 2, 3, 4, 5, 8, 9, 10, 11),
    "CloudTrail": (1, 2, 3, 4, 5, 6, 7, 10),
    "Cognito": (1, 2, 3, 4, 5, 6),
    "ECR": (1, 2, 3, 5),
    "KMS": (1, 2, 3, 4, 5),
    "Lambda": (1, 2, 3, 5, 7),
    "S3": (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 22, 23, 24, 25),
    "SNS": (1, 4),
    "SQS": (1, 3),
}
# What is asked of everything of a kind: the control, and the resource that meets it.
OF_ALL: Final = (
    ("2.1.1", "aws_s3_bucket_policy"),
    ("2.1.4", "aws_s3_bucket_public_access_block"),
    ("S3.2", "aws_s3_bucket_public_access_block"),
    ("S3.12", "aws_s3_bucket_ownership_controls"),
    ("S3.13", "aws_s3_bucket_lifecycle_configuration"),
    ("S3.14", "aws_s3_bucket_versioning"),
    ("3.6", "aws_kms_key"),
    ("SQS.1", "aws_sqs_queue"),
    ("SQS.3", "aws_sqs_queue_policy"),
    ("SNS.4", "aws_sns_topic_policy"),
    ("Lambda.1", "aws_lambda_permission"),
    ("Lambda.7", "aws_lambda_function"),
)


@pytest.mark.parametrize("service", PUBLISHED)
def test_every_published_control_has_its_row(service: str) -> None:
    """Nobody who compares lists misses one."""
    assert [f"{service}.{number}" for number in PUBLISHED[service] if f"{service}.{number}" not in ROWS] == []


@pytest.mark.parametrize(("control", "kind"), OF_ALL)
def test_all_of_a_kind_are_named(control: str, kind: str) -> None:
    """Whoever adds a bucket, key, queue or function says where it meets this; KMS rotates no signing key."""
    named = set(re.findall(rf"{kind}\.\w+", ROWS[control][2]))
    made = {address for address in resources() if address.startswith(f"{kind}.")}
    assert named == made - {"aws_kms_key.signing"}


@pytest.mark.parametrize("other", ["access_log", "athena", "models", "replica", "state", "trail"])
def test_logs_and_keys_are_claimed_where_they_are(other: str) -> None:
    """S3.9 and S3.17 name the buckets that log accesses, or are under our keys, and no other."""
    logged = f"aws_s3_bucket_logging.{other}"
    assert (logged in ROWS["S3.9"][2]) == (logged in resources())
    encrypted = f"aws_s3_bucket_server_side_encryption_configuration.{other}"
    assert encrypted in resources()
    assert (encrypted in ROWS["S3.17"][2]) == (other != "access_log")
