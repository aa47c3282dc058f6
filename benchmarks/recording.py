"""A million events through the local AWS's recorder: how many a second, and what stays in memory.

In a process of its own each run, into files on this machine: building the event, choosing the trail, log
files, digests and the store behind look-ups are as in the local AWS; LocalStack is not there. Processor time
is that of all of it, most of which the local AWS spends in a thread beside the calls.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, Report, columns
from benchmarks.stack import EMULATOR_PYTHON, REPOSITORY, BenchmarkError

if TYPE_CHECKING:
    from benchmarks.progress import Say

TITLE = "1,000,000 events recorded and delivered"
EVENTS = 1_000_000
TARGET_MIB = 150.0


def measure(runs: int, say: Say) -> Report:
    """Events a second, processor time an event, and how much memory they left."""
    measured = []
    for run in range(runs):
        told = _run()
        rate, cpu, grown = told["events_per_second"], told["cpu_microseconds"], told["grown_mib"]
        measured.append((rate, cpu, grown))
        say(f"run {run + 1}: {rate:,.0f} events/s, {cpu:.0f} µs each, {grown:.1f} MiB more")
    rates, cpus, grown_mib = columns(measured)
    figures = (
        Figure("events", "a second", rates),
        Figure("processor time", "µs an event", cpus),
        Figure("memory after, less before", "MiB", grown_mib, TARGET_MIB),
    )
    return Report("recording", TITLE, figures)


def _run() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="smas-bench-recording-") as folder:
        command = [str(EMULATOR_PYTHON), "-m", "benchmarks.recorded_events", str(EVENTS), folder]
        ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if ended.returncode:
        message = f"Recording failed: {ended.stderr.strip()}"
        raise BenchmarkError(message)
    return dict(json.loads(ended.stdout))
