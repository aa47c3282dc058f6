"""The pages of a trail are one list: whatever the files, the filters, the limits and the time there is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from service.audit.filtering import Wanted, evident, holds
from service.audit.log_file_trail import LogFileTrail
from service.audit.log_files import LATEST_DELIVERY
from service.domain.audit import EventFilter, Outcome
from service.domain.names import ModelId
from service.errors import ValidationFailed
from tests.fakes.audit import STORE, FakeTrailFiles
from tests.fakes.trail_records import s3_record, session_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.domain.audit import AuditEvent

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEEK = EventFilter(NOON - timedelta(days=6), NOON + timedelta(days=1))
MODELS = ("fraud/risk", "fraud/risk-2", "nlp/risk")


@dataclass
class Clock:
    """Counts a second each time somebody looks."""

    seconds: float = 0

    def __call__(self) -> float:
        """The time."""
        self.seconds += 1
        return self.seconds


class Happened(msgspec.Struct, frozen=True):
    """An event, and when the files that hold it were delivered."""

    number: int
    time: datetime
    model: str
    person: str
    refused: bool
    delays: tuple[timedelta, ...]

    @property
    def record(self) -> dict[str, Any]:
        """As CloudTrail records it."""
        key = f"blobs/{self.model}/{'0f' * 32}"
        changed: dict[str, Any] = {"errorCode": "AccessDenied"} if self.refused else {}
        identity = session_identity(name=self.person, subject=f"sub-{self.person}")
        return s3_record(self.time, f"event-{self.number:04}", key, userIdentity=identity, **changed)


def deliver(files: FakeTrailFiles, happened: list[Happened]) -> None:
    """Put each event into the files of its delays, a file for each minute."""
    minutes: dict[datetime, list[dict[str, Any]]] = {}
    for event in happened:
        for delay in event.delays:
            minutes.setdefault((event.time + delay).replace(second=0), []).append(event.record)
    for minute, records in minutes.items():
        files.log(minute, records)


def pages(
    trail: LogFileTrail,
    wanted: EventFilter,
    limits: list[int],
    between: Callable[[], None] = lambda: None,
    *,
    taken: Callable[[int], int] = lambda length: length,
) -> list[AuditEvent]:
    """The items of all pages; of each page only the first ``taken`` of them are taken."""
    found: list[AuditEvent] = []
    after: str | None = None
    for limit in itertools.islice(itertools.cycle(limits), 2_000):
        page = trail.events(wanted, after=after, limit=limit)
        assert len(page.items) <= limit
        count = taken(len(page.items))
        found += page.items[:count]
        after = page.next if count == len(page.items) else page.resume(count)
        if after is None:
            return found
        between()
    pytest.fail("the pages never end")


def expected(happened: list[Happened], wanted: EventFilter) -> list[str]:
    """The ids of the wanted events in order, each once."""
    files = FakeTrailFiles()
    deliver(files, happened)
    whole = [
        event.number
        for event in happened
        if wanted.start <= event.time < wanted.end
        and (wanted.model is None or str(wanted.model) == event.model)
        and (wanted.actor is None or wanted.actor in {event.person, f"sub-{event.person}"})
        and (wanted.outcome is None or (wanted.outcome is Outcome.DENIED) == event.refused)
        and any(
            (event.time + delay).replace(second=0) < wanted.end + LATEST_DELIVERY for delay in event.delays
        )
    ]
    order = {event.number: (event.time, event.number) for event in happened}
    return [f"event-{number:04}" for number in sorted(whole, key=order.__getitem__, reverse=True)]


def ids(events: list[AuditEvent]) -> list[str]:
    """Their ids."""
    return [event.event_id for event in events]


SECONDS = st.one_of(st.integers(0, 90), st.integers(0, 3 * 86_400))
DELAYS = st.one_of(st.integers(0, 120), st.integers(0, 1_200), st.integers(0, 22 * 3_600))


@st.composite
def histories(draw: st.DrawFn) -> list[Happened]:
    """Events of some days, delivered late, twice and out of order."""
    drawn = draw(
        st.lists(
            st.tuples(
                SECONDS,
                st.sampled_from(MODELS),
                st.sampled_from(["anna", "ben"]),
                st.booleans(),
                st.lists(DELAYS, min_size=1, max_size=3),
            ),
            max_size=40,
        )
    )
    return [
        Happened(
            number,
            NOON - timedelta(seconds=seconds),
            model,
            person,
            refused,
            tuple(timedelta(seconds=delay) for delay in delays),
        )
        for number, (seconds, model, person, refused, delays) in enumerate(drawn)
    ]


@st.composite
def questions(draw: st.DrawFn) -> EventFilter:
    """Filters, some of them over a part of the time only."""
    start = draw(
        st.one_of(st.just(WEEK.start), st.integers(1, 3 * 86_400).map(lambda s: NOON - timedelta(seconds=s)))
    )
    end = start + draw(
        st.one_of(st.just(timedelta(days=8)), st.integers(1, 86_400).map(lambda s: timedelta(seconds=s)))
    )
    return EventFilter(
        start,
        end,
        model=draw(st.sampled_from([None, ModelId("fraud", "risk")])),
        actor=draw(st.sampled_from([None, "anna", "sub-ben"])),
        outcome=draw(st.sampled_from([None, Outcome.DENIED, Outcome.SUCCESS])),
    )


LIMITS = st.lists(st.integers(1, 12), min_size=1, max_size=4)


@given(histories(), questions(), LIMITS)
def test_the_pages_are_the_sorted_filtered_list(
    happened: list[Happened], wanted: EventFilter, limits: list[int]
) -> None:
    """Nothing is lost, told twice or out of order, however late and often it was delivered."""
    files = FakeTrailFiles()
    deliver(files, happened)
    assert ids(pages(LogFileTrail(files, STORE), wanted, limits)) == expected(happened, wanted)


@given(histories(), questions(), LIMITS, st.integers(0, 12))
def test_time_that_is_up_loses_nothing(
    happened: list[Happened], wanted: EventFilter, limits: list[int], seconds: int
) -> None:
    """Pages that were cut short continue exactly where they stopped, and come to an end."""
    files = FakeTrailFiles()
    deliver(files, happened)
    trail = LogFileTrail(files, STORE, Clock(), page_seconds=seconds)
    assert ids(pages(trail, wanted, limits)) == expected(happened, wanted)


@given(histories(), questions(), LIMITS, st.integers(0, 12), st.randoms(use_true_random=False))
def test_part_of_a_page_continues_as_well_as_a_whole_one(
    happened: list[Happened], wanted: EventFilter, limits: list[int], seconds: int, random: Any
) -> None:
    """Who takes only some of a page's items loses none of the others."""
    files = FakeTrailFiles()
    deliver(files, happened)
    trail = LogFileTrail(files, STORE, Clock(), page_seconds=seconds)

    def taken(length: int) -> int:
        return random.randint(1, length) if length else 0

    assert ids(pages(trail, wanted, limits, taken=taken)) == expected(happened, wanted)


@given(histories(), histories(), LIMITS, st.integers(1, 12))
def test_files_that_arrive_meanwhile_move_nothing(
    happened: list[Happened], later: list[Happened], limits: list[int], seconds: int
) -> None:
    """All that was there is told once and in order, and of what arrives only what is still to come."""
    files = FakeTrailFiles()
    deliver(files, happened)
    arriving = iter([replace(event, number=event.number + 1_000) for event in later])

    def arrive() -> None:
        deliver(files, [event for event in (next(arriving, None),) if event])

    trail = LogFileTrail(files, STORE, Clock(), page_seconds=seconds)
    found = pages(trail, WEEK, limits, arrive)
    places = [(event.time, event.event_id) for event in found]
    assert places == sorted(set(places), reverse=True)
    known = set(expected(happened, WEEK))
    assert [event.event_id for event in found if event.event_id in known] == expected(happened, WEEK)


@given(histories(), questions())
def test_the_prefilter_hides_no_event(happened: list[Happened], wanted: EventFilter) -> None:
    """A file without the model's name holds none of its events, however its JSON is written."""
    import json  # noqa: PLC0415 - only here

    for event in happened:
        plain = json.dumps({"Records": [event.record]})
        escaped = plain.replace("/", "\\/")
        coded = plain.replace("fraud", "\\u0066raud")
        if wanted.model is not None and str(wanted.model) == event.model:
            words = Wanted(replace(wanted, actor=event.person, action="s3:GetObject")).words()
            assert len(words) == 3
            assert evident(plain.encode())
            assert holds(plain.encode(), words)
            assert not evident(escaped.encode())
            assert not evident(coded.encode())


def many(files: FakeTrailFiles, count: int, each: int, *, step: timedelta = timedelta(minutes=5)) -> None:
    """``count`` files, one every ``step`` back from noon, of ``each`` events of the minutes before."""
    for number in range(count):
        minute = NOON - number * step
        files.log(
            minute,
            [
                s3_record(
                    minute - timedelta(seconds=60 + second),
                    f"{number:05}-{second:03}",
                    "cards/fraud/risk.json",
                )
                for second in range(each)
            ],
        )


def test_a_page_reads_only_the_files_it_needs() -> None:
    """The newest events are in the newest files; a month of others is not touched."""
    files = FakeTrailFiles()
    many(files, 200, each=10)
    LogFileTrail(files, STORE).events(WEEK, after=None, limit=20)
    assert len(files.reads) <= 4


def test_files_left_for_the_next_page_are_left_for_the_one_after_it() -> None:
    """A page that does not come to them either hands them on."""
    files = FakeTrailFiles()
    for number in range(4):
        minute = NOON - timedelta(minutes=10 * number)
        times = [minute - timedelta(seconds=60 + second) for second in range(3)]
        files.log(minute, [s3_record(time, f"{time:%H%M%S}", "cards/fraud/risk.json") for time in times])
    trail = LogFileTrail(files, STORE)
    first = trail.events(WEEK, after=None, limit=100)
    found = [first.items[0].event_id]
    after = first.resume(1)
    while after is not None:
        page = trail.events(WEEK, after=after, limit=1)
        found, after = [*found, *ids(list(page.items))], page.next
    assert found == ids(list(first.items))


def test_a_long_list_reads_each_file_about_once() -> None:
    """Deep pages do not begin at the newest file again, even if one event came a day late."""
    files = FakeTrailFiles()
    many(files, 200, each=10)
    files.log(
        NOON, [s3_record(NOON - timedelta(hours=16, seconds=5), "late", "cards/fraud/risk.json")], "late"
    )
    found = pages(LogFileTrail(files, STORE), WEEK, [10])
    assert len(found) == 2_001
    assert len(files.reads) < 6 * 201


def test_a_range_long_ago_lists_only_its_days() -> None:
    """The days of the range and the one after it are listed, not the years since."""
    files = FakeTrailFiles()
    many(files, 300, each=1, step=timedelta(days=1))
    old = EventFilter(NOON - timedelta(days=250), NOON - timedelta(days=249))
    trail = LogFileTrail(files, STORE)
    assert len(pages(trail, old, [100])) == 1
    assert len(files.reads) <= 3
    assert len(files.lists) < 10


def test_a_range_of_all_times_ends() -> None:
    """Thousands of years without a file are passed over in a few looks."""
    files = FakeTrailFiles()
    many(files, 2, each=1, step=timedelta(days=400))
    always = EventFilter(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC, microsecond=0))
    assert len(pages(LogFileTrail(files, STORE), always, [100])) == 2
    assert len(files.lists) < 400


def test_an_unreadable_file_is_named_and_hides_nothing_else() -> None:
    """What is no log file, cut off, or gone is said; the others are answered."""
    files = FakeTrailFiles()
    many(files, 2, each=1)
    broken = [
        files.put(NOON, b"no gzip", "broken"),
        files.put(NOON, next(iter(files.bodies.values()))[:-9], "cutoff"),
    ]
    page = LogFileTrail(files, STORE).events(WEEK, after=None, limit=10)
    assert len(page.items) == 2
    assert sorted(page.unreadable) == sorted(broken)


@pytest.mark.parametrize("cursor", ["", "x", "!!", "W10", "bnVsbA", "W251bGxd", "é", "a" * 5_000])
def test_a_cursor_nobody_gave_out_is_refused(cursor: str) -> None:
    """Whatever is no cursor is a fault at `cursor`."""
    with pytest.raises(ValidationFailed) as raised:
        LogFileTrail(FakeTrailFiles(), STORE).events(WEEK, after=cursor, limit=1)
    assert raised.value.errors[0].location == "cursor"


def test_a_cursor_does_not_continue_another_question() -> None:
    """What was skipped for one filter may be wanted by another."""
    files = FakeTrailFiles()
    many(files, 2, each=5)
    trail = LogFileTrail(files, STORE)
    after = trail.events(WEEK, after=None, limit=3).next
    with pytest.raises(ValidationFailed):
        trail.events(replace(WEEK, actor="ben"), after=after, limit=3)
