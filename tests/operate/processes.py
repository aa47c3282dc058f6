"""The real processes, started as they are in the image, over an AWS of the test's own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from typing import IO, TYPE_CHECKING, Any, Final, Self

import psutil

from tests.local_aws import REPOSITORY, free_port
from tests.web.conftest import ISSUER, MACHINE, PEOPLE, PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from tests.operate.aws import Aws

START_SECONDS: Final = 60
GUNICORN: Final = (sys.executable, "-m", "gunicorn", "-c", "python:service.gunicorn_config")
WORKER: Final = (sys.executable, "-m", "service.worker")


def environment(aws_url: str) -> dict[str, str]:
    """All settings of both processes."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "no_proxy": "127.0.0.1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_REGION": "eu-central-1",
        "SMAS_BUCKET": "smas-models",
        "SMAS_CLIENT_IDS": f"{PEOPLE},{MACHINE}",
        "SMAS_EVENTS_QUEUE_URL": f"{aws_url}/000000000000/events",
        "SMAS_ISSUER": ISSUER,
        "SMAS_JWKS_URL": f"{aws_url}/pool/.well-known/jwks.json",
        "SMAS_LOG_GROUP": "/smas/service",
        "SMAS_METADATA_KEY_ARN": "arn:aws:kms:eu-central-1:000000000000:key/none",
        "SMAS_PEOPLE_CLIENT_ID": PEOPLE,
        "SMAS_PUBLIC_URL": PUBLIC_URL,
        "SMAS_ROLE_PREFIX": "arn:aws:iam::000000000000:role/smas-",
        "SMAS_SWEEP_SECONDS": "3600",
        "SMAS_TRAIL_ARN": "arn:aws:cloudtrail:eu-central-1:000000000000:trail/smas",
        "SMAS_TRAIL_BUCKET": "smas-trail",
    }


class Process:
    """A process of ours and all that it wrote; a context manager that ends it, whatever happens."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], output: IO[bytes] | None = None
    ) -> None:
        self._output = output or tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end
        self.popen = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.popen.poll() is None:
            for process in (psutil.Process(self.popen.pid), *self.children()):
                process.kill()
        self.popen.wait()
        self._output.close()

    def children(self) -> list[psutil.Process]:
        """Its workers."""
        return psutil.Process(self.popen.pid).children()

    def output(self) -> str:
        """All that it and its workers have written."""
        return os.pread(self._output.fileno(), 1 << 26, 0).decode()

    def lines(self) -> list[dict[str, Any]]:
        """What was written as records, each with the keys of every record; whatever else fails."""
        records = [json.loads(line) for line in self.output().splitlines()]
        for record in records:
            assert {"time", "level", "logger", "message"} <= record.keys(), record
        return records

    def ended(self, seconds: float = START_SECONDS) -> int:
        """Its exit code, once it has ended."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            message = f"still running; it wrote: {self.output()}"
            raise AssertionError(message) from None

    def stopped(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.popen.send_signal(number)
        return self.ended()

    def until(self, what: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Return as soon as ``what()`` holds; it is asked often."""
        deadline = time.monotonic() + seconds
        while not what():
            assert self.popen.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.02)

    def until_said(self, message: str) -> None:
        """Return as soon as a record says so."""
        self.until(lambda: message in self.output())


@dataclass
class Reply:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def body(self) -> Any:
        """Its JSON."""
        return json.loads(self.content)


def read(response: HTTPResponse) -> Reply:
    """A reply from a response."""
    return Reply(response.status, dict(response.headers.items()), response.read())


class Service(Process):
    """gunicorn with the service, on a port of its own; entered when all its workers serve."""

    def __init__(
        self,
        aws: Aws,
        *,
        workers: int = 2,
        app: str = "service.wsgi:app",
        output: IO[bytes] | None = None,
        **changed: str,
    ) -> None:
        self.port = free_port()
        self.workers = workers
        super().__init__(
            (*GUNICORN, "--bind", f"127.0.0.1:{self.port}", app),
            {**environment(aws.url), "WEB_CONCURRENCY": str(workers), **changed},
            output,
        )

    def __enter__(self) -> Self:
        try:
            self.until(self._answers)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _answers(self) -> bool:
        try:
            return self.get("/healthz").status == 200
        except OSError:
            return False

    def connect(self, seconds: float = 60) -> HTTPConnection:
        """A connection of one's own."""
        return HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    @contextmanager
    def raw(self, count: int = 1) -> Iterator[list[socket.socket]]:
        """Bare connections."""
        with ExitStack() as connections:
            address = ("127.0.0.1", self.port)
            yield [
                connections.enter_context(socket.create_connection(address, timeout=20)) for _ in range(count)
            ]

    def get(self, path: str, token: str | None = None, *, seconds: float = 60) -> Reply:
        """One request on a new connection, which is then closed."""
        connection = self.connect(seconds)
        try:
            connection.request("GET", path, headers=bearer(token))
            return read(connection.getresponse())
        finally:
            connection.close()


def bearer(token: str | None) -> dict[str, str]:
    """The headers that carry a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def read_raw(connection: socket.socket) -> Reply:
    """The answer on a bare connection, which stays as it is."""
    response = HTTPResponse(connection)
    response.begin()
    return read(response)
