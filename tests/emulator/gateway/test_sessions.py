"""The role sessions that were given out, and what they inherit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from smas_emulator.gateway.principals import IamUser, Principal, RoleSession
from smas_emulator.gateway.sessions import REMEMBERED, RoleSessions

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
USER = IamUser("000000000000", "LKIAQAAAAAAAEXAMPLE1", "smas-local", "AIDAEXAMPLE")


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        """What time it is."""
        return self.time


def begin(
    sessions: RoleSessions,
    caller: Principal = USER,
    *,
    key: str = "LSIA1",
    ends: datetime | None = None,
    **asked: Any,
) -> RoleSession:
    """A session as AssumeRole gives it out."""
    answer = {
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": ends or NOW + timedelta(hours=1),
        }
    }
    arn = "arn:aws:iam::000000000000:role/smas/x/smas-service"
    request = {"RoleArn": arn, "RoleSessionName": "ds-fraud", **asked}
    return sessions.begin(request, answer, caller, role_id="AROAEXAMPLE")


def tags(**named: str) -> list[dict[str, str]]:
    """Tags as the API has them."""
    return [{"Key": key, "Value": value} for key, value in named.items()]


def test_a_session_is_found_by_its_key_with_all_that_was_asked_for() -> None:
    """Role, path, names, times, tags, policy: what IAM decides on and CloudTrail tells."""
    sessions = RoleSessions(Clock())

    begin(sessions, Tags=tags(team="fraud"), SourceIdentity="sub-1", Policy="{}")
    found = sessions.find("LSIA1")

    assert found is not None
    assert (found.secret, found.session_token) == ("secret", "token")
    session = found.principal
    assert isinstance(session, RoleSession)
    assert session.arn == "arn:aws:sts::000000000000:assumed-role/smas-service/ds-fraud"
    assert session.role_arn == "arn:aws:iam::000000000000:role/smas/x/smas-service"
    assert session.user_id == "AROAEXAMPLE:ds-fraud"
    assert (session.source_identity, session.tags, session.policy) == ("sub-1", {"team": "fraud"}, "{}")
    assert (session.created, session.expires) == (NOW, NOW + timedelta(hours=1))


def test_a_chained_session_inherits_source_identity_and_transitive_tags_only() -> None:
    """What the first session must not lose goes on; its other tags and its policy end with it."""
    sessions = RoleSessions(Clock())
    first = begin(
        sessions,
        SourceIdentity="sub-1",
        Tags=tags(team="fraud", jti="7"),
        TransitiveTagKeys=["TEAM"],
        Policy="{}",
    )

    second = begin(sessions, first, key="LSIA2", Tags=tags(Team="nlp", other="1"))

    assert second.source_identity == "sub-1"
    assert second.tags == {"team": "fraud", "other": "1"}
    assert second.transitive_tags == {"team"}
    assert second.policy is None


@pytest.mark.parametrize(
    ("late", "remembered"),
    [(timedelta(0), True), (REMEMBERED - timedelta(seconds=1), True), (REMEMBERED, False)],
)
def test_the_long_expired_are_forgotten(late: timedelta, remembered: bool) -> None:
    """An expired session is remembered for a while, to say that it expired; memory stays bounded."""
    clock = Clock()
    sessions = RoleSessions(clock)
    begin(sessions, key="old", ends=NOW)
    clock.time = NOW + late

    for number in range(1000):
        begin(sessions, key=f"LSIA-{number}", ends=clock.time + timedelta(hours=1))

    assert (sessions.find("old") is not None) is remembered
    assert sessions.find("LSIA-999") is not None
