"""Measures functions from the start of their process to their first answer, and prints the figures as JSON.

A program of its own that needs nothing but what the image has, so that it runs inside it as well:
``python -m benchmarks.first_answers RUNS``. The settings are in the environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.download_double import BLOB, PATH, download_double
from tests.image.function import LambdaFunction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.download_double import DownloadDouble

OURS: Final = "service.lambda_handler.api"
PLAIN: Final = "benchmarks.plain_function.handler"
CLIENTS: Final = "benchmarks.plain_clients.handler"
DOWNLOAD: Final = "benchmarks.plain_download.handler"
EVENTS: Final = Path(__file__).resolve().parents[1] / "tests" / "events"
EVENT: Final = EVENTS / "healthz_event.json"
EARLY, LATE = 200, 2_000
_KIB: Final = 1024


def main() -> None:
    """One list of figures a run: what ``benchmarks.cold_start`` names them."""
    runs = int(sys.argv[1])
    event, plain_environment = json.loads(EVENT.read_text(encoding="utf-8")), dict(os.environ)
    issuer, client_id = os.environ["SMAS_ISSUER"], os.environ["SMAS_PEOPLE_CLIENT_ID"]
    with download_double(issuer, client_id, os.environ["SMAS_BUCKET"]) as double:
        wanted = download_event(double.token)
        environment = {
            **plain_environment,
            "AWS_ENDPOINT_URL": double.address,
            "SMAS_JWKS_URL": f"{double.address}/.well-known/jwks.json",
        }
        asked = (
            (OURS, event, plain_environment),
            (PLAIN, event, plain_environment),
            (CLIENTS, event, plain_environment),
            (OURS, wanted, environment),
            (DOWNLOAD, wanted, environment),
        )
        # The first start of each reads files that no disk cache holds, and may write bytecode.
        for each in asked:
            environment |= reads_of(double)
            first_answer(*each)
        measured = []
        for _ in range(runs):
            walls, busy = zip(*(first_answer(*each) for each in asked), strict=True)
            ours, plain, clients, download, plain_download = walls
            starts = [ours, plain, ours / plain, busy[0] / busy[1], clients, ours / clients]
            downloads = [download, download / plain, busy[3] / busy[1]]
            downloads += [plain_download, download / plain_download]
            measured.append([*starts, *downloads, *steady(event)])
    json.dump(measured, sys.stdout)


def download_event(token: str) -> Any:
    """An event that asks for URLs of a version's files."""
    event = json.loads((EVENTS / "download_event.json").read_text(encoding="utf-8"))
    event["headers"]["authorization"] = f"Bearer {token}"
    event["rawPath"] = event["requestContext"]["http"]["path"] = PATH
    return event


def reads_of(double: DownloadDouble) -> dict[str, str]:
    """What the plain function is to read: what ours has read."""
    return {"BENCHMARK_READS": "\n".join(sorted(set(double.reads))), "BENCHMARK_BLOB": BLOB}


def first_answer(handler: str, event: Any, environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds from the start of a function's process to its first answer, and those it computed in them."""
    begun = time.perf_counter()
    with LambdaFunction(handler, environment) as function:
        outcome = function.invoke(event)
        seconds, busy = time.perf_counter() - begun, computed(function.process.pid)
    if outcome.error_type is not None or outcome.payload["statusCode"] != 200:  # noqa: PLR2004
        sys.exit(f"{handler} answered {outcome}")
    return seconds, busy


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


def computed(process_id: int) -> float:
    """Seconds that a process has had a processor (Linux): what others do meanwhile adds little to it."""
    return int(Path(f"/proc/{process_id}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def resident(process_id: int) -> float:
    """Bytes of a process in memory (Linux)."""
    for line in Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) * _KIB
    return 0.0


if __name__ == "__main__":
    main()
