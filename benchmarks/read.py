"""GET …/versions/{n} under gunicorn, against the same two S3 reads by plain boto3.

What the service adds: HTTP, checking the token, the decision, JSON, a log line. Both are asked in turn by
one client, one request at a time, on kept-alive connections; boto3 has the same keys and the same session,
and reads manifest and verdict one after the other, as a script would.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.client import Caller, publish_small
from benchmarks.figures import Figure, Report, columns, percentile
from benchmarks.persona import session_of_a_data_scientist
from benchmarks.stack import running_stack
from service.domain.names import ModelId
from service.registry import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.progress import Say

TITLE = "`GET …/versions/{n}` (4 files) against the same S3 reads by boto3, sequential, interleaved"
TARGET_RATIO = 1.5
MODEL = ModelId("fraud", "measured-read")
_PAIRS = 150
_WARM_UP = 30


def measure(runs: int, say: Say) -> Report:
    """Milliseconds of each, and their ratio."""
    with running_stack() as stack:
        caller = Caller(stack.port, stack.token("ds-fraud"))
        number = publish_small(caller, str(MODEL), files=4)
        session = session_of_a_data_scientist(stack, caller, MODEL.team)
        s3 = stack.s3(session)
        wanted = (keys.manifest(MODEL, number), keys.verdict(MODEL, number))

        def by_service() -> None:
            caller.read(f"/v1/models/{MODEL}/versions/{number}")

        def by_boto3() -> None:
            for key in wanted:
                fetch(key)

        def by_boto3_in_two_threads() -> None:
            list(threads.map(fetch, wanted))

        def fetch(key: str) -> bytes:
            return s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read()

        ways = (by_service, by_boto3, by_boto3_in_two_threads)
        with ThreadPoolExecutor(len(wanted)) as threads:
            _medians(ways, _WARM_UP)
            measured = []
            for run in range(runs):
                service, boto3, parallel = _medians(ways, _PAIRS)
                measured.append((service, boto3, parallel, service / boto3, service / parallel))
                say(f"run {run + 1}: {service:.2f} ms, boto3 {boto3:.2f} ms, ratio {service / boto3:.2f}")
    service_ms, boto3_ms, parallel_ms, ratio, parallel_ratio = columns(measured)
    figures = (
        Figure("service, p50", "ms", service_ms),
        Figure("boto3, p50", "ms", boto3_ms),
        Figure("service / boto3", "×", ratio, TARGET_RATIO),
        Figure("boto3 in two threads, p50", "ms", parallel_ms),
        Figure("service / boto3 in two threads", "×", parallel_ratio),
    )
    return Report("read", TITLE, figures)


def _medians(ways: tuple[Callable[[], None], ...], rounds: int) -> list[float]:
    """The p50 of each of ``ways`` in milliseconds, taken in turn."""
    took: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, times in zip(ways, took, strict=True):
            begun = time.perf_counter()
            way()
            times.append((time.perf_counter() - begun) * 1000)
    return [percentile(times, 50) for times in took]
