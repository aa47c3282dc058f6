"""The SDK's audit over the real application: rows of log files that CloudTrail delivered, and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from smas.audit import EventQuery
from smas.errors import Corrupt, Forbidden, Invalid, WrongUsage

from service.domain.audit import AuditEvent, Outcome, Source
from tests.client.site.fixtures import M
from tests.fakes.trail_records import s3_record, session_identity

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.site.fixtures import Stores

NOW = datetime.now(UTC).replace(microsecond=0)
EARLIER = NOW - timedelta(hours=1)


def recorded(stores: Stores, files: Path) -> str:
    """A published version, one download and one refusal in the trail, one refusal of the store."""
    pushed = stores.of("ds-fraud").push(files / "model.bin", M)
    (file,) = pushed.version.files
    key = f"blobs/{M}/{file.sha256}"
    disposition = {
        "response-content-disposition": f'attachment; filename="model.bin"; smas="{M}/1/model.bin"'
    }
    presigned = {"AuthenticationMethod": "QueryString", "bytesTransferredOut": file.size}
    records = [
        s3_record(EARLIER, "a-download", key, parameters=disposition, additionalEventData=presigned),
        s3_record(
            EARLIER + timedelta(seconds=1),
            "a-refusal-of-s3",
            key,
            errorCode="AccessDenied",
            userIdentity=session_identity("smas-data-scientist", "ds-nlp", "sub-of-ds-nlp"),
        ),
        *(
            s3_record(EARLIER - timedelta(seconds=n), f"other-{n:04}", "cards/fraud/x.json")
            for n in range(1, 30)
        ),
    ]
    trail = stores.wire.site.audit
    trail.files.log(EARLIER + timedelta(minutes=5), records)
    trail.log.refused.append(
        AuditEvent(
            event_id="a-refusal-of-the-store",
            time=EARLIER + timedelta(seconds=2),
            actor="ds-nlp",
            subject="sub-of-ds-nlp",
            role=None,
            action="smas:fetch_files",
            key=None,
            model=M,
            version=1,
            path=None,
            sha256=None,
            bytes=None,
            outcome=Outcome.DENIED,
            error_code="not_found",
            source_ip="192.0.2.7",
            user_agent="smas",
            auth_method="bearer",
            request_id="r",
            source=Source.SERVICE,
        )
    )
    return file.sha256


def test_who_touched_the_model(stores: Stores, files: Path) -> None:
    """Newest first: the store's refusal, S3's, and the download with its version and path."""
    digest = recorded(stores, files)
    for reader in ("compliance", "auditor"):
        refused, denied, download = stores.of(reader).audit_events(model=M)
        assert (refused.event_id, refused.source, refused.action) == (
            "a-refusal-of-the-store",
            "service",
            "smas:fetch_files",
        )
        assert (denied.event_id, denied.actor, denied.outcome) == ("a-refusal-of-s3", "ds-nlp", "denied")
        assert (download.version, download.path, download.sha256) == (1, "model.bin", digest)
        assert (refused.key, download.key) == (None, f"blobs/{M}/{digest}")
        assert [(place.version, place.path) for place in download.published_as] == [(1, "model.bin")]
        assert download.as_json()["published_as"] == [{"version": 1, "path": "model.bin"}]


def test_filters_hold_together(stores: Stores, files: Path) -> None:
    """By name or source identity, outcome, action, version, and time."""
    recorded(stores, files)
    audit = stores.of("compliance")

    def ids(**wanted: Any) -> list[str]:
        return [event.event_id for event in audit.audit_events(**wanted)]

    assert ids(who="ds-nlp") == ["a-refusal-of-the-store", "a-refusal-of-s3"]
    assert ids(who="sub-of-ds-nlp", action="s3:*") == ["a-refusal-of-s3"]
    assert ids(model=M, outcome="success") == ["a-download"]
    assert ids(model=M, version=1, outcome="success", action="s3:GetObject") == ["a-download"]
    assert ids(model=M, until=EARLIER + timedelta(seconds=1)) == ["a-download"]
    assert ids(model=M, since=EARLIER + timedelta(seconds=2)) == ["a-refusal-of-the-store"]
    assert ids(model=M, since=f"{NOW:%Y-%m-%dT%H:%M:%S}+00:00") == []


def test_pages_are_of_any_length(stores: Stores, files: Path) -> None:
    """Whatever the store makes of them, the list is the same."""
    recorded(stores, files)
    audit = stores.of("compliance")
    whole = [event.event_id for event in audit.audit_events()]
    assert len(whole) == 32
    for size in (1, 7, 31, 32):
        pages = list(audit.audit_pages(EventQuery(), size))
        assert [event.event_id for page in pages for event in page.items] == whole
        assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
        assert all(len(page.items) <= size for page in pages)


def test_it_is_read_as_it_is_needed(stores: Stores, files: Path) -> None:
    """One page at a time: nothing is asked before the first event is wanted."""
    recorded(stores, files)
    stores.wire.page = 2
    stores.wire.sent.clear()
    events = stores.of("compliance").audit_events()
    assert stores.wire.requests("GET", "/v1/audit") == []
    for _ in range(3):
        next(events)
    assert len(stores.wire.requests("GET", "/v1/audit")) == 2


def test_a_damaged_log_file_is_told_after_the_last_event(stores: Stores, files: Path) -> None:
    """What is left is there, and that something is missing is not passed over."""
    recorded(stores, files)
    key = stores.wire.site.audit.files.put(EARLIER, b"no log file")
    events = stores.of("compliance").audit_events(model=M)
    assert len([next(events) for _ in range(3)]) == 3
    with pytest.raises(Corrupt, match="events are missing") as raised:
        next(events)
    assert [fault.location for fault in raised.value.errors] == [key]


def test_a_trail_without_digests_proves_nothing(stores: Stores, files: Path) -> None:
    """The real check, over a range that takes two parts: not valid, and every second was looked at."""
    recorded(stores, files)
    found = stores.of("auditor").audit_integrity(NOW - timedelta(days=9), NOW)
    assert (found.valid, found.complete, found.sound) == (False, True, False)
    assert [problem.kind for problem in found.problems] == ["no_digests"]
    assert (found.start, found.end) == (
        f"{NOW - timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}",
        f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert len(stores.wire.requests("GET", "/v1/audit/integrity")) == 2


@pytest.mark.parametrize("user", ["ds-fraud", "approver-fraud", "custodian", "nobody"])
def test_it_is_for_compliance_and_auditors(stores: Stores, user: str) -> None:
    """All others are refused, and told whose it is."""
    with pytest.raises(Forbidden) as raised:
        next(stores.of(user).audit_events())
    assert "only compliance and auditors" in raised.value.hint


def test_what_cannot_be_asked_is_not_sent(stores: Stores) -> None:
    """Names, outcomes and times are checked here, before anything travels."""
    audit = stores.of("compliance")
    with pytest.raises(WrongUsage):
        next(audit.audit_events(version=1))
    impossible: list[dict[str, Any]] = [
        {"model": "Fraud/x"},
        {"outcome": "maybe"},
        {"since": "yesterday"},
        {"since": "2026-11-24T12:00:00"},
        {"since": "2026-02-30T12:00:00Z"},
        {"since": "2026-11-25T00:00:00Z", "until": "2026-11-24T00:00:00Z"},
        {"until": datetime(2026, 1, 1)},  # noqa: DTZ001 - the fault
        {"until": datetime.min.replace(tzinfo=UTC) - timedelta(0), "since": "0001-01-01T00:00:00+01:00"},
    ]
    for wanted in impossible:
        with pytest.raises(Invalid):
            next(audit.audit_events(**wanted))
    assert stores.wire.requests("GET", "/v1/audit") == []
