"""`GET /v1/audit/events`: who may ask, what is answered, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from service.domain.audit import AuditEvent, Outcome, Source
from service.domain.names import ModelId
from service.domain.times import written
from service.registry import downloads, keys
from tests.fakes.trail_records import s3_record
from tests.web.conftest import problem

if TYPE_CHECKING:
    from tests.web.conftest import Site

PATH = "/v1/audit/events"
MODEL = ModelId("fraud", "credit-risk")


@pytest.fixture
def now() -> datetime:
    """A minute ago, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)


def test_an_event_in_full(site: Site, now: datetime) -> None:
    """Every field of the contract, with the places where the bytes are published."""
    version = site.user("ds-fraud").publish(str(MODEL), b"weights")
    (file,) = version["files"]
    parameters = {"response-content-disposition": downloads._disposition(MODEL, 1, file["path"])}
    record = s3_record(now, "the-id", keys.blob(MODEL, file["sha256"]), parameters=parameters)
    site.audit.files.log(now, [record])
    answer = site.user("auditor").get(PATH)
    assert answer.json == {
        "items": [
            {
                "event_id": "the-id",
                "time": written(now),
                "actor": "ds-fraud",
                "subject": "sub-of-ds-fraud",
                "role": "data-scientist",
                "action": "s3:GetObject",
                "key": keys.blob(MODEL, file["sha256"]),
                "model": str(MODEL),
                "version": 1,
                "path": file["path"],
                "published_as": [{"version": 1, "path": file["path"]}],
                "sha256": file["sha256"],
                "bytes": 4711,
                "outcome": "success",
                "error_code": None,
                "source_ip": "192.0.2.7",
                "user_agent": "[Boto3/1.44.5]",
                "auth_method": "AuthHeader",
                "request_id": "request-the-id",
                "source": "cloudtrail",
            }
        ],
        "next_cursor": None,
        "unreadable_files": [],
    }


@pytest.mark.parametrize("name", ["compliance", "auditor"])
def test_readers_read_in_their_own_session(site: Site, name: str) -> None:
    """What is opened is opened for them, under the grant that lets them."""
    assert site.user(name).get(PATH).status_code == 200
    ((principal, grant),) = site.audit.opened
    assert (principal.username, grant.role.value) == (name, name)


@pytest.mark.parametrize(
    "name", ["ds-fraud", "approver-fraud", "deployer-fraud", "custodian", "nobody", "machine"]
)
def test_others_are_refused(site: Site, name: str) -> None:
    """Before anything is opened."""
    problem(site.user(name).get(PATH), 403, "forbidden")
    assert site.audit.opened == []


def test_nobody_without_a_token(site: Site) -> None:
    """Nor is anything opened."""
    problem(site.call("GET", PATH), 401, "unauthenticated")
    assert site.audit.opened == []


@pytest.mark.parametrize(
    ("place", "query"),
    [
        ("model", {"model": "fraud"}),
        ("model", {"model": "Fraud/x"}),
        ("model", {"model": "fraud/x/y"}),
        ("model", {"model": ""}),
        ("version", {"version": "1"}),
        ("version", {"model": "fraud/x", "version": "0"}),
        ("version", {"model": "fraud/x", "version": "01"}),
        ("version", {"model": "fraud/x", "version": "latest"}),
        ("version", {"model": "fraud/x", "version": "1000000000"}),
        ("version", {"model": "fraud/x", "version": "١"}),
        ("actor", {"actor": ""}),
        ("actor", {"actor": "x" * 129}),
        ("action", {"action": "x" * 129}),
        ("action", {"action": ""}),
        ("outcome", {"outcome": "refused"}),
        ("outcome", {"outcome": ""}),
        ("from", {"from": "yesterday"}),
        ("from", {"from": "2026-11-24"}),
        ("from", {"from": ""}),
        ("to", {"to": "2026-11-24T12:00:00"}),
        ("to", {"to": "2026-02-30T12:00:00Z"}),
        ("from", {"from": "2026-11-24T12:00:00Z", "to": "2026-11-24T12:00:00Z"}),
        ("from", {"from": "2026-11-24T13:00:00+00:00", "to": "2026-11-24T13:30:00+01:00"}),
        ("from", {"from": "9999-01-01T00:00:00Z"}),
        ("limit", {"limit": "0"}),
        ("limit", {"limit": "1001"}),
        ("limit", {"limit": "ten"}),
        ("cursor", {"cursor": ""}),
        ("cursor", {"cursor": "x"}),
        ("cursor", {"cursor": "x" * 10_000}),
        ("cursor", {"cursor": "ü\0"}),
    ],
)
def test_what_is_wrong_is_named(site: Site, place: str, query: dict[str, str]) -> None:
    """A 422 that says which parameter."""
    body = problem(site.user("auditor").get(f"{PATH}?{urlencode(query)}"), 422, "validation_failed")
    assert [error["location"] for error in body["errors"]] == [place]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "0001-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"},
        {"to": "0001-01-02T00:00:00Z"},
        {"actor": "x" * 128, "action": "*", "outcome": "denied", "model": "fraud/x", "version": "999999999"},
        {"limit": "1000"},
        {"actor": "ü\0\ud83d"},
    ],
)
def test_odd_but_right(site: Site, now: datetime, query: dict[str, str]) -> None:
    """Whatever can be asked is answered."""
    site.audit.files.log(now, [s3_record(now, "id", "cards/nlp/x.json", errorCode="Failed")])
    answer = site.user("auditor").get(f"{PATH}?{urlencode(query, errors='replace')}")
    assert answer.status_code == 200, answer.text


def test_pages_by_cursor(site: Site, now: datetime) -> None:
    """All of it, newest first, with the service's own refusals among it."""
    site.audit.files.log(
        now, [s3_record(now - timedelta(seconds=number), f"{number}") for number in range(0, 40, 2)]
    )
    site.audit.log.refused = [
        _refusal(now - timedelta(seconds=number), f"{number}") for number in range(1, 40, 2)
    ]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = urlencode({"limit": 7, **({"cursor": cursor} if cursor else {})})
        page = site.user("compliance").get(f"{PATH}?{query}").json
        found += [item["event_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == [str(number) for number in range(40)]


def test_a_refusal_of_the_service(site: Site, now: datetime) -> None:
    """It never reached AWS, so no model is found but the one that was named."""
    site.audit.log.refused = [_refusal(now, "r")]
    (item,) = site.user("auditor").get(f"{PATH}?outcome=denied&model={MODEL}").json["items"]
    assert (item["source"], item["action"], item["error_code"], item["published_as"]) == (
        "service",
        "smas:read_version",
        "not_found",
        [],
    )


def test_damaged_files_are_named(site: Site, now: datetime) -> None:
    """What they held is missing, and the answer does not hide it."""
    key = site.audit.files.put(now, b"damaged")
    assert site.user("auditor").get(PATH).json["unreadable_files"] == [key]


def _refusal(time: datetime, event_id: str) -> AuditEvent:
    return AuditEvent(
        event_id=event_id,
        time=time,
        actor="ds-nlp",
        subject="sub-of-ds-nlp",
        role=None,
        action="smas:read_version",
        key=None,
        model=str(MODEL),
        version=None,
        path=None,
        sha256=None,
        bytes=None,
        outcome=Outcome.DENIED,
        error_code="not_found",
        source_ip=None,
        user_agent=None,
        auth_method="bearer",
        request_id=None,
        source=Source.SERVICE,
    )
