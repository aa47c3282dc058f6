"""A stack of a benchmark's own: emulator, service and worker on free ports, stopped by their ids."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psutil
from botocore.credentials import ReadOnlyCredentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_s3 import S3Client

REPOSITORY = Path(__file__).resolve().parents[1]
EMULATOR_PYTHON = REPOSITORY / ".venv" / "emulator" / "bin" / "python"
_START_SECONDS = 60
_ROOT = ReadOnlyCredentials("test", "test", None, None)


class BenchmarkError(Exception):
    """A benchmark cannot be carried out; the message is one sentence."""


@dataclass(frozen=True)
class Stack:
    """A running stack, by its state directory."""

    state: Path
    port: int
    aws_port: int

    @cached_property
    def _described(self) -> dict[str, Any]:
        return dict(json.loads((self.state / "stack.json").read_text(encoding="utf-8")))

    @property
    def bucket(self) -> str:
        """The name of the store's bucket."""
        return str(self._described["bucket"])

    def process_id(self, name: str) -> int:
        """The process id of the stack's `localstack`, `service` or `worker`."""
        records = json.loads((self.state / "processes.json").read_text(encoding="utf-8"))
        return next(int(record["pid"]) for record in records if record["name"] == name)

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment of the stack's own service."""
        lines = (self.state / "service.env").read_text(encoding="utf-8").splitlines()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SMAS_"))}
        own = dict(line.split("=", 1) for line in lines if line)
        return {**kept, **own, "AWS_PROFILE": "smas-service", "no_proxy": "localhost,127.0.0.1"}

    def token(self, user: str) -> str:
        """A fresh access token of a local user."""
        return _stack_command(self.state, "token", user).strip()

    def s3(self, session: ReadOnlyCredentials = _ROOT) -> S3Client:
        """Plain boto3 as it comes, in a session or as the root of the local account."""
        return boto3.Session(
            aws_access_key_id=session.access_key,
            aws_secret_access_key=session.secret_key,
            aws_session_token=session.token,
            region_name=self._described["region"],
        ).client("s3", endpoint_url=self._described["aws_endpoint"])


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start a stack on free ports in a temporary state directory; stop it at the end, whatever happens."""
    if not EMULATOR_PYTHON.exists():
        raise BenchmarkError("The local AWS is not installed; run the benchmarks with `make bench`.")
    with tempfile.TemporaryDirectory(prefix="smas-bench-") as folder:
        state = Path(folder) / "state"
        port, aws_port = free_port(), free_port()
        try:
            _stack_command(state, "up", "--port", str(port), "--aws-port", str(aws_port))
            yield Stack(state, port, aws_port)
        finally:
            _stack_command(state, "down")


@contextmanager
def fresh_service(stack: Stack, aws_port: int | None = None) -> Iterator[tuple[int, psutil.Process]]:
    """Another gunicorn, just started, with the stack's own configuration, over its AWS or at ``aws_port``.

    Gives its port and its first process, whose children are the workers.
    """
    environment = stack.environment
    if aws_port is not None:
        environment = {**environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws_port}"}
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn_config.py"]
    with (stack.state / "benchmarked-service.log").open("ab") as log:
        process = subprocess.Popen(
            [*gunicorn, "--bind", f"127.0.0.1:{port}", "service.wsgi:app"],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_listening(port, lambda: process.poll() is None)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=_START_SECONDS)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until_listening(port: int, alive: Callable[[], bool]) -> None:
    """Return as soon as the process that is to listen on ``port`` does. Raises ``BenchmarkError``."""
    deadline = time.monotonic() + _START_SECONDS
    while alive() and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise BenchmarkError("A process for the measurement did not start.")


def _stack_command(state: Path, *arguments: str) -> str:
    command = [str(EMULATOR_PYTHON), "-m", "smas_emulator.stack", "--state", str(state), *arguments]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if ended.returncode:
        message = f"The stack for the measurement failed at `{arguments[0]}`: {ended.stderr.strip()}"
        raise BenchmarkError(message)
    return ended.stdout
