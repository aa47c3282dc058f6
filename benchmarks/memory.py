"""Resident memory of all service processes, after 2,000 requests and after 12,000.

Each run has a gunicorn of its own, just started, with the stack's configuration, and S3 answers it from
memory, because the local AWS would take minutes for so many reads. The requests are of four
kinds in turn: who am I, one version, the list of versions, download URLs. What grows between the two marks
would go on growing: caches have long been filled by then.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.client import Caller, publish_small
from benchmarks.figures import Figure, Report, columns
from benchmarks.instant_s3 import instant_s3
from benchmarks.stack import fresh_service, running_stack

if TYPE_CHECKING:
    import psutil

    from benchmarks.progress import Say

TITLE = "Resident memory of gunicorn and its workers (whoami, version, list, downloads in turn)"
MODEL = "fraud/measured-memory"
EARLY, LATE = 2_000, 12_000
TARGET_PERCENT = 5.0
_CLIENTS = 8
_VERSIONS = 2
_MIB = 1 << 20


def measure(runs: int, say: Say) -> Report:
    """MiB at both marks, and the growth between them in percent."""
    measured = []
    with running_stack() as stack, instant_s3(stack.aws_port) as aws_port:
        token = stack.token("ds-fraud")
        publisher = Caller(stack.port, token)
        numbers = [publish_small(publisher, MODEL, files=2) for _ in range(_VERSIONS)]
        for run in range(runs):
            with fresh_service(stack, aws_port) as (port, gunicorn):
                callers = [Caller(port, token) for _ in range(_CLIENTS)]
                _ask(callers, EARLY, numbers[0])
                early = _resident(gunicorn)
                _ask(callers, LATE - EARLY, numbers[0])
                late = _resident(gunicorn)
            measured.append((early, late, (late / early - 1) * 100))
            say(f"run {run + 1}: {early:.1f} MiB, then {late:.1f} MiB")
    early_mib, late_mib, growth = columns(measured)
    figures = (
        Figure(f"after {EARLY:,} requests", "MiB", early_mib),
        Figure(f"after {LATE:,} requests", "MiB", late_mib),
        Figure("growth", "%", growth, TARGET_PERCENT),
    )
    return Report("memory", TITLE, figures)


def _ask(callers: list[Caller], requests: int, number: int) -> None:
    """``requests`` of the four kinds, spread evenly over ``callers``, all at once."""
    base = f"/v1/models/{MODEL}/versions"

    def ask(caller: Caller) -> None:
        for _ in range(requests // len(callers) // 4):
            caller.read("/v1/whoami")
            caller.read(f"{base}/{number}")
            caller.read(f"{base}?limit=1")
            caller.post(f"{base}/{number}/downloads", b'{"paths": null}')

    with ThreadPoolExecutor(len(callers)) as threads:
        list(threads.map(ask, callers))


def _resident(gunicorn: psutil.Process) -> float:
    """Resident memory of the process and its children, MiB; pages they share count for each."""
    processes = [gunicorn, *gunicorn.children(recursive=True)]
    return sum(process.memory_info().rss for process in processes) / _MIB
