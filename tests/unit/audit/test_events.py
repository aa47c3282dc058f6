"""One list out of the trail and the service's log: no row lost or told twice, whatever the pages."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from service.audit.events import Events, Question, events
from service.audit.log_file_trail import LogFileTrail
from service.audit.publications import Publication, Publications
from service.domain.access import Grant, Principal, Role
from service.domain.audit import AuditEvent, Outcome, Source
from service.domain.files import StoredFile
from service.domain.names import ModelId
from service.domain.versions import Manifest
from service.errors import ValidationFailed
from service.registry import keys
from service.registry.records import encode
from tests.fakes.audit import STORE, FakeAuditWorkspaces
from tests.fakes.in_memory import FakeObjectStore, InMemoryBucket
from tests.fakes.trail_records import s3_record
from tests.unit.audit.test_log_file_trail import Clock

if TYPE_CHECKING:
    from service.audit.ports import AuditWorkspace

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MODEL = ModelId("fraud", "risk")
GRANT = Grant(Role.AUDITOR, None)
AUDITOR = Principal("sub-of-auditor", "auditor", "people", "jti", NOON, (GRANT,))
A, B = "aa" * 32, "bb" * 32


def refusal(time: datetime, event_id: str, **changed: Any) -> AuditEvent:
    """A call that the service refused."""
    event = AuditEvent(
        event_id=event_id,
        time=time,
        actor="ds-nlp",
        subject="sub-of-ds-nlp",
        role=None,
        action="smas:read_version",
        key=None,
        model="fraud/risk",
        version=None,
        path=None,
        sha256=None,
        bytes=None,
        outcome=Outcome.DENIED,
        error_code="not_found",
        source_ip="192.0.2.9",
        user_agent="smas",
        auth_method="bearer",
        request_id=f"request-{event_id}",
        source=Source.SERVICE,
    )
    return replace(event, **changed)


class Audit:
    """An audit over fakes, with what happened in it."""

    def __init__(self, seconds: float = 1e9) -> None:
        self.bucket = InMemoryBucket()
        self.workspaces = FakeAuditWorkspaces(self.bucket)
        self._clock, self._seconds = Clock(), seconds
        self._clock_of_joins = Clock()

    def workspace(self) -> AuditWorkspace:
        """Opened by the auditor."""
        opened = self.workspaces.open(AUDITOR, GRANT)
        trail = LogFileTrail(self.workspaces.files, STORE, self._clock, self._seconds)
        return replace(opened, trail=trail)

    def page(
        self, question: Question, cursor: str | None = None, limit: int = 100, now: datetime = NOON
    ) -> Events:
        """One page."""
        return events(
            self.workspace(), question, cursor=cursor, limit=limit, now=now, clock=self._clock_of_joins
        )

    def all(self, question: Question, limit: int = 100) -> list[AuditEvent]:
        """The items of all pages, while the clock goes on."""
        found: list[AuditEvent] = []
        cursor: str | None = None
        for number in range(3_000):
            page = self.page(question, cursor, limit, NOON + timedelta(minutes=number))
            assert len(page.items) <= limit
            found += [seen.event for seen in page.items]
            cursor = page.next
            if cursor is None:
                return found
        pytest.fail("the pages never end")

    def publish(self, version: int, *files: tuple[str, str]) -> None:
        """A version of the model with files of (path, digest)."""
        stored = tuple(StoredFile(path, digest, 1, "v") for path, digest in files)
        manifest = Manifest(str(MODEL), version, "2026-11-24T11:00:00Z", "ds", "sub", "", {}, stored, "r")
        FakeObjectStore(self.bucket).create(keys.manifest(MODEL, version), encode(manifest))

    def record(self, *records: dict[str, Any], delivered: datetime = NOON) -> None:
        """Deliver a log file."""
        self.workspaces.files.log(delivered, list(records))


SECONDS = st.lists(st.integers(0, 4_000), max_size=25)


@given(SECONDS, SECONDS, st.integers(1, 9), st.integers(0, 9), st.none() | st.integers(100, 5_000))
def test_the_pages_are_both_lists_in_one_order(
    recorded: list[int], refused: list[int], limit: int, seconds: int, patience: int | None
) -> None:
    """However they alternate, wherever a page ends, and whenever the time for reading either is up."""
    audit = Audit(seconds)
    if patience is not None:
        audit.workspaces.log.patience = timedelta(seconds=patience)
    times = [(NOON - timedelta(seconds=each), f"e{number}") for number, each in enumerate(recorded)]
    for minute, group in itertools.groupby(sorted(times), lambda place: place[0].replace(second=0)):
        records = [s3_record(time, event_id, keys.card(MODEL)) for time, event_id in group]
        audit.record(*records, delivered=minute + timedelta(minutes=3))
    refusals = [(NOON - timedelta(seconds=each), f"r{number}") for number, each in enumerate(refused)]
    audit.workspaces.log.refused = [refusal(*place) for place in refusals]
    question = Question(NOON - timedelta(hours=2), NOON + timedelta(minutes=1))
    found = [(event.time, event.event_id) for event in audit.all(question, limit)]
    assert found == sorted(times + refusals, reverse=True)


def test_a_page_is_cut_where_the_log_of_refusals_was_not_read() -> None:
    """What AWS recorded before that waits for the refusals; the next pages go on below, even if empty."""
    audit = Audit()
    audit.workspaces.log.patience = timedelta(minutes=10)
    minutes = [timedelta(minutes=number) for number in (1, 5, 15, 55)]
    audit.record(*(s3_record(NOON - each, f"e{each.seconds // 60}") for each in minutes))
    audit.workspaces.log.refused = [refusal(NOON - timedelta(minutes=16), "r16")]
    question = Question(start=NOON - timedelta(hours=1), end=NOON)
    told, cursor = list[list[str]](), None
    while True:
        page = audit.page(question, cursor)
        told.append([seen.event.event_id for seen in page.items])
        cursor = page.next
        if cursor is None:
            break
    assert told == [["e1", "e5"], ["e15", "r16"], [], [], [], ["e55"]]


def test_the_last_24_hours_by_default() -> None:
    """Up to and with this very second; a cursor keeps that range while the clock goes on."""
    audit = Audit()
    inside = [NOON, NOON - timedelta(hours=23, minutes=59, seconds=59)]
    outside = [NOON + timedelta(seconds=1), NOON - timedelta(hours=24)]
    audit.record(*(s3_record(time, f"{time:%H%M%S}") for time in inside + outside))
    first = audit.page(Question(), limit=1)
    assert [seen.event.time for seen in first.items] == [NOON]
    second = audit.page(Question(), first.next, now=NOON + timedelta(hours=5))
    assert [seen.event.time for seen in second.items] == [inside[1]]
    assert audit.page(Question(end=NOON)).items[0].event.time == inside[1]


@pytest.mark.parametrize(
    ("question", "place"),
    [
        (Question(start=NOON, end=NOON), "from"),
        (Question(start=NOON + timedelta(hours=1)), "from"),
        (Question(version=1), "version"),
        (Question(end=datetime.min.replace(tzinfo=UTC)), "from"),
    ],
)
def test_questions_without_an_answer(question: Question, place: str) -> None:
    """They are refused, not answered with nothing."""
    with pytest.raises(ValidationFailed) as raised:
        Audit().page(question)
    assert raised.value.errors[0].location == place


def test_a_cursor_goes_with_its_question() -> None:
    """Another filter or range with it is a fault at `cursor`; the same range said out loud is not."""
    audit = Audit()
    audit.record(*(s3_record(NOON - timedelta(seconds=number), str(number)) for number in range(9)))
    first = audit.page(Question(), limit=2)
    start, end = NOON + timedelta(seconds=1, hours=-24), NOON + timedelta(seconds=1)
    assert audit.page(Question(start=start, end=end), first.next).items
    for other in (Question(actor="x"), Question(start=NOON - timedelta(hours=1)), Question(end=NOON)):
        with pytest.raises(ValidationFailed) as raised:
            audit.page(other, first.next)
        assert raised.value.errors[0].location == "cursor"


@pytest.mark.parametrize("cursor", ["x", "!!", "W10", "bnVsbA", "a" * 9_000, "ü"])
def test_no_cursor_of_this_list(cursor: str) -> None:
    """Anything that was not given out is a fault at `cursor`."""
    with pytest.raises(ValidationFailed) as raised:
        Audit().page(Question(), cursor)
    assert raised.value.errors[0].location == "cursor"


def test_bytes_are_told_where_they_are_published() -> None:
    """Every version and path of the model that holds them; other models' and other bytes' are not told."""
    audit = Audit()
    audit.publish(1, ("a.bin", A), ("b.bin", B))
    audit.publish(2, ("c.bin", A))
    audit.record(
        s3_record(NOON, "3", keys.blob(MODEL, A)),
        s3_record(NOON, "2", keys.blob(ModelId("nlp", "risk"), A)),
        s3_record(NOON, "1", keys.manifest(MODEL, 1)),
    )
    told = {seen.event.event_id: seen.published_as for seen in audit.page(Question()).items}
    assert told == {"3": (Publication(1, "a.bin"), Publication(2, "c.bin")), "2": (), "1": ()}


def test_manifests_that_lie_are_left_out() -> None:
    """One that is no JSON, and one that stands under another version's key."""
    audit = Audit()
    audit.publish(1, ("a.bin", A))
    store = FakeObjectStore(audit.bucket)
    store.create(keys.manifest(MODEL, 2), b"no JSON")
    store.create(keys.manifest(MODEL, 3), store.get(keys.manifest(MODEL, 1)).body)
    audit.record(s3_record(NOON, "1", keys.blob(MODEL, A)))
    assert audit.page(Question()).items[0].published_as == (Publication(1, "a.bin"),)


def test_a_version_is_found_by_name_and_by_bytes() -> None:
    """Calls that name it, and calls on its bytes that name none; not those that name another one."""
    audit = Audit()
    audit.publish(1, ("a.bin", A))
    audit.publish(2, ("a.bin", A), ("b.bin", B))

    def read(event_id: str, digest: str, version: int | None) -> dict[str, Any]:
        said = f'attachment; filename="a"; smas="{MODEL}/{version}/a.bin"'
        parameters = {"response-content-disposition": said} if version else None
        return s3_record(NOON, event_id, keys.blob(MODEL, digest), parameters=parameters)

    audit.record(
        read("A-1", A, 1),
        read("A-2", A, 2),
        read("A", A, None),
        read("B", B, None),
        s3_record(NOON, "manifest-1", keys.manifest(MODEL, 1)),
        s3_record(NOON, "card", keys.card(MODEL)),
    )
    audit.workspaces.log.refused = [refusal(NOON, "r1", version=1), refusal(NOON, "r2", version=2)]
    first, second = (
        {event.event_id for event in audit.all(Question(model=MODEL, version=version), 2)}
        for version in (1, 2)
    )
    assert first == {"A-1", "A", "manifest-1", "r1"}
    assert second == {"A-2", "A", "B", "r2"}
    assert audit.all(Question(model=MODEL, version=9)) == []


def test_filters_hold_for_both_lists() -> None:
    """Actor (by either name), action (with any ending), outcome and model."""
    audit = Audit()
    audit.record(
        s3_record(NOON, "read", keys.card(MODEL)),
        s3_record(NOON, "list", name="ListObjects", parameters={"prefix": "cards/"}),
        s3_record(NOON, "refused", keys.card(MODEL), errorCode="AccessDenied"),
    )
    audit.workspaces.log.refused = [refusal(NOON, "service")]

    def found(**asked: Any) -> set[str]:
        return {event.event_id for event in audit.all(Question(**asked))}

    assert found() == {"read", "list", "refused", "service"}
    assert found(outcome=Outcome.DENIED) == {"refused", "service"}
    assert found(outcome=Outcome.SUCCESS) == {"read", "list"}
    assert found(actor="ds-fraud") == found(actor="sub-of-ds-fraud") == {"read", "list", "refused"}
    assert found(actor="sub-of-ds-nlp") == {"service"}
    assert found(action="s3:GetObject") == {"read", "refused"}
    assert found(action="s3:*") == {"read", "list", "refused"}
    assert found(action="smas:*") == {"service"}
    assert found(action="S3:GetObject") == set()
    assert found(action="*") == {"read", "list", "refused", "service"}
    assert found(model=MODEL) == {"read", "refused", "service"}
    assert found(model=MODEL, actor="ds-fraud", outcome=Outcome.DENIED) == {"refused"}


def test_places_that_take_long_to_find_are_left_to_the_next_page() -> None:
    """A page over many models is cut between two of them, and nothing is lost by that."""
    audit = Audit()
    models = [ModelId("fraud", f"model-{number}") for number in range(40)]
    times = [NOON - timedelta(seconds=number) for number in range(80)]
    audit.record(*(s3_record(time, f"{time:%M%S}", keys.blob(models[time.second % 40], A)) for time in times))
    first = audit.page(Question())
    assert 0 < len(first.items) < 40
    assert [event.time for event in audit.all(Question())] == times


def test_refusals_alone_do_not_touch_the_trail() -> None:
    """No log file can hold them."""
    audit = Audit()
    audit.record(s3_record(NOON, "1"))
    audit.workspaces.log.refused = [refusal(NOON, "r")]
    assert len(audit.all(Question(action="smas:*"), 1)) == 1
    assert audit.workspaces.files.reads == []


def test_unreadable_files_are_told() -> None:
    """The answer says that it is not whole."""
    audit = Audit()
    key = audit.workspaces.files.put(NOON, b"damaged")
    assert audit.page(Question()).unreadable == (key,)


def test_manifests_are_read_once_by_a_reader() -> None:
    """They never change; what is remembered is bounded by the number of files."""
    audit = Audit()
    for version in range(1, 21):
        audit.publish(version, ("a.bin", A), ("b.bin", B))
    reads = 0

    class Counting(FakeObjectStore):
        """Counts the records fetched."""

        def get_many(self, keys: Any) -> Any:
            nonlocal reads
            reads += len(keys)
            return super().get_many(keys)

    objects, wide, narrow = Counting(audit.bucket), Publications(100), Publications(10)
    for known, least, most in ((wide, 0, 0), (narrow, 15, 20)):
        first = known.of(objects, MODEL, {A})
        reads = 0
        assert known.of(objects, MODEL, {A}) == first
        assert len(first[A]) == 20
        assert least <= reads <= most
