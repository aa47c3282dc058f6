"""One small model through the deployed store: published, verified, fetched, by its public interface alone.

A version cannot be unpublished, so there is one for each image that was ever deployed, and a deployment
that is repeated uses the one there is.
"""

from __future__ import annotations

import hashlib
import json
import struct
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from deployment import http
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL: Final = "canary/smoke-test"
_FILE: Final = "model.safetensors"
# A message through the queue takes seconds; a message that was lost is found by the sweep, a minute later.
PATIENCE_SECONDS: Final = 240.0
_POLL_SECONDS: Final = 2.0
# Permissions that were just given are on their way through IAM, and AWS refuses until they are there.
_SETTLING_SECONDS: Final = 60.0
_SETTLING: Final = frozenset(
    {
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class Store:
    """The store at an address, in the name of the token's owner."""

    address: str
    token: str

    def ask(self, method: str, path: str, body: object = None) -> http.Answer:
        """One request."""
        headers = {"Authorization": f"Bearer {self.token}"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        try:
            return http.request(method, self.address + path, data=data, headers=headers)
        except http.Unreachable as error:
            message = f"The smoke test got {error}; run the same command again."
            raise DeploymentError(message) from error

    def must(self, method: str, path: str, body: object = None) -> Any:
        """One request that has to succeed; its body."""
        answer = self.ask(method, path, body)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            raise DeploymentError(_failed(f"{method} {path}", answer))
        return answer.json()


def run(
    store: Store,
    image: str,
    say: Callable[[str], None],
    *,
    seconds: float = PATIENCE_SECONDS,
    poll: float = _POLL_SECONDS,
) -> int:
    """Publish a model that names `image`, or find it, and fetch it; the number of its version."""
    content = tiny_model(image)
    sha256 = hashlib.sha256(content).hexdigest()
    version = _newest(store, say, min(seconds, _SETTLING_SECONDS), poll)
    if version is None or version["message"] != _message(image):
        version = _publish(store, image, content, sha256)
        say(f"published version {version['version']} of {MODEL}")
    else:
        say(f"version {version['version']} of {MODEL} was published when this image was deployed before")
    number = int(version["version"])
    took = _wait_until_available(store, number, seconds, poll)
    say(f"the verifier has held it against its SHA-256 ({took:.0f} s)")
    if _fetch(store, number) != content:
        message = f"Version {number} of {MODEL} came back with other bytes than were published."
        raise DeploymentError(message)
    say("fetched, and the same to the byte")
    return number


def tiny_model(image: str) -> bytes:
    """A model of one number, in the format safetensors, that names the image it was published through."""
    header = json.dumps(
        {
            "__metadata__": {"image": image},
            "weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        },
        separators=(",", ":"),
    ).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack("<f", 1.0)


def _message(image: str) -> str:
    return f"smoke test of {image.rpartition('@')[2]}"


def _newest(store: Store, say: Callable[[str], None], seconds: float, poll: float) -> dict[str, Any] | None:
    """The newest version, None where there is none; as the first request, it waits for what settles."""
    path = f"/v1/models/{MODEL}/versions?limit=1"
    begun, before = time.monotonic(), ""
    while True:
        answer = store.ask("GET", path)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status == HTTPStatus.OK:
            return next(iter(answer.json()["items"]), None)
        if answer.status not in _SETTLING or time.monotonic() - begun > seconds:
            raise DeploymentError(_failed(f"GET {path}", answer))
        if answer.words != before:
            before = answer.words
            say(f"not yet ({before}): new permissions may be on their way through IAM")
        time.sleep(poll)


def _publish(store: Store, image: str, content: bytes, sha256: str) -> dict[str, Any]:
    file = {"sha256": sha256, "size": len(content)}
    target = store.must("POST", f"/v1/models/{MODEL}/uploads", {"files": [file]})["files"][0]
    if target["state"] != "stored":
        _send(target, content)
    draft = {
        "files": [{"path": _FILE, **file}],
        "message": _message(image),
        "metadata": {"source": {"image": image}},
    }
    return dict(store.must("POST", f"/v1/models/{MODEL}/versions", draft))


def _send(target: dict[str, Any], content: bytes) -> None:
    # Without a type of its own, the client library would name one of a form.
    headers = {"Content-Type": "application/octet-stream", **target["headers"]}
    try:
        answer = http.request(target["method"], target["url"], data=content, headers=headers)
    except http.Unreachable as error:
        message = f"S3 cannot be reached from here: {error}."
        raise DeploymentError(message) from error
    if answer.status != HTTPStatus.OK:
        message = f"S3 refused the smoke test's bytes with status {answer.status}."
        raise DeploymentError(message)


def _wait_until_available(store: Store, number: int, seconds: float, poll: float) -> float:
    begun = time.monotonic()
    while True:
        version = store.must("GET", f"/v1/models/{MODEL}/versions/{number}")
        took = time.monotonic() - begun
        if version["state"] == "available":
            return took
        if version["state"] != "verifying":
            message = f"Version {number} of {MODEL} is {version['state']}: {version['reason']}."
            raise DeploymentError(message)
        if took > seconds:
            message = (
                f"Version {number} of {MODEL} is still being verified after {seconds:.0f} seconds: look at "
                "the verifier's log group and its queues of dead letters."
            )
            raise DeploymentError(message)
        time.sleep(poll)


def _fetch(store: Store, number: int) -> bytes:
    link = store.must("GET", f"/v1/models/{MODEL}/versions/{number}/files/{_FILE}?redirect=false")
    try:
        answer = http.request("GET", link["url"])
    except http.Unreachable as error:
        message = f"S3 cannot be reached from here: {error}."
        raise DeploymentError(message) from error
    if answer.status != HTTPStatus.OK:
        message = f"S3 did not hand out what the store pointed to (status {answer.status})."
        raise DeploymentError(message)
    return answer.body


def _failed(what: str, answer: http.Answer) -> str:
    return f"The smoke test failed at {what}: {answer.words} (request id {answer.request_id})."
