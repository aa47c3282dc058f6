"""The named queries: the answers of the audit API, and sums that follow from them."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service.domain.audit import AuditEvent, Outcome
from service.domain.names import ModelId
from tests.infra.athena.calls import BYTES, FRAUD
from tests.infra.athena.engine import columns_of
from tests.infra.athena.headers import read_query
from tests.infra.athena.questions import COLUMNS, END, START, events_in, of_service, range_of
from tests.infra.athena.story import MIDNIGHT, OTHER_BYTES
from tests.infra.athena.templates import Query, rendered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.fakes.audit import FakeTrailFiles
    from tests.infra.athena.engine import Engine

HERE = "eu-central-1"
MODEL = ModelId("fraud", "credit-risk")
READS = {"s3:GetObject", "s3:SelectObjectContent"}
COPIES = {"s3:CopyObject", "s3:UploadPartCopy"}
# Ranges around the seam between the two days, and one of nothing.
RANGES = [
    (START, END),
    (MIDNIGHT - timedelta(seconds=2), MIDNIGHT),
    (MIDNIGHT - timedelta(seconds=1), MIDNIGHT + timedelta(seconds=1)),
    (MIDNIGHT, MIDNIGHT + timedelta(days=1)),
    (MIDNIGHT, MIDNIGHT),
]


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_who_touched_a_model(athena: Engine, files: FakeTrailFiles, start: datetime, end: datetime) -> None:
    """The audit API's answer for the model, from the first moment of the range until before its last."""
    rows = athena.run(read_query("model_access"), **range_of(start, end), model=FRAUD)

    assert events_in(rows) == of_service(files, start=start, end=end, model=MODEL)


def test_a_model_nobody_touched(athena: Engine) -> None:
    """A name is compared whole."""
    assert not athena.run(read_query("model_access"), **range_of(START, END), model="fraud/credit")


@pytest.mark.parametrize("actor", ["ds-fraud", "subject-of-ds-nlp", "smas-verifier", "smas-local", "nobody"])
def test_what_a_person_did(athena: Engine, files: FakeTrailFiles, actor: str) -> None:
    """By user name as well as by subject."""
    rows = athena.run(read_query("person_activity"), **range_of(START, END), actor=actor)

    assert events_in(rows) == of_service(files, actor=actor)
    assert bool(rows) == (actor != "nobody")


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_denied_attempts(athena: Engine, files: FakeTrailFiles, start: datetime, end: datetime) -> None:
    """The audit API's answer for refusals."""
    rows = athena.run(read_query("denied_attempts"), **range_of(start, end))

    assert events_in(rows) == of_service(files, start=start, end=end, outcome=Outcome.DENIED)
    assert bool(rows) == (start < end)


def test_other_failures_are_no_denied_attempts(athena: Engine) -> None:
    """AWS's services call refusals by several names; throttling is none of them."""
    rows = athena.run(read_query("denied_attempts"), **range_of(START, END))

    assert {row["error_code"] for row in rows} > {"AccessDenied", "Client.UnauthorizedOperation"}


@pytest.mark.parametrize("version", [1, 2, 7])
@pytest.mark.parametrize("digests", [(), (BYTES,), (OTHER_BYTES, BYTES)])
def test_who_read_a_version(
    athena: Engine, files: FakeTrailFiles, version: int, digests: tuple[str, ...]
) -> None:
    """Reads that name the version, and those of its bytes that name none, summed for each person."""
    rows = athena.run(
        read_query("version_readers"),
        **range_of(START, END),
        model=FRAUD,
        version=version,
        digests=",".join(digests),
    )
    read = [
        event
        for event in _transfers(of_service(files, model=MODEL))
        if event.version == version or (event.version is None and event.sha256 in digests)
    ]

    expected = {
        who: (
            len(events),
            len({event.sha256 for event in events}),
            sum(event.bytes or 0 for event in events),
            min(event.time for event in events).replace(tzinfo=None),
            max(event.time for event in events).replace(tzinfo=None),
        )
        for who, events in _by_person(read).items()
    }
    found = columns_of(rows, "reads", "files", "bytes", "first_read", "last_read")
    who = columns_of(rows, "actor", "subject", "role")
    assert dict(zip(who, found, strict=True)) == expected
    assert expected or not digests
    assert [row["last_read"] for row in rows] == sorted((row["last_read"] for row in rows), reverse=True)


def test_downloads_per_person(athena: Engine, files: FakeTrailFiles) -> None:
    """Each day's bytes of each person, the most first; refused reads and lists are none."""
    rows = athena.run(read_query("downloads_per_person"), **range_of(START, END))

    expected = {}
    for day in {f"{event.time:%Y-%m-%d}" for event in of_service(files)}:
        events = [event for event in of_service(files) if f"{event.time:%Y-%m-%d}" == day]
        for who, theirs in _by_person(_transfers(events)).items():
            expected[day, *who] = (
                sum(event.bytes or 0 for event in theirs),
                sum(event.action in READS for event in theirs),
                sum(event.action in COPIES for event in theirs),
                len({event.model for event in theirs}),
                len({event.sha256 for event in theirs}),
                len({event.source_ip for event in theirs}),
            )
    keys = columns_of(rows, "utc_date", "actor", "subject", "role")
    found = columns_of(rows, "bytes", "reads", "copies", "models", "files", "addresses")
    assert dict(zip(keys, found, strict=True)) == expected
    assert [row["bytes"] for row in rows] == sorted((row["bytes"] for row in rows), reverse=True)
    assert rows[0]["actor"] == "deployer-fraud" or rows[0]["bytes"] >= 5_000_000_000
    assert any(row["copies"] for row in rows)


def test_changes_to_what_guards_the_store(athena: Engine) -> None:
    """Of all regions and outcomes, with what they asked for; reading and using a key is no change."""
    rows = athena.run(read_query("control_changes"), **range_of(START, END))

    assert sorted(row["action"] for row in rows) == [
        "cloudtrail:StopLogging",
        "iam:PutRolePolicy",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "logs:DeleteLogGroup",
        "s3:DeleteObject",
        "s3:PutBucketPolicy",
        "s3:PutObjectLockConfiguration",
    ]
    by_action = {row["action"]: row for row in rows}
    assert by_action["iam:PutRolePolicy"]["region"] == "us-east-1"
    assert by_action["kms:PutKeyPolicy"]["outcome"] == "denied"
    assert '"pendingWindowInDays":7' in by_action["kms:ScheduleKeyDeletion"]["request_parameters"]


def test_sessions_assumed(athena: Engine, files: FakeTrailFiles) -> None:
    """Who took which role, under which token; refused ones and those of other regions are among them."""
    rows = athena.run(read_query("sessions_assumed"), **range_of(START, END))
    role = "arn:aws:iam::111122223333:role/smas-"

    columns = (
        "caller",
        "role_arn",
        "session_name",
        "source_identity",
        "token_id",
        "team",
        "outcome",
        "region",
    )
    assert sorted(columns_of(rows, *columns), key=str) == sorted(
        [
            (
                "smas-service",
                f"{role}data-scientist",
                "ds-fraud",
                "subject-of-ds-fraud",
                "11111111-2222-3333-4444-555555555555",
                "fraud",
                "success",
                HERE,
            ),
            (
                "w",
                f"{role}verifier-tagging",
                "verifier-tagging",
                "smas-verifier",
                None,
                None,
                "success",
                HERE,
            ),
            ("smas-local", f"{role}data-scientist", "mallory", None, None, None, "denied", HERE),
            ("smas-local", f"{role}compliance", "mallory", "mallory", None, None, "success", "us-east-1"),
        ],
        key=str,
    )
    here = {row["event_id"] for row in rows if row["region"] == HERE}
    assert here == {event.event_id for event in of_service(files) if event.action == "sts:AssumeRole"}


def test_a_range_of_another_day_reads_nothing_of_this_one(athena: Engine) -> None:
    """Every query holds its rows against both ends of the range."""
    long_ago = range_of(datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC))
    others = {"model": FRAUD, "actor": "ds-fraud", "version": 1, "digests": BYTES}

    for name in ("model_access", "person_activity", "denied_attempts", "version_readers"):
        query = read_query(name)
        given = {each: others[each] for each in query.described if each in others}
        assert not athena.run(query, **long_ago, **given)


def test_the_listing_queries_have_the_audit_api_s_columns(athena: Engine) -> None:
    """In its order, so that their answers can stand beside each other."""
    for name in ("model_access", "person_activity", "denied_attempts"):
        query = read_query(name)
        others = {"model": FRAUD, "actor": "ds-fraud"}
        given = {each: others[each] for each in query.described if each in others}
        rows = athena.run(query, **range_of(START, END), **given)
        assert tuple(rows[0]) == COLUMNS


def test_a_header_that_cannot_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter is never overlooked because its line was misspelt."""
    spoilt = rendered("queries/model_access").replace("--   model:", "-- model:")
    monkeypatch.setattr("tests.infra.athena.headers.rendered", lambda _: spoilt)

    with pytest.raises(ValueError, match="line 7"):
        read_query("model_access")


def test_parameters_are_given_by_name() -> None:
    """A name too many or too few is an error, a name used twice is passed twice."""
    query = Query("x", "X", "X.", {"a": "", "b": ""}, ("a", "b", "a"), "")

    assert query.values(a=1, b=2) == [1, 2, 1]
    with pytest.raises(AssertionError, match="takes a, b"):
        query.values(a=1)


def _transfers(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    return [
        event
        for event in events
        if event.action in READS | COPIES and event.outcome is Outcome.SUCCESS and event.sha256 is not None
    ]


def _by_person(events: Iterable[AuditEvent]) -> dict[tuple[str | None, ...], list[AuditEvent]]:
    people: dict[tuple[str | None, ...], list[AuditEvent]] = defaultdict(list)
    for event in events:
        people[event.actor, event.subject, event.role].append(event)
    return people
