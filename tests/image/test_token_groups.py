"""What a token says of its person, decided from an event as Cognito sends it."""

from __future__ import annotations

import copy
import json
import logging
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.aws_lambda.invocation import InvocationIds, UnknownEvent
from service.aws_lambda.token_groups import (
    Person,
    TokenGroupsFunction,
    groups_of,
    listed,
    provider_groups,
)
from service.domain.access import parse_grant
from service.settings import SettingsError
from tests.image.events import EVENTS, load

MAPPED: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "Bank": {"ML-Fraud": ("approver@fraud", "data-scientist@fraud"), "Audit": ("auditor",)},
    "Partner": {"guests": ("data-scientist@nlp",)},
}
# What no mapping names: ours, and whatever else a provider may send.
ROLES: Final = ("compliance", "approver@fraud", "custodian", "data-scientist@nlp")


class Invocation:
    """All that the function asks of a context."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """As Cognito gives it."""
        return 5_000


def event(**attributes: str | None) -> dict[str, Any]:
    """The event of somebody of the provider "Bank", with these attributes; None takes one away."""
    made = load(EVENTS / "token_groups_event.json", str)
    told = {**made["request"]["userAttributes"], **attributes}
    made["request"]["userAttributes"] = {name: value for name, value in told.items() if value is not None}
    return made


def answered(made: dict[str, Any]) -> list[str]:
    """The groups that the token then names."""
    answer = TokenGroupsFunction(MAPPED, InvocationIds())(made, Invocation())
    details = answer["response"]["claimsAndScopeOverrideDetails"]["groupOverrideDetails"]
    assert details["iamRolesToOverride"] == []
    return list(details["groupsToOverride"])


def of_the_pool(*groups: str, **attributes: str) -> dict[str, Any]:
    """The event of somebody whom the pool itself knows."""
    made = event(identities=None, **{"cognito:user_status": "CONFIRMED", **attributes})
    made["request"]["groupConfiguration"]["groupsToOverride"] = list(groups)
    return made


def identities(*providers: str) -> str:
    """The attribute as Cognito writes it."""
    return json.dumps([{"userId": "a", "providerName": each, "primary": True} for each in providers])


def test_a_providers_groups_are_what_they_are_mapped_to() -> None:
    """And what is mapped to nothing is nothing, even if it has the name of a role of ours."""
    assert answered(event()) == ["approver@fraud", "data-scientist@fraud"]


def test_the_answer_is_the_event_with_what_cognito_is_to_change() -> None:
    """The rest of it comes back as it went."""
    asked = event()
    answer = TokenGroupsFunction(MAPPED, InvocationIds())(copy.deepcopy(asked), Invocation())
    assert {**answer, "response": None} == {**asked, "response": None}


def test_no_access_token_may_change_its_persons_attributes() -> None:
    """Else a person could write down groups as if the provider had."""
    for made in (event(), of_the_pool("compliance")):
        answer = TokenGroupsFunction(MAPPED, InvocationIds())(made, Invocation())
        details = answer["response"]["claimsAndScopeOverrideDetails"]
        assert details["accessTokenGeneration"] == {"scopesToSuppress": ["aws.cognito.signin.user.admin"]}


def test_people_of_the_pool_have_the_pools_groups() -> None:
    """All of them, and none of what their attributes say."""
    made = of_the_pool("data-scientist@fraud", "auditor", **{"custom:groups": "[ML-Fraud]"})
    assert answered(made) == ["auditor", "data-scientist@fraud"]
    assert answered(of_the_pool()) == []


def test_the_pools_groups_mean_nothing_for_people_of_a_provider() -> None:
    """Whoever leaves there has left here, whatever somebody put them into."""
    made = event(**{"custom:groups": "[Everybody]"})
    made["request"]["groupConfiguration"]["groupsToOverride"] = list(ROLES)
    assert answered(made) == []


def test_a_providers_groups_are_its_own() -> None:
    """What one provider's group means says nothing of another's of that name."""
    assert answered(event(identities=identities("Partner"))) == []
    assert answered(event(identities=identities("Elsewhere"))) == []
    partner = event(identities=identities("Partner"), **{"custom:groups": "guests"})
    assert answered(partner) == ["data-scientist@nlp"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"identities": identities("Bank", "Partner")},
        {"identities": None},
        {"identities": "[]"},
        {"identities": ""},
        {"cognito:user_status": "CONFIRMED"},
        {"cognito:user_status": None},
        {"custom:groups": None},
        {"custom:groups": ""},
        {"custom:groups": "[]"},
    ],
)
def test_whoever_is_not_clearly_of_one_provider_has_no_groups(attributes: dict[str, str | None]) -> None:
    """Of several, of none, linked to somebody of the pool, or without a word on groups."""
    assert answered(event(**attributes)) == []


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("ML-Fraud", ("ML-Fraud",)),
        ("[ML-Fraud]", ("ML-Fraud",)),
        ("[ML-Fraud, Audit]", ("ML-Fraud", "Audit")),
        ("ML-Fraud,Audit", ("ML-Fraud", "Audit")),
        ('["ML-Fraud", "Audit"]', ("ML-Fraud", "Audit")),
        ('["x, ML-Fraud"]', ("x, ML-Fraud",)),
        ("[ML%2DFraud]", ("ML%2DFraud",)),
        ("ml-fraud", ("ml-fraud",)),
        ("[ML-Fraud", ("[ML-Fraud",)),
        ("", ()),
        ("[]", ()),
        (" , ,", ()),
    ],
)
def test_lists_are_read_as_providers_write_them(said: str, names: tuple[str, ...]) -> None:
    """Names as they are: neither decoded nor in other letters."""
    assert listed(said) == names


NAMES = st.text("ABCabc019._-", min_size=1, max_size=8)


@given(st.lists(NAMES, max_size=5))
def test_every_way_of_writing_a_list_says_the_same(names: list[str]) -> None:
    """For names that may be mapped (infra/variables.tf)."""
    wanted = tuple(names)
    assert listed(json.dumps(names)) == listed(f"[{', '.join(names)}]") == listed(",".join(names)) == wanted


@given(
    said=st.text(max_size=40) | st.lists(st.sampled_from(["ML-Fraud", "Audit", *ROLES])).map(json.dumps),
    providers=st.lists(st.sampled_from(["Bank", "Partner", "Elsewhere"]), max_size=3),
    pool_groups=st.lists(st.sampled_from(ROLES)),
    federated=st.booleans(),
)
def test_nobody_gets_a_group_that_no_administrator_gave(
    said: str, providers: list[str], pool_groups: list[str], federated: bool
) -> None:
    """Each is the pool's for people of the pool alone, or mapped for the one provider that a person has."""
    groups = groups_of(Person(federated, tuple(providers), said, tuple(pool_groups)), MAPPED)
    if not federated and not providers:
        allowed = set(pool_groups)
    elif federated and len(providers) == 1:
        allowed = {role for roles in MAPPED.get(providers[0], {}).values() for role in roles}
    else:
        allowed = set()
    assert set(groups) <= allowed
    assert list(groups) == sorted(set(groups))


@given(st.sets(st.sampled_from(["ML-Fraud", "Audit"])), st.lists(NAMES, max_size=3))
def test_other_groups_change_nothing(ours: set[str], others: list[str]) -> None:
    """Whoever is in groups that mean something has what they mean, whatever else they are in."""
    bank = MAPPED["Bank"]
    told = json.dumps([*others, *sorted(ours)])
    wanted = {role for name in {*ours, *others} for role in bank.get(name, ())}
    assert set(groups_of(Person(True, ("Bank",), told, ()), MAPPED)) == wanted


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1"},
        {"triggerSource": "PreSignUp_SignUp"},
        {"triggerSource": None},
        {"request": None},
        {"request": {}},
        {"request": {"userAttributes": None}},
        {"request": {"userAttributes": {"identities": "not JSON"}}},
        {"request": {"userAttributes": {"identities": '[{"userId": "a"}]'}}},
        {"request": {"userAttributes": {}, "groupConfiguration": {"groupsToOverride": "compliance"}}},
    ],
)
def test_an_event_that_is_not_understood_gives_no_token(change: dict[str, Any]) -> None:
    """The function fails, and Cognito then signs nobody in."""
    with pytest.raises(UnknownEvent):
        answered({**event(), **change})


def test_who_got_which_groups_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By name and identity, with the provider, and not what else the provider said of them."""
    with caplog.at_level(logging.INFO, "service.aws_lambda.token_groups"):
        answered(event())
    (record,) = caplog.records
    told = record.__dict__
    assert told["subject"] == "00000000-0000-4000-8000-00000000000a"
    assert told["username"] == "Bank_alice@example.com"
    assert told["providers"] == ("Bank",)
    assert told["groups"] == ("approver@fraud", "data-scientist@fraud")
    assert "Everybody" not in str(told)


def test_the_setting_is_roles_by_group_by_provider() -> None:
    """As Terraform writes it."""
    written = json.dumps(
        {name: {group: list(roles) for group, roles in groups.items()} for name, groups in MAPPED.items()}
    )
    assert provider_groups({"SMAS_PROVIDER_GROUPS": written}) == MAPPED
    assert provider_groups({"SMAS_PROVIDER_GROUPS": "{}"}) == {}


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (None, "SMAS_PROVIDER_GROUPS is missing"),
        ("", "as JSON"),
        ("[]", "as JSON"),
        ('{"Bank": {"ML-Fraud": "approver@fraud"}}', "as JSON"),
        ('{"Bank": {"ML-Fraud": ["approver"]}}', "no role: approver"),
        ('{"Bank": {"ML-Fraud": ["compliance@fraud", "root"]}}', "no role: compliance@fraud, root"),
    ],
)
def test_a_wrong_setting_ends_the_start(written: str | None, fault: str) -> None:
    """By name, with what is wrong: a mapping to what is no role would silently give nothing."""
    environ = {} if written is None else {"SMAS_PROVIDER_GROUPS": written}
    with pytest.raises(SettingsError, match=fault):
        provider_groups(environ)


def test_what_is_mapped_to_is_what_the_service_reads() -> None:
    """A role as the trigger writes it is a grant to the service."""
    roles = [role for groups in MAPPED.values() for each in groups.values() for role in each]
    assert all(parse_grant(role) for role in roles)
