"""A caller of the store over one kept-alive connection: the standard library alone, to cost little itself."""

from __future__ import annotations

import http.client
import json
import os
import time
from hashlib import sha256
from typing import Any

import urllib3

from benchmarks.stack import BenchmarkError

_SETTLED_SECONDS = 120
# The service keeps a connection open for 5 s without a request.
_IDLE_SECONDS = 3
_OK, _CREATED = 200, 201


class Caller:
    """Requests in one user's name, one after the other."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._used = time.monotonic()
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def read(self, path: str) -> bytes:
        """The body of a GET that must be answered with 200."""
        return self._request("GET", path, None, _OK)

    def post(self, path: str, body: bytes, status: int = _OK) -> bytes:
        """The body of the answer to a POST of JSON."""
        return self._request("POST", path, body, status)

    def ask(self, path: str, body: object = None, status: int = _OK) -> Any:
        """The decoded answer to a GET, or to a POST if there is a body."""
        if body is None:
            return json.loads(self.read(path))
        return json.loads(self.post(path, json.dumps(body).encode(), status))

    def _request(self, method: str, path: str, body: bytes | None, status: int) -> bytes:
        if time.monotonic() - self._used > _IDLE_SECONDS:
            self._connection.close()  # before the service does; the next request opens it again
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        self._used = time.monotonic()
        if answer.status != status:
            message = f"{method} {path} was answered {answer.status}, not {status}: {content[:300]!r}"
            raise BenchmarkError(message)
        return content


def publish_small(caller: Caller, model: str, files: int) -> int:
    """Publish a version of ``files`` files of 2 KiB and wait until it is available; answers its number."""
    contents = [os.urandom(2048) for _ in range(files)]
    named = [
        {"path": f"part-{number}.bin", "sha256": sha256(content).hexdigest(), "size": len(content)}
        for number, content in enumerate(contents)
    ]
    wanted = [{"sha256": file["sha256"], "size": file["size"]} for file in named]
    targets = caller.ask(f"/v1/models/{model}/uploads", {"files": wanted})["files"]
    for content, target in zip(contents, targets, strict=True):
        put(target["url"], content, target["headers"])
    draft = {"files": named, "message": "measured", "metadata": {"framework": "none", "params": {"a": 1}}}
    number = int(caller.ask(f"/v1/models/{model}/versions", draft, _CREATED)["version"])
    wait_until_available(caller, model, number)
    return number


def wait_until_available(caller: Caller, model: str, number: int, poll_seconds: float = 0.05) -> None:
    """Return as soon as the verifier has made the version available."""
    deadline = time.monotonic() + _SETTLED_SECONDS
    while time.monotonic() < deadline:
        version = caller.ask(f"/v1/models/{model}/versions/{number}")
        if version["state"] == "available":
            return
        if version["state"] != "verifying":
            message = f"version {number} is {version['state']}: {version['reason']}"
            raise BenchmarkError(message)
        time.sleep(poll_seconds)
    message = f"version {number} was not verified within {_SETTLED_SECONDS} s"
    raise BenchmarkError(message)


_storage = urllib3.PoolManager(maxsize=8, retries=False)


def put(url: str, body: bytes, headers: dict[str, str]) -> str:
    """Send bytes to a presigned URL; answers their etag."""
    answer = _storage.request("PUT", url, body=body, headers=headers)
    if answer.status != _OK:
        message = f"storage refused bytes with status {answer.status}"
        raise BenchmarkError(message)
    return answer.headers["ETag"].strip('"')
