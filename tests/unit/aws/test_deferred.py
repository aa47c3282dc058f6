"""What most processes never use is made at its first use, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from service.aws.deferred import Deferred


def test_nothing_is_made_before_it_is_used() -> None:
    """And then what was made is asked."""
    made: list[str] = []

    def make() -> str:
        made.append("made")
        return "text"

    deferred = Deferred(make)
    assert made == []
    assert deferred.upper() == "TEXT"
    assert deferred.title() == "Text"
    assert made == ["made"]


def test_threads_that_come_at_once_share_what_is_made() -> None:
    """A second client would have a second pool of connections."""
    made: list[object] = []
    start = Barrier(8)

    def make() -> object:
        made.append(object())
        return made[-1]

    deferred = Deferred(make)

    def use(_: int) -> None:
        start.wait()
        assert deferred.__getattr__("__class__") is object

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))
    assert len(made) == 1
