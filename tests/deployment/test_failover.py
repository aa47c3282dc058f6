"""What the store in a second region takes over: exactly what is there, by addresses that Terraform has."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.response import StreamingBody

from deployment.configuration import Configuration
from deployment.errors import DeploymentError
from deployment.failover import FILE, KEYS, ROLES, prepare
from tests.deployment.fake_aws import FakeAws, refusal

REPOSITORY = Path(__file__).parents[2]
BUCKET = "smas-models-111122223333-eu-west-1"
DIGEST = sha256(b"x").hexdigest()
MANIFEST = "manifests/fraud/risk/9999999998.json"


@dataclass
class SecondRegion(FakeAws):
    """An account whose second region has a copy, and which has the roles named."""

    id: str = "111122223333"
    arn: str = "arn:aws:sts::111122223333:assumed-role/deploys/ada"
    roles: set[str] = field(default_factory=lambda: {f"smas-{name}" for name in ROLES.values()})
    trails: list[dict[str, Any]] = field(default_factory=list)
    copied: bool = True

    def __post_init__(self) -> None:
        """Answer as that account does."""
        self.operations = {
            "HeadBucket": self._head_bucket,
            "DescribeKey": lambda asked: {"KeyMetadata": {"KeyId": f"id-of-{asked['KeyId']}"}},
            "GetRole": lambda asked: self._known(asked["RoleName"]),
            "GetPolicy": lambda _: self._known("smas-athena-reader"),
            "DescribeTrails": lambda _: {"trailList": self.trails},
            "ListObjectVersions": self._list,
            "GetObject": self._get,
        }

    def _head_bucket(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["Bucket"] != BUCKET:
            raise refusal("404")
        return {}

    def _known(self, name: str) -> dict[str, Any]:
        if name not in self.roles:
            raise refusal("NoSuchEntity")
        return {}

    def _list(self, _: dict[str, Any]) -> dict[str, Any]:
        keys = [MANIFEST, *([f"blobs/fraud/risk/{DIGEST}"] if self.copied else [])]
        entries = [
            {"Key": key, "VersionId": "v1", "Size": 1, "IsLatest": True, "LastModified": 0} for key in keys
        ]
        return {"Versions": entries}

    def _get(self, _: dict[str, Any]) -> dict[str, Any]:
        file = {"path": "m", "sha256": DIGEST, "size": 1, "s3_version_id": "v1"}
        body = json.dumps({"files": [file]}).encode()
        return {"Body": StreamingBody(BytesIO(body), len(body))}


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """The store as it is to be in the second region."""
    return Configuration(tmp_path, (), {}, "eu-west-1", "smas", None, {})


def prepared(configuration: Configuration, account: SecondRegion, *, incomplete: bool = False) -> list[str]:
    """What the command says."""
    said: list[str] = []
    prepare(configuration, account, incomplete=incomplete, say=said.append)  # type: ignore[arg-type]
    return said


def imports(configuration: Configuration) -> dict[str, str]:
    """What is to be imported, by address."""
    text = (configuration.infra / FILE).read_text(encoding="utf-8")
    return dict(re.findall(r'^  to = (.+)\n  id = "(.+)"$', text, re.MULTILINE))


def test_the_copy_and_the_roles_are_taken_over(configuration: Configuration) -> None:
    """The bucket by its name, keys by their ids, roles by theirs; one that is not there is made anew."""
    account = SecondRegion()
    account.roles.remove("smas-watch")

    said = prepared(configuration, account)

    found = imports(configuration)
    assert found["aws_s3_bucket.models"] == BUCKET
    assert found["aws_kms_key.bytes"] == "id-of-alias/smas-bytes"
    assert found["aws_kms_alias.metadata"] == "alias/smas-metadata"
    assert found['aws_iam_role.persona["data-scientist"]'] == "smas-data-scientist"
    assert "aws_iam_role.watch" not in found
    assert "aws_iam_policy.athena_reader" not in found
    assert said[0] == f"{BUCKET}: 1 models, 1 versions, 0 aliases, 1 versions of blobs: whole"


def test_every_role_of_the_configuration_is_taken_over() -> None:
    """What is left out could not be made, as IAM knows no regions; replication's role stays the first's."""
    texts = {path: path.read_text(encoding="utf-8") for path in (REPOSITORY / "infra").glob("**/*.tf")}
    made = {
        f"{'module.cloudtrail.' if path.parent.name == 'cloudtrail' else ''}aws_iam_role.{name}"
        for path, text in texts.items()
        for name in re.findall(r'^resource "aws_iam_role" "(\w+)"', text, re.MULTILINE)
    }
    assert {address.partition("[")[0] for address in ROLES} == made - {"aws_iam_role.replication"}
    for key in KEYS:
        assert f'resource "aws_kms_key" "{key}"' in texts[REPOSITORY / "infra" / "kms.tf"]


def test_a_copy_that_is_not_whole_is_not_taken_over_unseen(configuration: Configuration) -> None:
    """What it lacks is named; whoever cannot wait says so."""
    with pytest.raises(DeploymentError, match="--incomplete"):
        prepared(configuration, SecondRegion(copied=False))
    assert not (configuration.infra / FILE).exists()

    said = prepared(configuration, SecondRegion(copied=False), incomplete=True)
    assert "is gone" in said[1]
    assert imports(configuration)


def test_where_there_is_no_copy_that_is_said(tmp_path: Path) -> None:
    """Mostly the region is the wrong one."""
    wrong = Configuration(tmp_path, (), {}, "eu-west-3", "smas", None, {})
    with pytest.raises(DeploymentError, match="There is no copy smas-models-111122223333-eu-west-3"):
        prepared(wrong, SecondRegion())


def test_a_trail_of_the_first_region_is_pointed_out(configuration: Configuration) -> None:
    """It is in every region by its name."""
    trail = {"Name": "smas", "HomeRegion": "eu-central-1"}
    said = prepared(configuration, SecondRegion(trails=[trail]))
    assert "delete-trail --region eu-central-1 --name smas" in said[0]
