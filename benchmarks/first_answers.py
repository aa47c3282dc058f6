"""Measures functions from the start of their process to their first answer, and prints the figures as JSON.

A program of its own with the standard library alone, so that it runs inside the image as well:
``python -m benchmarks.first_answers RUNS``. The settings are in the environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from tests.image.function import LambdaFunction

OURS: Final = "service.lambda_handler.api"
PLAIN: Final = "benchmarks.plain_function.handler"
CLIENTS: Final = "benchmarks.plain_clients.handler"
EVENT: Final = Path(__file__).resolve().parents[1] / "tests" / "events" / "healthz_event.json"
EARLY, LATE = 200, 2_000
_KIB: Final = 1024


def main() -> None:
    """One list of figures a run: what ``benchmarks.cold_start`` names them."""
    runs = int(sys.argv[1])
    event = json.loads(EVENT.read_text(encoding="utf-8"))
    # The first start of each reads files that no disk cache holds, and may write bytecode.
    for handler in (OURS, PLAIN, CLIENTS):
        first_answer(handler, event)
    measured = []
    for _ in range(runs):
        ours, plain, clients = (first_answer(handler, event) for handler in (OURS, PLAIN, CLIENTS))
        measured.append([ours, plain, ours / plain, clients, ours / clients, *steady(event)])
    json.dump(measured, sys.stdout)


def first_answer(handler: str, event: Any) -> float:
    """Seconds from the start of a function's process to its first answer."""
    begun = time.perf_counter()
    with LambdaFunction(handler, os.environ) as function:
        outcome = function.invoke(event)
        seconds = time.perf_counter() - begun
    if outcome.error_type is not None or outcome.payload["statusCode"] != 200:  # noqa: PLR2004
        sys.exit(f"{handler} answered {outcome}")
    return seconds


def steady(event: Any) -> tuple[float, float, float]:
    """Milliseconds an invocation, and resident bytes after ``EARLY`` and ``LATE`` of them."""
    with LambdaFunction(OURS, os.environ) as function:
        for _ in range(EARLY):
            function.invoke(event)
        early = resident(function.process.pid)
        begun = time.perf_counter()
        for _ in range(LATE - EARLY):
            function.invoke(event)
        milliseconds = (time.perf_counter() - begun) * 1000 / (LATE - EARLY)
        return milliseconds, early, resident(function.process.pid)


def resident(process_id: int) -> float:
    """Bytes of a process in memory (Linux)."""
    for line in Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) * _KIB
    return 0.0


if __name__ == "__main__":
    main()
