"""Who may do what, as one table, and how grants are read and preferred."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from service.domain.access import ALLOWED, Grant, Permission, Role, grants_of, parse_grant
from tests.people import DS_FRAUD, NOBODY, principal

# Columns: data-scientist, approver, deployer, compliance, auditor, custodian.
COLUMNS = (Role.DATA_SCIENTIST, Role.APPROVER, Role.DEPLOYER, Role.COMPLIANCE, Role.AUDITOR, Role.CUSTODIAN)
MATRIX = {
    "model:read": "yes yes yes yes yes yes",
    "settings:read": "yes yes yes yes yes yes",
    "version:read": "yes yes yes yes yes yes",
    "alias:read": "yes yes yes yes yes yes",
    "version:download": "yes yes yes yes - -",
    "model:write": "yes - - - - -",
    "upload:write": "yes - - - - -",
    "version:publish": "yes - - - - -",
    "alias:write": "yes - - - - -",
    "alias:protect": "- yes - - - -",
    "settings:write": "- yes - - - -",
    "audit:read": "- - - yes yes -",
}
TEAM_ROLES = {Role.DATA_SCIENTIST, Role.APPROVER, Role.DEPLOYER}


def test_the_roles_may_do_what_the_table_says_and_nothing_else() -> None:
    """Deny by default: a permission that is not in the table is nobody's."""
    allowed = {
        (role, permission)
        for permission, row in MATRIX.items()
        for role, cell in zip(COLUMNS, row.split(), strict=True)
        if cell == "yes"
    }
    assert {(role, str(permission)) for role, held in ALLOWED.items() for permission in held} == allowed


def test_the_table_knows_every_role_and_every_permission() -> None:
    """A new role or permission has to be decided on here first."""
    assert set(MATRIX) == {str(permission) for permission in Permission}
    assert set(ALLOWED) == set(COLUMNS) == set(Role)


def test_three_roles_are_held_in_a_team() -> None:
    """The others see every team."""
    assert {role for role in Role if role.of_a_team} == TEAM_ROLES


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("data-scientist@fraud", Grant(Role.DATA_SCIENTIST, "fraud")),
        ("approver@0", Grant(Role.APPROVER, "0")),
        ("deployer@a-b", Grant(Role.DEPLOYER, "a-b")),
        (f"deployer@{'a' * 39}", Grant(Role.DEPLOYER, "a" * 39)),
        ("compliance", Grant(Role.COMPLIANCE, None)),
        ("auditor", Grant(Role.AUDITOR, None)),
        ("custodian", Grant(Role.CUSTODIAN, None)),
    ],
)
def test_a_written_grant_is_read(text: str, grant: Grant) -> None:
    """``role@team`` for the roles of a team, ``role`` for those over all teams."""
    assert parse_grant(text) == grant


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "@fraud", "admin", "admin@fraud", "us-east-1_abc_Google"),
        *("data-scientist", "data-scientist@", "approver", "deployer@"),
        *("compliance@", "compliance@fraud", "auditor@fraud", "custodian@*"),
        *("Data-Scientist@fraud", "DATA_SCIENTIST@fraud", "data-scientist@Fraud", "COMPLIANCE"),
        *("data-scientist@*", "data-scientist@fraud@nlp", "data-scientist@@fraud", "data-scientist@a/b"),
        *(
            " compliance",
            "compliance\n",
            "data-scientist@fraud ",
            "data-scientist@fraud\n",
            "data-scientist @fraud",
        ),
        *(f"deployer@{'a' * 40}", "deployer@-a", "deployer@é", "deployer@${aws:PrincipalTag/team}"),
    ],
)
def test_whatever_else_a_pool_holds_grants_nothing(text: str) -> None:
    """A group that means nothing here is no error and no role; no team is a wildcard."""
    assert parse_grant(text) is None


ROLES = ["compliance", "data-scientist@fraud", "smas/compliance", "smas/data-scientist@fraud"]


@given(groups=st.lists(st.sampled_from(ROLES)), scopes=st.lists(st.sampled_from(ROLES)))
@settings(max_examples=60)
def test_a_persons_scopes_and_a_machines_groups_grant_nothing(groups: list[str], scopes: list[str]) -> None:
    """A person's roles come from groups alone and a machine's from scopes alone, whatever the token holds."""
    assert grants_of(groups, scopes, machine=False) == grants_of(groups, [], machine=False)
    assert grants_of(groups, scopes, machine=True) == grants_of([], scopes, machine=True)
    assert grants_of([], ROLES, machine=False) == ()
    assert grants_of(ROLES, [], machine=True) == ()


def test_a_machines_scopes_count_only_with_the_resource_servers_prefix() -> None:
    """Another resource server's scope of the same name is none of ours, nor is a prefix twice."""
    scopes = [
        "deployer@fraud",
        "other/deployer@fraud",
        "smas/smas/deployer@fraud",
        "SMAS/deployer@fraud",
        "smas/",
    ]
    assert grants_of([], scopes, machine=True) == ()
    assert grants_of([], ["smas/deployer@fraud"], machine=True) == (Grant(Role.DEPLOYER, "fraud"),)


def test_a_persons_group_with_the_prefix_of_scopes_is_no_role() -> None:
    """Groups are written without it."""
    assert grants_of(["smas/compliance"], [], machine=False) == ()


WRITTEN = [
    "deployer@a",
    "custodian",
    "auditor",
    "compliance",
    "approver@a",
    "data-scientist@b",
    "data-scientist@a",
]
PREFERRED = (
    Grant(Role.DATA_SCIENTIST, "a"),
    Grant(Role.DATA_SCIENTIST, "b"),
    Grant(Role.APPROVER, "a"),
    Grant(Role.COMPLIANCE, None),
    Grant(Role.AUDITOR, None),
    Grant(Role.CUSTODIAN, None),
    Grant(Role.DEPLOYER, "a"),
)


@settings(max_examples=50)
@given(st.permutations(WRITTEN + WRITTEN[:2]))
def test_the_order_and_number_of_groups_do_not_matter(groups: list[str]) -> None:
    """Grants are in the order of preference, each once, whatever the token's order."""
    assert grants_of(groups, [], machine=False) == PREFERRED


@pytest.mark.parametrize(
    ("permission", "team", "role"),
    [
        (Permission.VERSION_DOWNLOAD, "a", Role.DATA_SCIENTIST),
        (Permission.VERSION_DOWNLOAD, "c", Role.COMPLIANCE),
        (Permission.ALIAS_PROTECT, "a", Role.APPROVER),
        (Permission.MODEL_READ, "c", Role.COMPLIANCE),
    ],
)
def test_the_preferred_grant_is_used(permission: Permission, team: str, role: Role) -> None:
    """A person of several roles acts as the team's own first, as the narrowest reader last."""
    who = replace(NOBODY, grants=PREFERRED)
    found = who.grant_for(permission, team)
    assert found is not None
    assert found.role is role


def test_no_grant_reaches_into_another_team() -> None:
    """What is allowed in one team is not in another."""
    assert DS_FRAUD.grant_for(Permission.VERSION_PUBLISH, "fraud") == Grant(Role.DATA_SCIENTIST, "fraud")
    assert DS_FRAUD.grant_for(Permission.VERSION_PUBLISH, "fraud-2") is None
    assert DS_FRAUD.grant_for(Permission.ALIAS_PROTECT, "fraud") is None
    assert [DS_FRAUD.sees("fraud"), DS_FRAUD.sees("nlp"), NOBODY.sees("fraud")] == [True, False, False]


@pytest.mark.parametrize("grants", list(permutations(PREFERRED[:4], 3)), ids=str)
def test_lists_over_all_teams_never_overlap(grants: tuple[Grant, ...]) -> None:
    """Every team is reached, and by one grant only, so that no model is listed twice."""
    who = principal("two-hats", *grants)
    chosen = who.grants_for(Permission.MODEL_READ)
    for team in ("a", "b", "elsewhere"):
        reaching = [grant for grant in chosen if grant.covers(team)]
        assert len(reaching) == (1 if who.grant_for(Permission.MODEL_READ, team) else 0)


def test_lists_use_grants_of_the_permission_only() -> None:
    """One grant a team, in the order of teams; none that does not allow what is asked."""
    who = replace(NOBODY, grants=PREFERRED)
    assert who.grants_for(Permission.ALIAS_WRITE) == PREFERRED[:2]
    assert who.grants_for(Permission.MODEL_READ) == (Grant(Role.COMPLIANCE, None),)
    assert NOBODY.grants_for(Permission.MODEL_READ) == ()
    twice = replace(NOBODY, grants=(PREFERRED[1], PREFERRED[2], PREFERRED[6]))
    assert twice.grants_for(Permission.VERSION_DOWNLOAD) == (PREFERRED[2], PREFERRED[1])


def test_permissions_are_those_of_all_grants_in_a_stable_order() -> None:
    """What ``whoami`` shows: everything some grant allows, once, in the alphabet's order."""
    grants = Grant(Role.APPROVER, "a"), Grant(Role.DATA_SCIENTIST, "b"), Grant(Role.AUDITOR, None)
    every = principal("three-hats", *grants)
    assert [str(permission) for permission in every.permissions] == sorted(MATRIX)
    assert NOBODY.permissions == ()


def test_a_caller_is_shown_by_name_else_by_subject() -> None:
    """People have names, machines have not."""
    assert [DS_FRAUD.name, replace(DS_FRAUD, username=None).name] == ["ds-fraud", "sub-of-ds-fraud"]
