"""A crew of threads: every task is done once, and the first error ends all of them and is the one told."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smas.retries import Cancelled, Stop
from smas.transfer.crew import Crew

SOON = 30.0


class Broken(Exception):
    """What a task failed with."""


def fail(name: str) -> None:
    """A task that fails."""
    raise Broken(name)


@settings(max_examples=50)
@given(size=st.integers(1, 8), tasks=st.integers(0, 60), below=st.integers(0, 3))
def test_every_task_is_done_once(size: int, tasks: int, below: int) -> None:
    """Leaving the crew means that all is done, also what tasks themselves submitted."""
    stop, done, lock = Stop(), [], threading.Lock()

    def work(crew: Crew, name: tuple[int, int]) -> None:
        if name[1] < below:
            crew.submit(lambda: work(crew, (name[0], name[1] + 1)), first=name[0] % 2 == 0)
        with lock:
            done.append(name)

    with Crew(size, stop) as crew:
        for number in range(tasks):
            crew.submit(lambda number=number: work(crew, (number, 0)))  # type: ignore[misc]
    assert sorted(done) == [(number, depth) for number in range(tasks) for depth in range(below + 1)]
    stop.check()


def test_no_more_threads_than_its_size_work_at_once() -> None:
    """``size`` tasks run side by side, and never one more."""
    size, lock, at_work, most = 3, threading.Lock(), 0, 0
    full = threading.Barrier(size)

    def work() -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        full.wait(SOON)  # nobody gets past it unless three are here together
        with lock:
            at_work -= 1

    with Crew(size, Stop()) as crew:
        for _ in range(4 * size):
            crew.submit(work)
    assert most == size


def test_what_is_first_goes_before_what_waits() -> None:
    """A file that has begun is finished before others begin."""
    order, gate, waiting = [], threading.Event(), threading.Event()

    def hold() -> None:
        waiting.set()
        gate.wait(SOON)

    with Crew(1, Stop()) as crew:
        crew.submit(hold)
        waiting.wait(SOON)
        crew.submit(lambda: order.append("later"))
        crew.submit(lambda: order.append("first"), first=True)
        gate.set()
    assert order == ["first", "later"]


def test_waiting_ends_as_soon_as_few_enough_are_left() -> None:
    """``wait(at_most)`` lets whoever hands out work go on while some of it is still being done."""
    gate, done = threading.Event(), []

    def hold() -> None:
        gate.wait(SOON)
        done.append("held")

    with Crew(2, Stop()) as crew:
        crew.submit(hold)
        for _ in range(5):
            crew.submit(lambda: done.append("quick"))
        crew.wait(at_most=1)
        assert done == ["quick"] * 5
        gate.set()
        crew.wait()
        assert done[-1] == "held"


def test_the_first_error_is_raised_and_stops_everybody() -> None:
    """Those who are still at work are asked to stop, those who wait are not begun, and the error is told."""
    stop, begun, skipped = Stop(), threading.Event(), []

    def patient() -> None:
        begun.set()
        stop.pause(SOON)
        skipped.append("slept through it")

    def hand_out() -> None:
        with Crew(2, stop) as crew:
            crew.submit(patient)
            begun.wait(SOON)
            crew.submit(lambda: fail("the first"))
            crew.submit(lambda: skipped.append("begun after the error"))
            crew.submit(lambda: fail("a later one"))

    with pytest.raises(Broken, match="the first"):
        hand_out()
    assert skipped == []
    with pytest.raises(Cancelled):
        stop.check()


@pytest.mark.parametrize("call", ["wait", "check"])
def test_an_error_is_raised_to_whoever_looks(call: str) -> None:
    """The error comes up while work is still being handed out, not only at the end."""
    crew = Crew(1, Stop())
    crew.submit(lambda: fail("early"))
    with pytest.raises(Broken, match="early"):
        crew.wait()
    with pytest.raises(Broken, match="early"):
        getattr(crew, call)()
    with pytest.raises(Broken, match="early"), crew:
        pass


def test_a_task_that_was_stopped_never_hides_what_stopped_it() -> None:
    """Whichever thread is heard first, the real error is told and not that others were asked to stop."""
    stop, failed = Stop(), threading.Event()

    def cancelled_first() -> None:
        try:
            raise Cancelled
        finally:
            failed.set()

    def fails_later() -> None:
        failed.wait(SOON)
        fail("the real one")

    both = threading.Barrier(2)

    def together(task: object) -> None:
        both.wait(SOON)
        assert callable(task)
        task()

    crew = Crew(2, stop)
    with crew._changed:  # both begin before either is heard
        crew.submit(lambda: together(cancelled_first))
        crew.submit(lambda: together(fails_later))
    with pytest.raises((Broken, Cancelled)), crew:
        pass
    with pytest.raises(Broken, match="the real one"):
        crew.check()


def test_a_caller_who_was_stopped_by_a_failed_task_hears_of_the_failure() -> None:
    """The thread that hands out work is stopped as all others are; what it raises is the task's error."""
    stop = Stop()

    def hand_out() -> None:
        with Crew(1, stop) as crew:
            crew.submit(lambda: fail("the real one"))
            stop.pause(SOON)

    with pytest.raises(Broken, match="the real one"):
        hand_out()


def test_an_error_of_another_crew_is_the_one_told() -> None:
    """Two crews share one request to stop: the one whose task failed says why, the other is silent."""
    stop = Stop()

    def hand_out() -> None:
        with Crew(1, stop) as sending, Crew(1, stop) as hashing:
            hashing.submit(lambda: stop.pause(SOON))
            sending.submit(lambda: fail("sending"))

    with pytest.raises(Broken, match="sending"):
        hand_out()


def test_the_callers_own_error_stays_and_stops_everybody() -> None:
    """An error of the thread that hands out work is raised as it is, and nobody works on."""
    stop, begun, ended = Stop(), threading.Event(), threading.Event()

    def patient() -> None:
        begun.set()
        try:
            stop.pause(SOON)
        finally:
            ended.set()

    def hand_out() -> None:
        with Crew(1, stop) as crew:
            crew.submit(patient)
            begun.wait(SOON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hand_out()
    assert ended.is_set()


def test_a_request_to_stop_without_an_error_is_cancelled() -> None:
    """Where nothing failed, being stopped is all there is to tell."""
    stop = Stop()

    def hand_out() -> None:
        with Crew(1, stop) as crew:
            crew.submit(lambda: stop.pause(SOON))
            stop.set()

    with pytest.raises(Cancelled):
        hand_out()
