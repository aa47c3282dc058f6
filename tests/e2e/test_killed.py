"""kill -9 in the middle of each step, on real processes and storage: nothing is lost, doubled or stuck."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

import urllib3

from tests.e2e.client import Client
from tests.local_aws import REPOSITORY, free_port, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import Stack
    from tests.local_aws import LocalStack

PROFILES = {"service": "smas-service", "worker": "smas-worker"}


@contextmanager
def process(aws: LocalStack, role: str, call: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A service or worker of our own that dies before its ``call``-th request (0: never)."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.dying", role, str(call), *arguments],
        cwd=REPOSITORY,
        env=aws.process_environment(PROFILES[role]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout
    try:
        assert running.stdout.readline() == "ready\n"
        yield running
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


@contextmanager
def service(aws: LocalStack, call: int) -> Iterator[Client]:
    """A client of a service of our own."""
    port = free_port()
    with process(aws, "service", call, str(port)):
        yield Client(f"http://127.0.0.1:{port}", aws.token("ds-fraud"))


def small(tmp_path: Path, content: bytes = b"some bytes") -> Path:
    """A folder with one small file."""
    folder = tmp_path / uuid4().hex
    folder.mkdir()
    (folder / "model.bin").write_bytes(content)
    return folder


def test_a_service_killed_at_any_request_of_publishing(local_aws: LocalStack, tmp_path: Path) -> None:
    """The same request, sent again with its key, ends in exactly one version, whichever step was cut off."""
    with service(local_aws, 0) as healthy:
        for call in itertools.count(1):
            model = f"fraud/killed-{uuid4().hex[:10]}"
            files = healthy.upload(model, small(tmp_path))
            body, where = {"files": files}, f"/v1/models/{model}/versions"
            with service(local_aws, call) as doomed:
                try:
                    died = doomed.call("POST", where, body, Idempotency_Key="k").status != 201
                except (urllib3.exceptions.ProtocolError, urllib3.exceptions.MaxRetryError):
                    died = True
            retried = healthy.call("POST", where, body, Idempotency_Key="k")
            assert retried.status in {200, 201}, retried.body
            assert retried.body["version"] == 1
            assert [v["version"] for v in healthy.expect(200, "GET", where)["items"]] == [1]
            if not died:
                assert retried.status == 200
                break
    assert call > 8


def test_a_worker_killed_at_any_request_of_verifying(local_aws: LocalStack, tmp_path: Path) -> None:
    """Whichever step was cut off, the next worker settles every version, and serves no byte before."""
    model = f"fraud/killed-{uuid4().hex[:10]}"
    with service(local_aws, 0) as client:
        numbers = []
        for call in range(1, 31, 2):
            content = f"bytes of {call}".encode()
            version = client.publish(model, client.upload(model, small(tmp_path, content)))
            numbers.append(version["version"])
            with process(local_aws, "worker", call) as doomed:
                assert doomed.wait(timeout=60) == -signal.SIGKILL
            state = client.expect(200, "GET", f"/v1/models/{model}/versions/{version['version']}")["state"]
            path = f"/v1/models/{model}/versions/{version['version']}/files/model.bin?redirect=false"
            reply = client.call("GET", path)
            assert (state, reply.status) in {("verifying", 423), ("available", 200)}
        with process(local_aws, "worker", 0):
            for number in numbers:
                assert client.settled(model, number)["state"] == "available"
                path = f"/v1/models/{model}/versions/{number}/files/model.bin?redirect=false"
                file = client.expect(200, "GET", path)
                body = client.http.request("GET", file["url"]).data
                assert sha256(body).hexdigest() == file["sha256"]


def test_the_stack_replaces_a_killed_worker(stack: Stack, model: str, tmp_path: Path) -> None:
    """With the worker killed, versions wait; `up` again starts another, which settles them."""
    client = stack.user("ds-fraud")
    stack.process("worker").kill()
    version = client.publish(model, client.upload(model, small(tmp_path)))
    time.sleep(1)
    assert client.expect(200, "GET", f"/v1/models/{model}/versions/1")["state"] == "verifying"
    # A worker's settings die with it; the tests that share this stack count on the sweep.
    again = run_stack(stack.aws.state, "up", "--sweep-seconds", "2")
    assert again.returncode == 0, again.stderr
    assert client.settled(model, version["version"])["state"] == "available"


def test_gunicorn_replaces_a_killed_process(stack: Stack) -> None:
    """A service process killed under load is replaced; the address answers again at once."""
    client = stack.user("ds-fraud")
    for child in stack.process("service").children():
        child.kill()
    deadline = time.monotonic() + 60
    while True:
        try:
            assert client.call("GET", "/v1/whoami").status == 200
            break
        except urllib3.exceptions.HTTPError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
