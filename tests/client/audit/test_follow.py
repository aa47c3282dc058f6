"""Following the audit: each event once, whenever it is delivered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas.audit import EventQuery
from smas.cli.audit_follow import FAR, Follower
from smas.cli.audit_listing import Listing
from smas.cli.context import Run
from smas.cli.main import Terminated
from smas.errors import Unavailable
from smas.transport import Dropped

from tests.client.audit.store import event
from tests.client.audit.test_table import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from smas.cli.audit_formats import Row
    from smas.store import Store

    from tests.client.audit.store import AuditStore

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
POLL = timedelta(seconds=5)


@dataclass
class Delivered:
    """A trail in which events are seen from the moment they are delivered; the clock is the test's."""

    now: datetime = START
    events: list[tuple[datetime, Row]] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    fails_after: int | None = None

    def happened(self, event_id: str, time: datetime, late: timedelta = timedelta()) -> None:
        """Something happened at ``time`` and is delivered that much later."""
        (row,) = rows(event(event_id=event_id, time=f"{time:%Y-%m-%dT%H:%M:%SZ}"))
        self.events.append((time + late, row))

    def rows(self, since: str | None) -> Iterator[Row]:
        """What ``Follower`` asks."""
        self.asked.append(since)
        there = [row for at, row in self.events if at <= self.now and row.event.time >= (since or "")]
        there.sort(key=lambda row: (row.event.time, row.event.event_id), reverse=True)
        for count, row in enumerate(there):
            if count == self.fails_after:
                message = "out of reach"
                raise Unavailable(message)
            yield row

    def follower(self, since: str | None = None) -> Follower:
        """A follower by the test's clock."""
        return Follower(self.rows, since, lambda: self.now)


def ids(found: list[Row]) -> list[str]:
    """Which events."""
    return [row.event.event_id for row in found]


def test_it_begins_with_the_newest_oldest_first() -> None:
    """As `tail` does; what is older was there before and is not news later."""
    trail = Delivered()
    for number in range(5):
        trail.happened(f"e{number}", START - timedelta(minutes=5 - number))
    follower = trail.follower()
    assert ids(follower.latest(2)) == ["e3", "e4"]
    trail.happened("e5", START + timedelta(seconds=1))
    trail.happened("e6", START + timedelta(seconds=2))
    trail.now += POLL
    assert ids(follower.newer()) == ["e5", "e6"]
    assert ids(follower.newer()) == []


def test_it_reads_no_further_back_than_it_must() -> None:
    """The first look ends where nothing more is shown or remembered."""
    trail = Delivered()
    for number in range(50):
        trail.happened(f"e{number:02}", START - FAR - timedelta(hours=50 - number))
    read = 0

    def counting(since: str | None) -> Iterator[Row]:
        nonlocal read
        for row in trail.rows(since):
            read += 1
            yield row

    assert ids(Follower(counting, None, lambda: trail.now).latest(3)) == ["e47", "e48", "e49"]
    assert read == 4


def test_it_looks_far_back_only_now_and_then() -> None:
    """A quarter of an hour each time, three hours once a minute, and never before --since."""
    trail = Delivered()
    follower = trail.follower("2026-11-24T10:30:00Z")
    follower.latest(1)
    for _ in range(24):
        trail.now += POLL
        follower.newer()
    assert trail.asked[0] == "2026-11-24T10:30:00Z"
    assert trail.asked[1] == "2026-11-24T11:45:05Z"
    assert trail.asked.count("2026-11-24T10:30:00Z") == 3
    trail.now += timedelta(hours=12)
    for _ in range(12):
        follower.newer()
    assert trail.asked[-1] == "2026-11-24T21:02:00Z"


def test_ids_are_forgotten_with_the_hours() -> None:
    """What it remembers does not grow with the days."""
    trail = Delivered()
    follower = trail.follower()
    follower.latest(1)
    for number in range(150):
        trail.happened(f"e{number:03}", trail.now)
        trail.now += timedelta(minutes=14)
        assert len(follower.newer()) == 1
    assert len(follower._seen) < 20


def test_what_a_failure_interrupted_comes_with_the_next_look() -> None:
    """Nothing is taken for shown that was not."""
    trail = Delivered()
    follower = trail.follower()
    follower.latest(1)
    for number in range(3):
        trail.happened(f"e{number}", START + timedelta(seconds=number))
    trail.now += POLL
    trail.fails_after = 2
    with pytest.raises(Unavailable):
        follower.newer()
    trail.fails_after = None
    assert ids(follower.newer()) == ["e0", "e1", "e2"]


@given(
    happened=st.lists(st.tuples(st.integers(-10_000, 300), st.integers(0, 9_000)), max_size=30),
    shown=st.integers(1, 5),
)
def test_every_event_is_shown_once_however_late(happened: list[tuple[int, int]], shown: int) -> None:
    """All that is delivered within the hours looked back, in any order, and nothing twice."""
    trail = Delivered()
    for number, (second, late) in enumerate(happened):
        trail.happened(f"e{number:02}", START + timedelta(seconds=second), timedelta(seconds=late))
    follower = trail.follower()
    there = {row.event.event_id for at, row in trail.events if at <= START}
    first = ids(follower.latest(shown))
    assert len(first) == min(shown, len(there))
    later = []
    end = START + timedelta(seconds=9_400)
    while trail.now < end:
        trail.now += timedelta(minutes=1)
        found = follower.newer()
        later += ids(found)
        assert found == sorted(found, key=lambda row: (row.event.time, row.event.event_id))
    assert len(later) == len(set(later))
    assert set(later) == {row.event.event_id for _, row in trail.events} - there


@dataclass
class Waiting:
    """The time between two looks: ``happens`` then; after as many times as there are, Ctrl-C."""

    happens: list[Callable[[], None]]
    waited: list[float] = field(default_factory=list)
    end: BaseException = field(default_factory=KeyboardInterrupt)

    def __call__(self, seconds: float) -> None:
        """Wait."""
        self.waited.append(seconds)
        if not self.happens:
            raise self.end
        self.happens.pop(0)()


def just_now(store: AuditStore, event_id: str) -> None:
    """Something happens."""
    store.events.append(event(event_id=event_id, time=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"))


def nothing() -> None:
    """Nothing happens."""


def test_following_goes_on_until_ctrl_c(
    store: AuditStore, sdk: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was there, what comes, each once; the shell's code for Ctrl-C, and no word about going on."""
    just_now(store, "first")
    waiting = Waiting([lambda: just_now(store, "second"), nothing, lambda: just_now(store, "third")])
    listing = Listing(_run(as_json=True), sdk, EventQuery(), None, as_csv=False, pause=waiting)
    with pytest.raises(click.exceptions.Exit) as ended:
        listing.follow(5)
    assert ended.value.exit_code == 130
    printed = capsys.readouterr()
    assert [line.split('"')[3] for line in printed.out.splitlines()] == ["first", "second", "third"]
    assert printed.err == "waiting for newer events\n"
    assert waiting.waited == [5.0] * 4


def test_headings_come_once_and_denied_reads_can_be_watched(
    store: AuditStore, sdk: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """The filters hold while following."""
    just_now(store, "first")
    waiting = Waiting([lambda: just_now(store, "second")])
    listing = Listing(_run(), sdk, EventQuery(outcome="success"), "reads", as_csv=True, pause=waiting)
    with pytest.raises(click.exceptions.Exit):
        listing.follow(5)
    assert [line.partition(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "event_id",
        "first",
        "second",
    ]
    assert {query["outcome"] for _, query in store.asked} == {"success"}
    assert {query["limit"] for _, query in store.asked} == {"1000"}


def test_a_store_out_of_reach_is_waited_for(
    store: AuditStore, sdk: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so and tries again; what happened meanwhile comes then."""

    def unplug() -> None:
        def dropped(_: dict[str, str]) -> None:
            message = "no whole answer"
            raise Dropped(message)

        just_now(store, "meanwhile")
        store.before = dropped

    def plug_in() -> None:
        store.before = lambda _: None

    waiting = Waiting([unplug, plug_in, nothing])
    listing = Listing(_run(as_json=True), sdk, EventQuery(), None, as_csv=False, pause=waiting)
    with pytest.raises(click.exceptions.Exit):
        listing.follow(5)
    printed = capsys.readouterr()
    assert printed.out.count("meanwhile") == 1
    assert "no whole answer: trying again" in printed.err
    assert waiting.waited == [5.0, 30.0, 5.0, 5.0]


def test_damaged_log_files_are_told_once(
    store: AuditStore, sdk: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, however often they are met."""
    store.unreadable = ["a-file"]
    just_now(store, "first")
    listing = Listing(
        _run(as_json=True), sdk, EventQuery(), None, as_csv=False, pause=Waiting([nothing, nothing])
    )
    with pytest.raises(click.exceptions.Exit):
        listing.follow(5)
    assert capsys.readouterr().err.count("1 log file can't be read: `smas audit integrity` says why") == 1


def test_being_ended_is_told_as_everywhere(store: AuditStore, sdk: Store) -> None:
    """SIGTERM is not Ctrl-C."""
    listing = Listing(_run(), sdk, EventQuery(), None, as_csv=False, pause=Waiting([], end=Terminated()))
    with pytest.raises(Terminated):
        listing.follow(5)
    assert len(store.asked) == 1


def _run(*, as_json: bool = False) -> Run:
    run = Run()
    run.output.as_json = as_json
    return run
