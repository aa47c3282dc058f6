"""What the trail says of people who did nothing wrong: that none of it was denied."""

from __future__ import annotations

import gzip
import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

MIB = 1 << 20


def recorded(stack: Stack, model: str) -> list[dict[str, Any]]:
    """Every delivered event that names the model."""
    flush = urllib.request.Request(f"{stack.aws.endpoint}/_smas/cloudtrail/flush", method="POST")
    assert stack.aws.fetch(flush)[0] == 200
    files = [path for path in (stack.aws.state / "trail").rglob("*.json.gz") if "Digest" not in path.name]
    events = [event for path in files for event in json.loads(gzip.decompress(path.read_bytes()))["Records"]]
    return [event for event in events if model in json.dumps(event.get("requestParameters"))]


def test_whoever_does_their_work_is_never_on_record_as_denied(
    stack: Stack, model: str, tmp_path: Path
) -> None:
    """Much of what the store looks for is not there yet; that must not read as an attempt to get at it."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "weights").write_bytes(model.encode())
    (folder / "large").write_bytes(model.encode().ljust(MIB) * 65)
    scientist, approver = stack.user("ds-fraud"), stack.user("approver-fraud")
    at = f"/v1/models/{model}"
    scientist.call("GET", at)
    scientist.call("GET", f"{at}/versions/latest")
    files = scientist.upload(model, folder)
    for _ in range(2):
        version = scientist.publish(model, files, message="twice the same")["version"]
        scientist.settled(model, version)
    scientist.expect(200, "PATCH", at, {"description": "honest"})
    scientist.expect(200, "PUT", f"{at}/aliases/candidate", {"version": 1, "expected_version": None})
    scientist.call("GET", f"{at}/aliases/never")
    scientist.call("GET", f"{at}/versions/99")
    approver.expect(200, "PUT", f"{at}/aliases/production", {"version": 1})
    scientist.expect(204, "DELETE", f"{at}/aliases/candidate")
    scientist.call("GET", f"{at}/aliases/candidate")
    stack.user("compliance").fetch(model, "production", tmp_path / "in")

    events = recorded(stack, model)

    assert {event["eventName"] for event in events} >= {"GetObject", "PutObject", "CompleteMultipartUpload"}
    assert [event for event in events if "Denied" in event.get("errorCode", "")] == []
