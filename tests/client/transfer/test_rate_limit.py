"""The bandwidth limit: kept over all threads together, in blocks small enough to keep connections alive."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas.retries import Cancelled, Stop
from smas.transfer.options import TransferOptions
from smas.transfer.rate_limit import BLOCK_BYTES, RateLimit


@pytest.mark.parametrize("threads", [1, 4])
def test_the_limit_holds_over_all_threads(threads: int) -> None:
    """What passes takes at least as long as the rate says, however many threads share it."""
    limit, each = RateLimit(100_000, Stop()), 40_000 // threads // 1000
    begun = time.monotonic()

    def work() -> None:
        for _ in range(each):
            limit.take(1000)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # The first block passes at once: 39,000 bytes at 100,000 a second.
    assert time.monotonic() - begun >= 0.39


def test_time_nobody_used_is_not_saved_up() -> None:
    """After a pause the rate is the same: no burst makes up for it."""
    limit = RateLimit(100_000, Stop())
    limit.take(1000)
    time.sleep(0.1)
    begun = time.monotonic()
    for _ in range(21):
        limit.take(1000)
    assert time.monotonic() - begun >= 0.2


@given(rate=st.integers(1, 10**12))
def test_blocks_pass_several_times_a_second(rate: int) -> None:
    """At any rate that moves more than a few KiB a second, no block takes longer than an eighth of one."""
    block = RateLimit(rate, Stop()).block_bytes
    assert 4096 <= block <= BLOCK_BYTES
    assert block == 4096 or block / rate <= 1 / 8


def test_without_a_limit_nothing_waits() -> None:
    """A terabyte passes at once, in the blocks that suit memory best."""
    limit = RateLimit(None, Stop())
    assert limit.block_bytes == BLOCK_BYTES
    limit.take(10**12)


def test_nobody_waits_for_bandwidth_after_a_request_to_stop() -> None:
    """Whoever waits for a turn a year away ends at once, and so does who comes later, limited or not."""
    stop, ended = Stop(), threading.Event()
    limit = RateLimit(1, stop)
    limit.take(31_000_000)

    def wait() -> None:
        with pytest.raises(Cancelled):
            limit.take(1)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    stop.set()
    thread.join(30)
    assert ended.is_set()
    for one in (limit, RateLimit(None, stop)):
        with pytest.raises(Cancelled):
            one.take(1)


@pytest.mark.parametrize(("connections", "rate"), [(0, None), (65, None), (1, 0), (1, -1)])
def test_impossible_limits_are_refused(connections: int, rate: int | None) -> None:
    """A transfer without connections or bytes would never end."""
    with pytest.raises(ValueError, match="must be"):
        TransferOptions(connections, rate)


@pytest.mark.parametrize(("connections", "rate"), [(1, 1), (64, None)])
def test_the_ends_of_the_limits_are_inside(connections: int, rate: int | None) -> None:
    """One to 64 connections, and any rate from a byte a second on."""
    options = TransferOptions(connections, rate)
    assert (options.connections, options.bytes_per_second) == (connections, rate)
