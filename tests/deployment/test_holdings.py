"""What a team may write below its own prefixes, with its own sessions, breaks no command of an operator."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody

from deployment import check_store, store
from deployment.errors import DeploymentError
from deployment.holdings import Findings, check, read_holdings
from deployment.locks import Lock
from deployment.restore import restore
from deployment.store import Copy, Store
from tests.deployment.fake_aws import FakeAws

if TYPE_CHECKING:
    from pathlib import Path

STORE = Store("smas", "aws", "111122223333", "eu-central-1", "smas-models", "eu-central-1_pool")
MANIFEST = "manifests/fraud/risk/9999999998.json"
ALIAS = "aliases/fraud/risk/champion.json"
FILE = {"path": "m", "sha256": 64 * "a", "size": 1, "s3_version_id": "v1"}


def bucket(content: dict[str, list[bytes]], hidden: tuple[str, ...] = ()) -> FakeAws:
    """A bucket of keys, each with its versions, the newest first; what is hidden has a marker before them."""

    def entry(key: str, version: int, *, latest: bool) -> dict[str, Any]:
        return {"Key": key, "VersionId": f"v{version}", "IsLatest": latest, "LastModified": version}

    def listed(_: dict[str, Any]) -> dict[str, Any]:
        versions = [
            {
                **entry(key, len(bodies) - index, latest=index == 0 and key not in hidden),
                "Size": len(body),
            }
            for key, bodies in content.items()
            for index, body in enumerate(bodies)
        ]
        return {"Versions": versions, "DeleteMarkers": [entry(key, 99, latest=True) for key in hidden]}

    def read(asked: dict[str, Any]) -> dict[str, Any]:
        bodies = content[asked["Key"]]
        number = int(asked.get("VersionId", f"v{len(bodies)}")[1:])
        body = bodies[len(bodies) - number]
        return {
            "Body": StreamingBody(BytesIO(body), len(body)),
            "LastModified": datetime(2026, 1, 2, tzinfo=UTC),
        }

    def deleted(asked: dict[str, Any]) -> dict[str, Any]:
        bodies = content[asked["Key"]]
        del bodies[len(bodies) - int(asked["VersionId"][1:])]
        return {}

    return FakeAws({"ListObjectVersions": listed, "GetObject": read, "DeleteObject": deleted})


def found(content: dict[str, list[bytes]]) -> Findings:
    """What the check says of a bucket."""
    s3 = bucket(content).client("s3")
    return check(s3, read_holdings(s3, "smas-models"))


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[1",
        b"[" * 100_000,
        b"\xff",
        json.dumps({"files": [{**FILE, "s3_version_id": ["v1"]}]}).encode(),
        json.dumps({"files": [{**FILE, "sha256": {}}]}).encode(),
        json.dumps({"files": [{**FILE, "size": "1"}]}).encode(),
        json.dumps({"files": {"m": FILE}}).encode(),
    ],
)
def test_a_manifest_that_is_none_is_a_fault_of_its_own(manifest: bytes) -> None:
    """All others are looked at all the same."""
    good = json.dumps({"files": [FILE]}).encode()
    findings = found({MANIFEST: [manifest], "manifests/nlp/ok/9999999998.json": [good]})
    assert f"{MANIFEST}: no manifest that can be read" in findings.faults
    assert findings.models == {"nlp/ok"}


@pytest.mark.parametrize("version", [[1], {"a": 1}, "1", 1.5, 9])
def test_an_alias_of_no_version_is_a_fault_of_its_own(version: object) -> None:
    """Whatever stands there in its place."""
    (fault,) = found({ALIAS: [json.dumps({"version": version}).encode()]}).faults
    assert fault.startswith(f"{ALIAS}: points to version ")


def test_the_command_that_mends_a_key_does_nothing_else() -> None:
    """Somebody copies it into a shell, and others chose the key."""
    key = "manifests/fraud/x; rm -rf $HOME/1.json"
    s3 = bucket({key: [b"{}", b"{}"], f"{key}2": [b"{}"]}, hidden=(f"{key}2",)).client("s3")
    over, hidden, *_ = check(s3, read_holdings(s3, "smas-models")).faults
    for fault, argument in ((over, key), (hidden, f"{key}2")):
        command = fault.partition("; python ")[2] or fault.rpartition("; python ")[2]
        assert shlex.split(command)[:4] == ["-m", "deployment", "restore", argument]


def test_a_key_moves_no_cursor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Others chose it, and an operator reads it on a terminal."""
    aws = bucket({"manifests/fraud/\x1b[2J/1.json": [b"{}"]})
    monkeypatch.setattr(store, "opened", lambda _: (STORE, aws))
    assert check_store.run(Namespace(copy=False, against=False, bytes=False)) == 1
    shown = capsys.readouterr().out
    assert "manifests/fraud/?[2J/1.json" in shown
    assert "\x1b" not in shown
    assert str(Lock("a\x1b[2J", "v1", None, None, held=True)) == "a?[2J (version v1): legal hold"
    with pytest.raises(DeploymentError) as told:
        restore(STORE, bucket({ALIAS: [b"\x1b[2J"]}), ALIAS, say=lambda _: None)  # type: ignore[arg-type]
    assert str(told.value).endswith("?[2J")


def test_comparing_is_comparing_the_copy() -> None:
    """Nobody reads that all is whole, and has compared nothing."""
    copied = replace(STORE, copy=Copy("smas-models-copy", "eu-west-1"))
    _, counted = check_store.look(copied, bucket({ALIAS: [b"{}"]}), against=True)  # type: ignore[arg-type]
    assert counted.startswith("smas-models-copy: ")
    assert counted.endswith("0 differences from smas-models")


@pytest.mark.parametrize("key", ["manifests/../../../escaped.json", "manifests//fraud/./x.json"])
def test_evidence_stays_in_its_folder(tmp_path: Path, key: str) -> None:
    """Whatever parts a key has."""
    evidence = tmp_path / "a" / "b" / "evidence"
    content = {key: [b"forged", b"true"]}
    restore(STORE, bucket(content), key, evidence=evidence, say=lambda _: None)  # type: ignore[arg-type]
    (kept,) = [path for path in tmp_path.rglob("v2") if path.is_file()]
    assert kept.read_bytes() == b"forged"
    assert kept.resolve().is_relative_to(evidence)
    assert content == {key: [b"true"]}
