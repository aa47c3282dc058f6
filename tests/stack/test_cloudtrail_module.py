"""The trail's Terraform module, applied to the local AWS by its own example: it records, locks and proves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.terraform.provider import provider_mirror
from tests.local_aws import EMULATOR_PYTHON, REPOSITORY
from tests.stack.sessions import persona

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.local_aws import LocalStack

TERRAFORM = shutil.which("terraform")
# Where `terraform init` finds hashicorp/aws without a network: see its option `-plugin-dir`.
PLUGINS = provider_mirror()
pytestmark = [
    pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed"),
    pytest.mark.skipif(
        PLUGINS is None, reason="no provider hashicorp/aws is found; TF_PLUGIN_DIR may name its folder"
    ),
    pytest.mark.timeout(900),  # the provider waits a minute for S3's lifecycle rules, on any machine
]
LOG_GROUP = "/models/trail"
SERVICES = ("cloudtrail", "iam", "kms", "logs", "s3", "sts")


@dataclass(frozen=True)
class Module:
    """The example in a folder of its own, beside the module and the policies it takes from the repository."""

    folder: Path
    local_aws: LocalStack

    @classmethod
    def copied(cls, folder: Path, local_aws: LocalStack) -> Module:
        """The example with a second file that sends the provider's calls to the local AWS."""
        for part in ("cloudtrail", "policies"):
            ignored = shutil.ignore_patterns(".terraform*", "terraform.tfstate*")
            shutil.copytree(REPOSITORY / "infra" / part, folder / part, ignore=ignored)
        example = folder / "cloudtrail" / "examples" / "alone"
        provider = {
            "access_key": "test",
            "secret_key": "test",
            "skip_credentials_validation": True,
            "skip_metadata_api_check": True,
            "s3_use_path_style": True,
            "endpoints": dict.fromkeys(SERVICES, local_aws.endpoint),
        }
        override = json.dumps({"provider": {"aws": provider}})
        (example / "local_override.tf.json").write_text(override, encoding="utf-8")
        return cls(example, local_aws)

    def terraform(self, *arguments: str) -> str:
        """What one command says, which must end well."""
        kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
        variables = {"TF_VAR_region": "us-east-1", "TF_VAR_models_bucket": self.local_aws.bucket}
        ended = subprocess.run(
            [str(TERRAFORM), *arguments],
            cwd=self.folder,
            env={**kept, **variables, "CHECKPOINT_DISABLE": "1", "no_proxy": "localhost,127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr
        return ended.stdout


@dataclass(frozen=True)
class Trail:
    """What was applied, by its outputs."""

    local_aws: LocalStack
    arn: str
    bucket: str

    def flush(self) -> None:
        """Have all that was recorded delivered, and a digest of it."""
        url = f"{self.local_aws.endpoint}/_smas/cloudtrail/flush?digest=true"
        status, _ = self.local_aws.fetch(urllib.request.Request(url, method="POST"))
        assert status == 200

    def lines(self) -> list[dict[str, Any]]:
        """The events in the trail's log group."""
        pages = (
            self.local_aws.root_client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=LOG_GROUP)
        )
        return [json.loads(line["message"]) for page in pages for line in page["events"]]

    def validate(self, since: datetime) -> subprocess.CompletedProcess[str]:
        """What `aws cloudtrail validate-logs` says of it."""
        return subprocess.run(
            [
                *(
                    str(EMULATOR_PYTHON),
                    "-m",
                    "awscli",
                    "cloudtrail",
                    "validate-logs",
                    "--trail-arn",
                    self.arn,
                ),
                *("--start-time", since.strftime("%Y-%m-%dT%H:%M:%SZ"), "--verbose"),
            ],
            env={
                "PATH": "/usr/bin:/bin",
                "AWS_ENDPOINT_URL": self.local_aws.endpoint,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1",
                "no_proxy": "localhost,127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def module(local_aws: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Module:
    """The example, applied: about a minute, in which the provider waits for S3's lifecycle rules."""
    module = Module.copied(tmp_path_factory.mktemp("infra"), local_aws)
    module.terraform("init", f"-plugin-dir={PLUGINS}", "-no-color")
    module.terraform("apply", "-auto-approve", "-no-color")
    return module


@pytest.fixture(scope="module")
def trail(module: Module) -> Iterator[Trail]:
    """The trail that it made; gone afterwards, for other tests share the account."""
    outputs = json.loads(module.terraform("output", "-json"))
    trail = Trail(module.local_aws, outputs["trail_arn"]["value"], outputs["bucket"]["value"])
    yield trail
    module.local_aws.root_client("cloudtrail").delete_trail(Name=trail.arn)
    trail.flush()


def test_a_second_plan_is_empty(module: Module, trail: Trail) -> None:
    """What was made is what was asked for, in every attribute that AWS tells of."""
    assert trail.arn == "arn:aws:cloudtrail:us-east-1:000000000000:trail/models"
    assert "No changes." in module.terraform("plan", "-detailed-exitcode", "-no-color")


def test_reads_of_the_models_and_calls_to_the_account_are_recorded(trail: Trail) -> None:
    """A person's refused read of an object, and the taking on of their role; not reads of another bucket."""
    local_aws = trail.local_aws
    person, key = f"ds-{uuid.uuid4().hex[:12]}", f"cards/fraud/{uuid.uuid4().hex}.json"
    s3 = persona(local_aws, "data-scientist", name=person).client(local_aws, "s3")
    for bucket in (local_aws.bucket, trail.bucket):
        with pytest.raises(ClientError):
            s3.get_object(Bucket=bucket, Key=key)
    trail.flush()

    events = trail.lines()
    asked = [event["requestParameters"] or {} for event in events]
    assert [each["bucketName"] for each in asked if each.get("key") == key] == [local_aws.bucket]
    assert person in {each.get("roleSessionName") for each in asked}
    assert {event["eventCategory"] for event in events} == {"Data", "Management"}
    assert {event["readOnly"] for event in events} == {True, False}


def test_what_was_delivered_is_locked_and_encrypted_and_nobody_deletes_it(trail: Trail) -> None:
    """Log files and digests alike, not even by the account's root with the bypass of governance mode."""
    trail.flush()
    s3 = trail.local_aws.root_client("s3")
    versions = s3.list_object_versions(Bucket=trail.bucket)["Versions"]
    folders = {version["Key"].split("/")[2] for version in versions}
    assert folders == {"CloudTrail", "CloudTrail-Digest"}
    keys = {
        each["TargetKeyId"] for each in aliases(trail.local_aws) if each["AliasName"] == "alias/models-logs"
    }

    for version in versions:
        place = {"Bucket": trail.bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
        head = s3.head_object(**place)
        assert head["SSEKMSKeyId"].rpartition("/")[2] in keys
        assert head["ObjectLockMode"] == "GOVERNANCE"
        assert head["ObjectLockRetainUntilDate"] - head["LastModified"] > timedelta(days=29)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(**place, BypassGovernanceRetention=True)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object_retention(
            **place,
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(seconds=5)},
            BypassGovernanceRetention=True,
        )


def aliases(local_aws: LocalStack) -> list[dict[str, Any]]:
    """All aliases of keys."""
    pages = local_aws.root_client("kms").get_paginator("list_aliases").paginate()
    return [alias for page in pages for alias in page["Aliases"]]


def test_the_aws_cli_finds_the_record_whole(trail: Trail) -> None:
    """`aws cloudtrail validate-logs` reads the trail's settings, digests and files, and finds no fault."""
    begun = datetime.now(UTC) - timedelta(hours=1)
    for _ in range(2):
        trail.flush()
        time.sleep(1.1)  # a digest's name has the second it was made in

    ended = trail.validate(begun)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "digest files valid" in ended.stdout
    assert "INVALID" not in ended.stdout
