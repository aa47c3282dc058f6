"""Requests a second with 8 clients at once, each in a process of its own.

Twice: on the local AWS, which serves every S3 read in one Python process and so decides how many there are;
and with S3 answering at once, which shows what the service itself can do. Clients, service and AWS share
this machine's cores.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.client import Caller, publish_small
from benchmarks.figures import Figure, Report, columns, percentile
from benchmarks.instant_s3 import instant_s3
from benchmarks.stack import fresh_service, running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.progress import Say

TITLE = "`GET …/versions/{n}` (4 files) by 8 clients at once, 6 s each a run"
MODEL = "fraud/measured-throughput"
CLIENTS = 8
_SECONDS = 6.0
_WARM_UP_SECONDS = 2.0
# Until all client processes are there.
_GATHER_SECONDS = 1.0


def measure(runs: int, say: Say) -> Report:
    """Requests a second, and how long one takes in milliseconds."""
    with running_stack() as stack, _clients() as clients:
        token = stack.token("ds-fraud")
        number = publish_small(Caller(stack.port, token), MODEL, files=4)
        path = f"/v1/models/{MODEL}/versions/{number}"

        def ask_for(seconds: float, port: int) -> tuple[float, float, float]:
            begin = time.time() + _GATHER_SECONDS
            asked = [clients.submit(_ask, port, token, path, begin, seconds) for _ in range(CLIENTS)]
            times = [took for client in asked for took in client.result()]
            return len(times) / seconds, percentile(times, 50), percentile(times, 99)

        with instant_s3(stack.aws_port) as aws_port, fresh_service(stack, aws_port) as (instant_port, _):
            for port in (stack.port, instant_port):
                ask_for(_WARM_UP_SECONDS, port)
            measured = []
            for run in range(runs):
                local, instant = ask_for(_SECONDS, stack.port), ask_for(_SECONDS, instant_port)
                measured.append((*local, *instant))
                say(f"run {run + 1}: {local[0]:.0f} requests a second, with instant S3 {instant[0]:.0f}")
    return Report("throughput", TITLE, tuple(_figures(measured)))


def _clients() -> ProcessPoolExecutor:
    """A process for each client; Ctrl-C is for whoever started them."""
    spawned = multiprocessing.get_context("spawn")
    ignoring = (signal.SIGINT, signal.SIG_IGN)
    return ProcessPoolExecutor(CLIENTS, mp_context=spawned, initializer=signal.signal, initargs=ignoring)


def _figures(measured: Sequence[tuple[float, ...]]) -> Iterator[Figure]:
    names = [f"{where}, {what}" for where in ("local AWS", "instant S3") for what in ("rate", "p50", "p99")]
    units = ["req/s", "ms", "ms"] * 2
    for name, unit, values in zip(names, units, columns(measured), strict=True):
        yield Figure(name, unit, values)


def _ask(port: int, token: str, path: str, begin: float, seconds: float) -> list[float]:
    """One client: how many milliseconds each request took, from ``begin`` (Unix time) for ``seconds``."""
    caller = Caller(port, token)
    time.sleep(max(0.0, begin - time.time()))
    times = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        caller.read(path)
        times.append((time.perf_counter() - begun) * 1000)
    return times
