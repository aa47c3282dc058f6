"""Who touched what, on the whole stack: publish, fetch and be refused, then find all of it by name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.stack.sessions import persona

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.client import Client
    from tests.e2e.conftest import Stack

# CloudTrail delivers within seconds here.
_PATIENCE = 60.0


def listed(reader: Client, **asked: Any) -> list[dict[str, Any]]:
    """All pages of a question."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = reader.expect(200, "GET", f"/v1/audit/events?{urlencode({**asked, **cursor})}")
        assert page["unreadable_files"] == []
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def until(
    enough: Callable[[list[dict[str, Any]]], bool], reader: Client, **asked: Any
) -> list[dict[str, Any]]:
    """The answer to a question once it holds what must be there."""
    deadline = time.monotonic() + _PATIENCE
    while not enough(found := listed(reader, **asked)):
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
    return found


def test_everything_is_found_by_name(stack: Stack, model: str, tmp_path: Path) -> None:
    """Both layers' refusals, the parts written and the bytes read; with who, when, what and how."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "gewichte ü.bin").write_bytes(uuid4().bytes * 1_000)
    scientist, reader = stack.user("ds-fraud"), stack.user("compliance")
    (file,) = scientist.upload(model, folder)
    scientist.publish(model, [file])
    scientist.settled(model, 1)
    scientist.fetch(model, 1, tmp_path / "fetched")
    stack.user("ds-nlp").expect(404, "GET", f"/v1/models/{model}/versions/1")
    s3 = persona(stack.aws, "data-scientist", team="nlp", name="ds-nlp").client(stack.aws, "s3")
    key = f"blobs/{model}/{file['sha256']}"
    with pytest.raises(s3.exceptions.ClientError):
        s3.get_object(Bucket=stack.aws.bucket, Key=key)

    def whole(found: list[dict[str, Any]]) -> bool:
        refused = [event for event in found if event["outcome"] == "denied" and event["actor"] == "ds-nlp"]
        read = [event for event in found if event["path"] == file["path"]]
        return {event["source"] for event in refused} == {"cloudtrail", "service"} and bool(read)

    found = until(whole, reader, model=model)
    assert {event["model"] for event in found} == {model}
    order = [(event["time"], event["event_id"]) for event in found]
    assert order == sorted(set(order), reverse=True)

    (read,) = [event for event in found if event["action"] == "s3:GetObject" and event["path"] is not None]
    assert (read["actor"], read["role"], read["outcome"]) == ("ds-fraud", "data-scientist", "success")
    assert (read["version"], read["path"], read["sha256"]) == (1, file["path"], file["sha256"])
    assert read["key"] == key
    keys = {event["key"] for event in found if event["action"] == "s3:PutObject" and event["version"] == 1}
    assert {f"manifests/{model}/9999999998.json", f"authors/{model}/1/{read['subject']}.json"} <= keys
    assert read["published_as"] == [{"version": 1, "path": file["path"]}]
    assert (read["bytes"], read["auth_method"]) == (file["size"], "QueryString")
    written = [event for event in found if event["action"] == "s3:PutObject" and event["sha256"]]
    assert [(event["actor"], event["bytes"]) for event in written] == [("ds-fraud", file["size"])]

    refused = {
        event["source"]: event
        for event in found
        if event["actor"] == "ds-nlp" and event["outcome"] == "denied"
    }
    assert refused["cloudtrail"]["action"] == "s3:GetObject"
    assert refused["cloudtrail"]["error_code"] == "AccessDenied"
    assert refused["cloudtrail"]["sha256"] == file["sha256"]
    assert (refused["service"]["error_code"], refused["service"]["action"][:5]) == ("not_found", "smas:")
    assert (refused["service"]["auth_method"], refused["service"]["key"]) == ("bearer", None)

    by_version = listed(
        reader, model=model, version=1, actor="ds-fraud", action="s3:GetObject", outcome="success"
    )
    assert read in by_version
    assert listed(reader, model=model, actor="ds-nlp", outcome="success") == []
    paged = listed(reader, model=model, to=found[0]["time"], limit=3)
    assert [event for event in found if event["time"] < found[0]["time"]] == paged


def test_an_auditor_reads_the_same_and_others_nothing(stack: Stack) -> None:
    """Reading the audit is itself in it, by name."""
    auditor = stack.user("auditor")
    auditor.expect(200, "GET", "/v1/audit/events")
    for name in ("ds-fraud", "approver-fraud", "deployer-fraud", "custodian", "nobody"):
        stack.user(name).expect(403, "GET", "/v1/audit/events")
    until(bool, auditor, actor="auditor", outcome="success")
    refused = until(lambda found: len(found) >= 5, auditor, action="smas:list_audit_events", outcome="denied")
    assert {event["actor"] for event in refused} >= {"ds-fraud", "approver-fraud", "nobody"}
