"""What `up --dev` changes: service and worker start anew when their code does, and a debugger can attach.

Neither is in the service or in its image: `emulator/develop` has both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smas_emulator.engine import run
from smas_emulator.errors import StackError
from smas_emulator.ports import LOOPBACK, require_free
from smas_emulator.readiness import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT_DEBUG_PORT = 5678
# A worker that stands at a breakpoint is not replaced; one is enough to attach to.
ONE_PATIENT_WORKER = ("--workers", "1", "--timeout", "0")
_LIBRARIES = "import debugpy, watchdog; print(debugpy.__path__[0], watchdog.__path__[0], sep='\\n')"


@dataclass(frozen=True, slots=True)
class Debuggers:
    """Where they listen, on this machine only: for the service at `port`, for the worker at the next one."""

    port: int

    @property
    def worker_port(self) -> int:
        """The worker's."""
        return self.port + 1

    def require_free(self) -> None:
        """Raise `StackError` unless both could listen."""
        for port, purpose in ((self.port, "the service's debugger"), (self.worker_port, "the worker's")):
            require_free(
                port, purpose, "choose another with `make up DEV=1 DEBUG_PORT=<port>` (--debug-port)"
            )

    @property
    def service(self) -> str:
        """The application that gunicorn is told to serve."""
        return f"debugged:service('{LOOPBACK}', {self.port})"

    @property
    def worker(self) -> tuple[str, ...]:
        """The arguments that run the worker."""
        return ("-m", "debugged", LOOPBACK, str(self.worker_port))


def reloading(project: Path, command: tuple[str, ...]) -> tuple[str, ...]:
    """A command line that runs `command` anew whenever the service's code changes."""
    return (str(project / "emulator" / "develop" / "reload"), str(project / "service"), *command)


def environment(project: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The environment in which the debugged programs are found."""
    before = given.get("PYTHONPATH")
    develop = str(project / "emulator" / "develop")
    # The debugger would warn of a setting of Python that costs it nothing here.
    return {
        **given,
        "PYTHONPATH": f"{develop}:{before}" if before else develop,
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def libraries(python: str) -> tuple[str, str]:
    """The folders of the debugger and of the watcher in `python`'s environment. Raises `StackError`."""
    found = run((python, "-c", _LIBRARIES))
    if found.code:
        lacking = f"{shown(python)} has no debugpy or no watchdog ({found.last_words})"
        msg = f"{lacking}; `make up DEV=1` installs them, or name another with --service-python."
        raise StackError(msg)
    debugger, watcher = found.output.splitlines()
    return debugger, watcher
