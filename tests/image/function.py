"""A function's process over a Runtime API of its own.

Standard library only, as `runtime_api`: it also runs inside the image, for the benchmark of its start.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from tests.image.runtime_api import Outcome, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

REPOSITORY: Final = Path(__file__).resolve().parents[2]
NATIVE: Final = (sys.executable, "-m", "awslambdaric")
_START_SECONDS: Final = 60


class FunctionFailed(Exception):
    """The function did not start, ended, or did not answer before its deadline."""

    def __init__(self, message: str, payload: Any = None) -> None:
        super().__init__(message)
        self.payload = payload


class LambdaFunction:
    """A function's process with a Runtime API of its own; a context manager that ends both.

    ``command`` is the runtime client's, to which the handler's name is added. Whatever the process writes
    is kept in ``log``.
    """

    def __init__(
        self,
        handler: str,
        environment: Mapping[str, str],
        *,
        command: Sequence[str] = NATIVE,
    ) -> None:
        self.api = RuntimeApi()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self.process = subprocess.Popen(
            [*command, handler],
            cwd=REPOSITORY,
            env={
                **environment,
                "AWS_LAMBDA_RUNTIME_API": self.api.address,
                "AWS_LAMBDA_FUNCTION_NAME": "smas",
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
            },
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def invoke(
        self,
        event: object,
        *,
        seconds: float = 30,
        request_id: str | None = None,
        trace_id: str = "Root=1-65a1b2c3-000000000000000000000001;Sampled=0",
    ) -> Outcome:
        """One invocation that may take ``seconds``.

        Raises ``FunctionFailed`` if the function ends or its deadline passes; it is then ended, as by Lambda.
        """
        request_id = request_id or str(uuid4())
        self.wait_until_initialised()
        self.api.offer(event, seconds, request_id, trace_id)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            posted = self.api.outcome(min(0.2, deadline - time.monotonic()))
            if posted is not None:
                answered, outcome = posted
                if answered != request_id:
                    message = f"the function answered {answered}, not {request_id}"
                    raise FunctionFailed(message, outcome.payload)
                return outcome
            if self.process.poll() is not None:
                message = f"the function ended with {self.process.returncode}"
                raise FunctionFailed(message)
        self._end()
        message = f"Task timed out after {seconds:.2f} seconds"
        raise FunctionFailed(message)

    def wait_until_initialised(self) -> None:
        """Return once it asks for an invocation. Raises ``FunctionFailed`` with what it says instead."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.api.asked.wait(0.02):
            posted = self.api.outcome(0.001)
            if posted is not None:
                _, outcome = posted
                self.process.wait(timeout=_START_SECONDS)
                raise FunctionFailed(str(outcome.payload["errorMessage"]), outcome.payload)
            if self.process.poll() is not None or time.monotonic() > deadline:
                message = f"the function did not start: {self.log()}"
                raise FunctionFailed(message)

    def log(self) -> str:
        """All that the process has written."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def log_lines(self) -> list[dict[str, Any]]:
        """The same, line by line, each of which must be JSON."""
        return [json.loads(line) for line in self.log().splitlines() if line]

    def close(self) -> None:
        """End the process and stop serving."""
        self._end()
        self.api.close()
        self._log.close()

    def _end(self) -> None:
        if self.process.poll() is None:
            # Lambda sends no signal that the function could wait for.
            self.process.kill()
        self.process.wait()
