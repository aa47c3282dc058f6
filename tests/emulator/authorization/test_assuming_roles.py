"""Who may assume which role, how, and for how long."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.authorization.authorizer import Authorizer
from smas_emulator.gateway.errors import AwsError

from tests.emulator.authorization.account import (
    ACCOUNT,
    LOCAL_USER,
    ME,
    ROOT,
    FakeAccount,
    assuming,
    call,
    session,
)
from tests.infra.rendering import PERSONAS, ROLES, VERIFIERS, WATCH

if TYPE_CHECKING:
    from smas_emulator.gateway.calls import Call
    from smas_emulator.gateway.principals import IamUser, RoleSession

SERVICE, WORKER = session("service"), session("worker")
NAMED: dict[str, Any] = {
    "SourceIdentity": ME,
    "Tags": [{"Key": "jti", "Value": "j"}, {"Key": "team", "Value": "fraud"}],
}
TARGET = f"arn:aws:iam::{ACCOUNT}:role/smas-data-scientist"


def error_of(asked: Call, account: FakeAccount | None = None) -> AwsError | None:
    """The error of an AssumeRole; None when it may be served."""
    try:
        Authorizer(account or FakeAccount()).authorize(asked)
    except AwsError as error:
        return error
    return None


def as_person(**changed: Any) -> Call:
    """The service's own AssumeRole, changed; None leaves a member out."""
    asked = {**NAMED, **changed}
    kept = {name: value for name, value in asked.items() if value is not None}
    return assuming(SERVICE, "persona-data-scientist", **kept)


def test_everybody_assumes_what_they_are_meant_to() -> None:
    """This machine's user two roles, the service the personas, the worker its own, and no one else."""
    callers: list[IamUser | RoleSession] = [
        LOCAL_USER,
        SERVICE,
        WORKER,
        *(session(each) for each in PERSONAS),
    ]
    asking: list[dict[str, Any]] = [{}, NAMED, {"SourceIdentity": "smas-verifier"}]
    becomes = {
        (caller.arn, template)
        for caller in callers
        for template in ROLES
        for asked in asking
        if error_of(assuming(caller, template, **asked)) is None
    }
    assert becomes == {
        *((LOCAL_USER.arn, each) for each in ("service", "worker")),
        *((SERVICE.arn, each) for each in PERSONAS),
        *((WORKER.arn, each) for each in (*VERIFIERS, WATCH)),
    }


@pytest.mark.parametrize(
    ("changed", "action"),
    [
        ({"SourceIdentity": None}, "sts:AssumeRole"),
        ({"SourceIdentity": None, "Tags": None}, "sts:AssumeRole"),
        ({"Tags": [{"Key": "jti", "Value": "j"}, {"Key": "admin", "Value": "yes"}]}, "sts:TagSession"),
        ({"Tags": None}, "sts:AssumeRole"),
        ({"Tags": [{"Key": "team", "Value": "fraud"}]}, "sts:AssumeRole"),
    ],
)
def test_a_session_has_a_person_and_no_tags_but_ours(changed: dict[str, Any], action: str) -> None:
    """The refusal names the first of the three permissions that is missing."""
    error = error_of(as_person(**changed))
    assert error is not None
    assert (error.code, error.status) == ("AccessDenied", 403)
    assert (
        error.message == f"User: {SERVICE.arn} is not authorized to perform: {action} on resource: {TARGET}"
    )


def test_a_verifier_takes_no_tags() -> None:
    """Its role does not trust the worker with that."""
    asked = {"SourceIdentity": "smas-verifier", "Tags": [{"Key": "team", "Value": "fraud"}]}
    error = error_of(assuming(WORKER, "verifier-tagging", **asked))
    assert error is not None
    assert "sts:TagSession" in error.message


def test_a_role_that_is_not_there_is_refused_no_differently() -> None:
    """Neither by name nor by path."""
    for arn in (f"arn:aws:iam::{ACCOUNT}:role/none", f"arn:aws:iam::{ACCOUNT}:role/path/smas-data-scientist"):
        error = error_of(as_person(RoleArn=arn))
        assert error is not None
        assert error.message.endswith(f"on resource: {arn}")
        assert error.code == "AccessDenied"


def test_root_assumes_no_role() -> None:
    """AWS refuses root's keys, whatever the role trusts."""
    account = FakeAccount()
    account.roles["smas-data-scientist"] = replace(
        account.roles["smas-data-scientist"], trust=trusting_account()
    )
    error = error_of(assuming(ROOT, "persona-data-scientist"), account)
    assert error is not None
    assert (error.code, error.message) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def trusting_account(*actions: str) -> str:
    """A trust policy that leaves it to the account's own policies."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": list(actions) or ["sts:AssumeRole"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_role_that_trusts_the_account_leaves_it_to_the_callers_policies() -> None:
    """One that names the caller does not ask them; but their explicit Deny counts."""
    account = FakeAccount()
    account.policies["smas-service"] = []
    assert error_of(as_person(), account) is None
    deny = {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}
    account.policies["smas-service"] = [json.dumps({"Version": "2012-10-17", "Statement": [deny]})]
    error = error_of(as_person(), account)
    assert error is not None
    assert error.message.endswith("with an explicit deny in an identity-based policy")

    trust = trusting_account("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
    account.roles["smas-data-scientist"] = replace(account.roles["smas-data-scientist"], trust=trust)
    account.policies["smas-service"] = []
    assert error_of(as_person(), account) is not None
    account.policies["smas-service"] = FakeAccount().policies["smas-service"]
    assert error_of(as_person(), account) is None


def test_a_chain_keeps_its_source_identity() -> None:
    """It may be said again, may not be changed, and must be allowed though it is only inherited."""
    account = FakeAccount()
    trust = trusting_account("sts:AssumeRole", "sts:SetSourceIdentity")
    account.roles["smas-next"] = replace(
        account.roles["smas-service"], arn=f"arn:aws:iam::{ACCOUNT}:role/smas-next", trust=trust
    )
    caller = session("persona-auditor", tags={})
    allow = {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}
    account.policies["smas-auditor"] = [json.dumps({"Version": "2012-10-17", "Statement": [allow]})]
    assert error_of(assuming(caller, "next"), account) is None
    assert error_of(assuming(caller, "next", SourceIdentity=ME), account) is None
    error = error_of(assuming(caller, "next", SourceIdentity="somebody"), account)
    assert error is not None
    assert (error.code, error.status) == ("ValidationError", 400)
    assert error.message == "The source identity is already set for this assume role session"
    account.roles["smas-next"] = replace(account.roles["smas-next"], trust=trusting_account())
    error = error_of(assuming(caller, "next"), account)
    assert error is not None
    assert "sts:SetSourceIdentity" in error.message


def test_transitive_tags_go_on_and_cannot_be_changed() -> None:
    """What is inherited has to be allowed, and wins."""
    account = FakeAccount()
    caller = replace(SERVICE, tags={"Team": "fraud"}, transitive_tags=frozenset({"Team"}))
    changed = assuming(caller, "persona-data-scientist", **NAMED)
    error = error_of(changed, account)
    assert error is not None
    assert error.code == "InvalidParameterValue"
    inherited = assuming(caller, "verifier-tagging", SourceIdentity="smas-verifier")
    trust = json.loads(account.roles["smas-verifier-tagging"].trust)
    trust["Statement"][0]["Principal"] = {"AWS": SERVICE.role_arn}
    account.roles["smas-verifier-tagging"] = replace(
        account.roles["smas-verifier-tagging"], trust=json.dumps(trust)
    )
    error = error_of(inherited, account)
    assert error is not None
    assert "sts:TagSession" in error.message


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"RoleSessionName": "a b"}, r"'a b' at 'roleSessionName'.*pattern: \[\\w\+=,\.@-\]\*"),
        ({"RoleSessionName": "é" * 3}, "pattern"),
        ({"RoleSessionName": "x"}, "greater than or equal to 2"),
        ({"RoleSessionName": "x" * 65}, "less than or equal to 64"),
        ({"RoleSessionName": None}, "null at 'roleSessionName'"),
        ({"SourceIdentity": "x y"}, "'sourceIdentity'"),
        ({"SourceIdentity": "aws:x"}, "'sourceIdentity'"),
        ({"SourceIdentity": ""}, "greater than or equal to 2"),
        ({"ExternalId": "x"}, "'externalId'"),
        ({"DurationSeconds": 899}, "greater than or equal to 900"),
        ({"DurationSeconds": 43201}, "less than or equal to 43200"),
        ({"RoleArn": "x" * 19}, "'roleArn'"),
        ({"RoleArn": "arn:aws:iam::1:user/somebody"}, "is invalid"),
        ({"Policy": "x" * 2049}, "less than or equal to 2048"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}, "not supported"),
        ({"Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]}, "equal to 50"),
        ({"Tags": [{"Key": "k" * 129, "Value": ""}]}, "'tags.1.member.key'.*less than or equal to 128"),
        ({"Tags": [{"Key": "", "Value": ""}]}, "'tags.1.member.key'.*greater than or equal to 1"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "'tags.1.member.value'.*less than or equal to 256"),
        ({"Tags": [{"Key": "k", "Value": "a|b"}]}, "'tags.1.member.value'.*pattern"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "reserved"),
    ],
)
def test_what_is_malformed_is_told_whoever_asks(changed: dict[str, Any], complaint: str) -> None:
    """As a `ValidationError` in STS's own words."""
    asked = as_person(**changed)
    if changed.get("RoleSessionName", "") is None:
        parameters = {name: value for name, value in asked.parameters.items() if name != "RoleSessionName"}
        asked = replace(asked, parameters=parameters)
    error = error_of(asked)
    assert error is not None
    assert (error.code, error.status) == ("ValidationError", 400)
    assert re.search(complaint, error.message)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Tags": [{"Key": "jti", "Value": "1"}, {"Key": "JTI", "Value": "2"}]}, "InvalidParameterValue"),
        ({"TransitiveTagKeys": ["other"]}, "InvalidParameterValue"),
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        (
            {
                "Policy": '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", '
                '"Action": "s3:GetObject", "Resource": "*"}}'
            },
            "MalformedPolicyDocument",
        ),
    ],
)
def test_other_faults_have_codes_of_their_own(changed: dict[str, Any], code: str) -> None:
    """Also before anybody asks who may."""
    error = error_of(as_person(**changed))
    assert error is not None
    assert (error.code, error.status) == (code, 400)


def test_several_faults_are_told_together() -> None:
    """With their number."""
    error = error_of(as_person(RoleSessionName="a b", DurationSeconds=1))
    assert error is not None
    assert error.message.startswith("2 validation errors detected: ")


@given(st.text("abcXYZ019_+=,.@-", min_size=2, max_size=64))
def test_any_name_of_the_documented_characters_will_do(name: str) -> None:
    """As session name and as source identity."""
    assert error_of(as_person(RoleSessionName=name, SourceIdentity=name)) is None


def test_a_session_lasts_no_longer_than_its_role_or_an_hour_in_a_chain() -> None:
    """In the order in which STS looks."""
    account = FakeAccount()
    error = error_of(as_person(DurationSeconds=3601), account)
    assert error is not None
    assert error.message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    for name, role in account.roles.items():
        account.roles[name] = replace(role, max_session_seconds=43_200)
    error = error_of(as_person(DurationSeconds=3601), account)
    assert error is not None
    assert "1 hour session limit for roles assumed by role chaining" in error.message
    assert error_of(as_person(DurationSeconds=3600), account) is None
    assert error_of(assuming(LOCAL_USER, "service", DurationSeconds=43_200), account) is None


def test_who_am_i_needs_no_permission() -> None:
    """Anybody with a key may ask, and nothing else of STS is free."""
    assert error_of(call(session("unknown"), "GetCallerIdentity", "sts")) is None
    for operation in ("AssumeRoleWithSAML", "GetFederationToken", "GetAccessKeyInfo"):
        error = error_of(call(session("unknown"), operation, "sts"))
        assert error is not None
        assert (error.code, error.status) == ("AccessDenied", 403)
