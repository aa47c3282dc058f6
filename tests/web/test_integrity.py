"""`GET /v1/audit/integrity`: who may ask, what is answered, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service.domain.times import written
from tests.unit.audit.assumed import announced, assumed
from tests.unit.audit.integrity.signed_trail import HOUR, MINUTE, NOON, SignedTrail
from tests.web.conftest import problem

if TYPE_CHECKING:
    from tests.web.conftest import Site

PATH = "/v1/audit/integrity"
RANGE = {"from": written(NOON), "to": written(NOON + 2 * HOUR)}


@pytest.fixture
def trail(site: Site) -> SignedTrail:
    """Two hours of the site's trail, in which a persona was assumed twice."""
    trail = SignedTrail(site.audit.files)
    site.audit.keys.keys = trail.keys.keys
    trail.hour(1)
    records = [assumed(NOON + HOUR + MINUTE), assumed(NOON + HOUR + MINUTE, jti="another", event_id="odd")]
    trail._listed.append(trail.files.log(NOON + HOUR + 5 * MINUTE, records))
    trail.hour(0)
    site.audit.log.announced.append(announced(NOON + HOUR + MINUTE))
    return trail


@pytest.mark.usefixtures("trail")
def test_a_valid_trail_in_full(site: Site) -> None:
    """Every field of the answer, and beside the proof who became a persona unannounced."""
    answer = site.user("auditor").get(PATH, query_string=RANGE)

    assert answer.json == {
        "valid": True,
        "complete": True,
        "digests": 2,
        "logs": 2,
        **RANGE,
        "checked_until": RANGE["to"],
        "proved_from": RANGE["from"],
        "proved_until": RANGE["to"],
        "problems": [],
        "notes": [],
        "more_problems": 0,
        "more_notes": 0,
        "sessions": {
            "assumed": 2,
            "unknown": [
                {
                    "time": written(NOON + HOUR + MINUTE),
                    "role": "data-scientist",
                    "session_name": "ds-fraud",
                    "subject": "sub-of-ds-fraud",
                    "team": "fraud",
                    "token_id": "another",
                    "assumed_by": "arn:aws:sts::111122223333:assumed-role/smas-service/smas-service",
                    "source_ip": "203.0.113.7",
                    "event_id": "odd",
                }
            ],
            "more": 0,
        },
    }


def test_what_is_wrong_is_named(site: Site, trail: SignedTrail) -> None:
    """By a stable kind, the file's key, and a sentence; the answer itself is no error."""
    trail.files.bodies[trail.logs[0]] = b""
    answer = site.user("compliance").get(PATH, query_string=RANGE)

    assert answer.status_code == 200
    assert answer.json["valid"] is False
    ((found),) = answer.json["problems"]
    assert (found["kind"], found["file"]) == ("log_changed", trail.logs[0])
    assert "changed after CloudTrail delivered it" in found["message"]


def test_the_last_24_hours_by_default(site: Site) -> None:
    """Up to now."""
    before = datetime.now(UTC).replace(microsecond=0)
    answer = site.user("auditor").get(PATH).json
    start, end = (datetime.fromisoformat(answer[name]) for name in ("from", "to"))

    assert before <= end <= datetime.now(UTC)
    assert end - start == timedelta(hours=24)
    assert answer["valid"] is False
    assert [found["kind"] for found in answer["problems"]] == ["no_digests"]
    assert answer["problems"][0]["file"] is None


@pytest.mark.parametrize("name", ["compliance", "auditor"])
def test_readers_read_in_their_own_session(site: Site, name: str) -> None:
    """What is opened is opened for them, under the grant that lets them."""
    assert site.user(name).get(PATH).status_code == 200
    ((principal, grant),) = site.audit.opened
    assert (principal.username, grant.role.value) == (name, name)


@pytest.mark.parametrize("name", ["ds-fraud", "approver-fraud", "deployer-fraud", "custodian", "nobody"])
def test_others_are_refused(site: Site, name: str) -> None:
    """Before anything is opened."""
    problem(site.user(name).get(PATH), 403, "forbidden")
    assert site.audit.opened == []


@pytest.mark.parametrize(
    ("place", "query"),
    [
        ("from", {"from": "yesterday"}),
        ("from", {"from": "2026-01-31T12:00:00"}),
        ("to", {"to": ""}),
        ("from", {"from": RANGE["to"], "to": RANGE["from"]}),
        ("from", {"from": RANGE["from"], "to": RANGE["from"]}),
        ("from", {"from": RANGE["from"], "to": written(NOON + 7 * 24 * HOUR + MINUTE)}),
        ("from", {"from": "2999-01-01T00:00:00Z", "to": "2999-01-02T00:00:00Z"}),
        ("to", {"to": "0001-01-01T00:00:00Z"}),
    ],
)
def test_ranges_that_are_refused(site: Site, place: str, query: dict[str, str]) -> None:
    """With the place that is wrong; nothing of the trail is read."""
    body = problem(site.user("auditor").get(PATH, query_string=query), 422, "validation_failed")
    assert [fault["location"] for fault in body["errors"]] == [place]
    assert site.audit.files.reads == []
