"""People who come through IAM instead of the user pool: as themselves, in their own team, in no other way.

The trust policies are those that Terraform makes of the templates: the service's statements and theirs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.gateway.principals import IamUser, RoleSession
from smas_emulator.iam.documents import Policy
from smas_emulator.iam.trust import may_assume

from tests.infra.rendering import ONLY_ON_AWS, PLACEHOLDERS, rendered

if TYPE_CHECKING:
    from smas_emulator.gateway.principals import Principal


def trust(people: str) -> Policy:
    """A persona's trust policy as `infra/iam.tf` puts it together."""
    statements = [*rendered("trust-persona").statements, *rendered(people).statements]
    return Policy.parse(json.dumps({"Version": "2012-10-17", "Statement": statements}))


TEAM, GLOBAL = trust("trust-people"), trust("trust-people-global")
(ROLE_ARN,) = json.loads(ONLY_ON_AWS["people_arns"])
NOW = datetime(2026, 1, 12, tzinfo=UTC)
ALICE = RoleSession(
    account=PLACEHOLDERS.account,
    access_key_id="ASIAEXAMPLE",
    role_name=ROLE_ARN.rpartition("/")[2],
    role_id="AROAEXAMPLE",
    name="anything",
    created=NOW,
    expires=NOW + timedelta(hours=1),
    tags={"person": "alice", "team": "fraud"},
)


def asked(**changed: str | tuple[str, ...] | None) -> dict[str, str | tuple[str, ...]]:
    """What alice asks for when she asks rightly, changed; None leaves a key out."""
    keys: dict[str, str | tuple[str, ...] | None] = {
        "sts:SourceIdentity": "alice",
        "sts:RoleSessionName": "alice",
        "aws:RequestTag/team": "fraud",
        "aws:TagKeys": ("team",),
        **changed,
    }
    return {key: value for key, value in keys.items() if value is not None}


def lets(trust: Policy, caller: Principal, context: dict[str, str | tuple[str, ...]]) -> bool:
    """Whether AssumeRole of that is allowed; tags and a source identity need leave of their own, if sent.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    needed = {"sts:TagSession": "aws:TagKeys", "sts:SetSourceIdentity": "sts:SourceIdentity"}
    actions = ["sts:AssumeRole", *(action for action, key in needed.items() if key in context)]
    return may_assume(trust, caller, actions, context).allowed


WITHOUT_TAGS: Final[dict[str, Any]] = {"aws:RequestTag/team": None, "aws:TagKeys": None}


def test_a_person_becomes_a_persona_of_their_own_team() -> None:
    """Under their own name, which every record of CloudTrail then has."""
    assert lets(TEAM, ALICE, asked())


def test_a_person_becomes_a_persona_over_all_teams_without_a_team() -> None:
    """Of whatever team they are themselves."""
    context = asked(**WITHOUT_TAGS)
    assert lets(GLOBAL, ALICE, context)
    assert lets(GLOBAL, replace(ALICE, tags={"person": "alice"}), context)


@pytest.mark.parametrize(
    "changed",
    [
        {"sts:SourceIdentity": "bob"},
        {"sts:SourceIdentity": "Alice"},
        {"sts:SourceIdentity": "alice2"},
        {"sts:SourceIdentity": None},
        {"sts:RoleSessionName": "bob"},
        {"sts:RoleSessionName": None},
    ],
)
def test_nobody_takes_another_name(changed: dict[str, Any]) -> None:
    """Neither as source identity nor as the session's name, and nobody comes without one."""
    assert not lets(TEAM, ALICE, asked(**changed))
    assert not lets(GLOBAL, ALICE, asked(**{**WITHOUT_TAGS, **changed}))


@pytest.mark.parametrize(
    "changed",
    [
        {"aws:RequestTag/team": "nlp"},
        {"aws:RequestTag/team": "*"},
        {"aws:RequestTag/team": "Fraud"},
        {"aws:RequestTag/team": ""},
        WITHOUT_TAGS,
        {"aws:RequestTag/jti": "x", "aws:TagKeys": ("jti", "team")},
        {"aws:RequestTag/admin": "yes", "aws:TagKeys": ("admin", "team")},
        {"aws:TagKeys": ("Team",)},
    ],
)
def test_nobody_takes_another_team_or_other_tags(changed: dict[str, Any]) -> None:
    """One tag, `team`, and it is the one that they came with."""
    assert not lets(TEAM, ALICE, asked(**changed))


def test_a_persona_over_all_teams_takes_no_tags() -> None:
    """Not even the person's own team."""
    assert not lets(GLOBAL, ALICE, asked())


@pytest.mark.parametrize("tags", [{}, {"team": "fraud"}, {"person": "", "team": "fraud"}])
def test_whoever_is_nobody_in_particular_is_refused(tags: dict[str, str]) -> None:
    """IAM makes nothing of a variable that a session lacks, and nothing equals that."""
    unnamed = replace(ALICE, tags=tags)
    for name in ("alice", "", "${aws:PrincipalTag/person}", None):
        context = asked(**{"sts:SourceIdentity": name, "sts:RoleSessionName": name})
        if name == "" and tags.get("person") == "":
            continue  # STS takes no empty name: the least it takes are two characters
        assert not lets(TEAM, unnamed, context)


@pytest.mark.parametrize("tags", [{"person": "alice"}, {"person": "alice", "team": ""}])
def test_whoever_has_no_team_gets_none(tags: dict[str, str]) -> None:
    """And no session without one: a team's policies would then speak of `<kind>//`."""
    for team in ("fraud", ""):
        context = asked(**{"aws:RequestTag/team": team})
        assert not lets(TEAM, replace(ALICE, tags=tags), context)
    assert not lets(TEAM, replace(ALICE, tags=tags), asked(**WITHOUT_TAGS))


@pytest.mark.parametrize(
    "stranger",
    [
        replace(ALICE, role_name="other"),
        replace(ALICE, account="444455556666"),
        IamUser(PLACEHOLDERS.account, "AKIAEXAMPLE", "alice", "AIDAEXAMPLE", tags=ALICE.tags),
    ],
    ids=["another role", "another account", "a user"],
)
def test_only_the_named_roles_are_trusted(stranger: Principal) -> None:
    """Whatever tags somebody else's session has."""
    assert not lets(TEAM, stranger, asked())
    assert not lets(GLOBAL, stranger, asked(**WITHOUT_TAGS))


def test_the_service_is_still_held_to_its_own_rules() -> None:
    """What people may does not become the service's: it names a token, they have none."""
    service = replace(ALICE, role_name="smas-service")
    assert not lets(TEAM, service, asked())
    token: dict[str, Any] = {"aws:RequestTag/jti": "t", "aws:TagKeys": ("jti", "team")}
    assert lets(TEAM, service, asked(**token))


NAMES = st.text("ab-*?", min_size=0, max_size=3)


@given(person=NAMES, team=NAMES, identity=NAMES, session=NAMES, wanted=NAMES)
def test_a_session_is_never_anybody_but_its_person(
    person: str, team: str, identity: str, session: str, wanted: str
) -> None:
    """Whatever the tags hold, stars among them: what is allowed equals what the caller is."""
    caller = replace(ALICE, tags={"person": person, "team": team})
    context = asked(
        **{"sts:SourceIdentity": identity, "sts:RoleSessionName": session, "aws:RequestTag/team": wanted}
    )
    as_themselves = identity == session == person and wanted == team != ""
    assert lets(TEAM, caller, context) is as_themselves
