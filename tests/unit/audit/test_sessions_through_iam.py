"""Sessions of people who come through IAM: nobody announces them, and they are not taken for a thief's."""

from __future__ import annotations

from typing import Any

import pytest

from service.audit.sessions import SessionCheck, check_sessions
from service.audit.watch import NOTHING, look
from tests.fakes.audit import FakeServiceLog, FakeTrailFiles
from tests.unit.audit.assumed import HOUR, MINUTE, NOON, PREFIX, assumed

PEOPLE = frozenset(
    [
        "arn:aws:iam::444455556666:role/ml",
        "arn:aws:iam::444455556666:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_audit_0a1b",
    ]
)
ALICE = "arn:aws:sts::444455556666:assumed-role/ml/alice"


def through_iam(caller: str | None = ALICE, **claim: Any) -> dict[str, Any]:
    """The record of somebody who came from a role of people's, as those come."""
    record = assumed(**{"jti": None, "subject": "alice", **claim})
    record["userIdentity"] = {"type": "AssumedRole", "arn": caller}
    return record


def check(*records: dict[str, Any], people: frozenset[str] = PEOPLE) -> SessionCheck:
    """The check over one log file, with nothing in the service's log."""
    files = FakeTrailFiles()
    files.log(NOON + 5 * MINUTE, list(records))
    return check_sessions(files, FakeServiceLog(), PREFIX, NOON - HOUR, NOON + HOUR, people_roles=people)


@pytest.mark.parametrize(
    "caller", [ALICE, "arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_audit_0a1b/bob@example.com"]
)
def test_whoever_came_from_a_role_of_peoples_is_known(caller: str) -> None:
    """AWS itself held who they are against the tags of their session; they are counted all the same."""
    assert check(through_iam(caller)) == SessionCheck(1, ())
    assert check(through_iam(caller, role="auditor", team=None)) == SessionCheck(1, ())


@pytest.mark.parametrize(
    "record",
    [
        through_iam("arn:aws:sts::444455556666:assumed-role/ml-other/alice"),
        through_iam("arn:aws:sts::444455556666:assumed-role/m/ml/alice"),
        through_iam("arn:aws:sts::111122223333:assumed-role/ml/alice"),
        through_iam("arn:aws:iam::444455556666:user/ml/alice"),
        through_iam(None),
        through_iam(subject=None),
        through_iam(jti="a-token"),
        assumed(jti=None),
    ],
    ids=[
        "a longer name",
        "another role",
        "another account",
        "a user",
        "nobody",
        "no name",
        "a token",
        "the service",
    ],
)
def test_whoever_did_not_is_still_unknown(record: dict[str, Any]) -> None:
    """Their roles vouch for their own people alone, and never for the service's sessions."""
    assert [each.event_id for each in check(record).unknown] == [record["eventID"]]


def test_without_such_roles_nobody_comes_through_iam() -> None:
    """Then whoever was let in was let in by a change of the roles, which is what the check is for."""
    assert len(check(through_iam(), people=frozenset()).unknown) == 1


@pytest.mark.parametrize(("people", "reported"), [(PEOPLE, 0), (frozenset[str](), 1)])
def test_the_watch_judges_as_the_check_does(people: frozenset[str], reported: int) -> None:
    """At its second look, as always."""
    files, log = FakeTrailFiles(), FakeServiceLog()
    files.log(NOON, [through_iam()])
    looked, _ = look(NOTHING, files, log, PREFIX, NOON + MINUTE, people_roles=people)
    _, unknown = look(looked, files, log, PREFIX, NOON + 2 * MINUTE, people_roles=people)
    assert len(unknown) == reported
