"""When AWS does not answer: clear refusals in bounded time, and everything as before once it does."""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import Stack

# API Gateway gives a request up after 30 s; our own answer must come before.
PATIENCE_SECONDS = 29


@contextmanager
def silent_aws(stack: Stack) -> Iterator[None]:
    """Within the block the local AWS accepts connections and answers nothing."""
    emulator = stack.process("localstack")
    emulator.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        emulator.send_signal(signal.SIGCONT)


def test_a_silent_aws_is_503_in_bounded_time_and_forgotten_after(
    stack: Stack, model: str, tmp_path: Path
) -> None:
    """Requests and /readyz say what is down, with Retry-After; afterwards reads and verification go on."""
    (tmp_path / "x").write_bytes(b"x")
    client = stack.user("ds-fraud")
    version = client.publish(model, client.upload(model, tmp_path))
    assert client.settled(model, version["version"])["state"] == "available"
    with silent_aws(stack):
        began = time.monotonic()
        reply = client.call("GET", f"/v1/models/{model}/versions/1")
        assert (reply.status, reply.body["code"]) == (503, "storage_unavailable")
        assert int(reply.headers["Retry-After"]) > 0
        assert time.monotonic() - began < PATIENCE_SECONDS
        ready = client.http.request("GET", f"{stack.url}/readyz", timeout=PATIENCE_SECONDS)
        assert ready.status == 503
        assert set(json.loads(ready.data)["failing"]) == {"sts", "s3"}
        assert client.http.request("GET", f"{stack.url}/healthz").status == 200
    deadline = time.monotonic() + 60
    while client.http.request("GET", f"{stack.url}/readyz", timeout=PATIENCE_SECONDS).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert client.expect(200, "GET", f"/v1/models/{model}/versions/1")["state"] == "available"
    again = client.publish(model, client.upload(model, tmp_path))
    assert client.settled(model, again["version"])["state"] == "available"


def test_a_request_without_keep_alive_is_served_while_others_wait(stack: Stack) -> None:
    """Slow answers from AWS hold up those who asked, not those who ask nothing of it."""
    with silent_aws(stack):
        began = time.monotonic()
        http = urllib3.PoolManager(retries=False, timeout=5)
        assert http.request("GET", f"{stack.url}/healthz", headers={"Connection": "close"}).status == 200
        assert time.monotonic() - began < 5
