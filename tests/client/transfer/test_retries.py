"""Pauses between tries: bounded by the policy or the other side's word, and never slept through."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smas.retries import LONGEST_ASKED_SECONDS, Cancelled, RetryPolicy, Stop, retry_after_seconds

SECONDS = st.floats(0, 1000)


@given(first=SECONDS, longest=SECONDS, repetition=st.integers(1, 10_000))
@example(first=0.25, longest=20.0, repetition=1)
@example(first=0.25, longest=20.0, repetition=1_000_000)
def test_a_pause_is_bounded_by_the_policy(first: float, longest: float, repetition: int) -> None:
    """However often it fails, a pause is neither negative nor longer than the policy's longest."""
    pause = RetryPolicy(8, first, longest).pause_seconds(repetition)
    assert 0 <= pause <= min(longest, first * 2.0 ** min(repetition - 1, 64))


def test_pauses_are_random_over_the_whole_range() -> None:
    """Clients that failed together do not come back together."""
    policy = RetryPolicy(8, first_seconds=1.0, longest_seconds=8.0)
    pauses = [policy.pause_seconds(3) for _ in range(400)]
    assert min(pauses) < 1
    assert 3 < max(pauses) <= 4


@given(asked=st.integers(0, 10**400))
def test_retry_after_wins_up_to_a_minute(asked: int) -> None:
    """The store's own word counts instead of the policy, but nobody makes a client wait for an hour."""
    pause = RetryPolicy(first_seconds=0, longest_seconds=0).pause_seconds(1, {"Retry-After": f" {asked} "})
    assert pause == min(asked, LONGEST_ASKED_SECONDS) <= 60


@given(text=st.one_of(st.text(max_size=5), st.sampled_from(["-1", "1.5", "1e9", "nan", "\u0661", "²", ""])))
@example(text="Wed, 21 Oct 2026 07:28:00 GMT")
def test_a_retry_after_that_is_no_number_is_no_retry_after(text: str) -> None:
    """Anything but digits leaves the pause to the policy."""
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit()):
        assert retry_after_seconds({"Retry-After": text}) is None
        headers = {"Retry-After": text}
        assert 0 <= RetryPolicy(first_seconds=1, longest_seconds=1).pause_seconds(1, headers) <= 1


def test_a_pause_ends_at_once_when_somebody_asks_to_stop() -> None:
    """Nobody waits for the end of a pause after Ctrl-C."""
    stop, ended = Stop(), threading.Event()

    def pause() -> None:
        with pytest.raises(Cancelled):
            stop.pause(3600)
        ended.set()

    thread = threading.Thread(target=pause)
    thread.start()
    stop.set()
    thread.join(30)
    assert ended.is_set()


def test_without_a_request_to_stop_a_pause_is_slept() -> None:
    """A pause lasts as long as it should, and ``check`` lets everything through."""
    stop, begun = Stop(), time.monotonic()
    stop.check()
    stop.pause(0.05)
    assert time.monotonic() - begun >= 0.05


def test_after_a_request_to_stop_every_check_ends() -> None:
    """It stays asked for: every later check and pause ends the thread too."""
    stop = Stop()
    stop.set()
    for _ in range(2):
        with pytest.raises(Cancelled):
            stop.check()
        with pytest.raises(Cancelled):
            stop.pause(0)
