"""Whole processes, measured as their user sees them: from start to exit, with the most memory they took."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.stack import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_KIB = 1024
# Starts the command from a small process: Linux counts what a process held before `exec` into its peak.
_LAUNCHER = """
import json, os, sys, time
begun = time.perf_counter()
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - begun
measured = [seconds, usage.ru_maxrss, os.waitstatus_to_exitcode(status)]
os.write(int(sys.argv[1]), json.dumps(measured).encode())
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that succeeded: wall-clock seconds, resident bytes at its peak, what it printed."""

    seconds: float
    peak_bytes: int
    output: str


def run(command: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """Run a command (by its path) to its end. Raises ``BenchmarkError`` if it fails."""
    reading, writing = os.pipe()
    # Into a file: a pipe that nobody reads would stop the process.
    with tempfile.TemporaryFile() as output, os.fdopen(reading, "rb") as measured:
        launcher = (sys.executable, "-I", "-S", "-c", _LAUNCHER, str(writing))
        subprocess.run(
            [*launcher, *command],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            check=True,
        )
        os.close(writing)
        seconds, peak, code = json.loads(measured.read())
        output.seek(0)
        text = output.read().decode(errors="replace")
    if code:
        message = f"`{shlex.join(command)}` ended with {code}: {text.strip()[-500:]}"
        raise BenchmarkError(message)
    return Ended(seconds, peak * _KIB, text)


@contextmanager
def paused(process_id: int) -> Iterator[None]:
    """A process of ours stands still meanwhile."""
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def settle_disks() -> None:
    """Write out what earlier measurements left in memory, so that the next one does not wait for it."""
    os.sync()
