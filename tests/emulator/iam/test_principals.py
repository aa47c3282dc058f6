"""What a caller is known by."""

from __future__ import annotations

from datetime import timedelta, timezone
from itertools import permutations

import pytest
from smas_emulator.gateway.principals import Anonymous, Principal, ServicePrincipal
from smas_emulator.iam.evaluation import Request, decide, principal_context

from tests.emulator.iam.cases import (
    ACCOUNT,
    CREATED,
    OBJECT,
    ROOT,
    SESSION,
    USER,
    allow,
    deny,
    policy,
    session,
    to,
    user,
)

ACCOUNT_ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def test_a_user_is_known_by_name_id_and_tags() -> None:
    """And not by a time of issue: its key is not temporary."""
    assert principal_context(user(team="fraud")) == {
        "aws:PrincipalType": "User",
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/Bob",
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalTag/team": "fraud",
        "aws:userid": "AIDACKCEVSQ6C2EXAMPLE",
        "aws:username": "Bob",
    }


def test_a_session_is_known_by_its_role_and_its_source_identity() -> None:
    """The ARN is the role's, with its path; there is no name of a user."""
    made = session(
        role_path="/a/",
        source_identity="sub",
        tags={"team": "fraud"},
        created=CREATED.astimezone(timezone(timedelta(hours=2))),
    )
    assert principal_context(made) == {
        "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/a/examplerole",
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalTag/team": "fraud",
        "aws:SourceIdentity": "sub",
        "aws:TokenIssueTime": "2026-11-24T09:00:00Z",
        "aws:MultiFactorAuthPresent": "false",
        "aws:userid": "AROADBQP57FF2AEXAMPLE:examplesession",
    }
    assert "aws:SourceIdentity" not in principal_context(SESSION)


def test_root_services_and_nobody_are_told_apart() -> None:
    """By what each has."""
    assert principal_context(ROOT)["aws:PrincipalType"] == "Account"
    assert principal_context(ROOT)["aws:PrincipalArn"] == ACCOUNT_ROOT
    assert principal_context(ServicePrincipal("s3.amazonaws.com")) == {
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": "s3.amazonaws.com",
        "aws:PrincipalServiceNamesList": ("s3.amazonaws.com",),
    }
    assert "aws:PrincipalArn" not in principal_context(Anonymous())


def test_the_request_knows_better_than_the_caller() -> None:
    """Keys that come with the request win."""
    told = policy(allow(Condition={"StringEquals": {"aws:username": "Alice"}}))
    request = Request("s3:GetObject", OBJECT, {"AWS:UserName": "Alice"})
    assert decide(request, USER, identity=[told]).allowed


@pytest.mark.parametrize(
    ("named", "spared"),
    [
        ((ACCOUNT,), [ROOT]),
        ((ACCOUNT_ROOT,), [ROOT]),
        ((ACCOUNT_ROOT, USER.arn), [ROOT, USER]),
        ((ACCOUNT, SESSION.arn, SESSION.role_arn), [ROOT, SESSION]),
        ((ACCOUNT, SESSION.role_arn), [ROOT]),
        (("*",), [ROOT, USER, SESSION, Anonymous(), ServicePrincipal("s3.amazonaws.com")]),
    ],
)
def test_whom_a_denial_of_all_others_spares(named: tuple[str, ...], spared: list[Principal]) -> None:
    """Whoever is named in full, with the account, and nobody by half."""
    others = policy(deny(Principal=None, NotPrincipal=to(*named)))
    everybody: list[Principal] = [ROOT, USER, SESSION, Anonymous(), ServicePrincipal("s3.amazonaws.com")]
    request = Request("s3:GetObject", OBJECT)
    assert [each for each in everybody if not decide(request, each, resource=others).explicit] == [
        each for each in everybody if each in spared
    ]


def test_a_service_can_be_spared() -> None:
    """By its name as a service."""
    others = policy(deny(Principal=None, NotPrincipal={"Service": "s3.amazonaws.com"}))
    request = Request("s3:GetObject", OBJECT)
    assert not decide(request, ServicePrincipal("s3.amazonaws.com"), resource=others).explicit
    assert decide(request, ServicePrincipal("sqs.amazonaws.com"), resource=others).explicit


@pytest.mark.parametrize("principals", [*permutations([ACCOUNT_ROOT, SESSION.role_arn, SESSION.arn])])
def test_the_closest_naming_counts(principals: tuple[str, ...]) -> None:
    """In whichever order statements name the account, the role and the session."""
    request = Request("s3:GetObject", OBJECT)
    elsewhere = policy(allow("s3:ListBucket"))
    for named, limit, allowed in (
        ({ACCOUNT_ROOT}, None, False),
        ({ACCOUNT_ROOT, SESSION.role_arn}, None, True),
        ({ACCOUNT_ROOT, SESSION.role_arn}, elsewhere, False),
        ({ACCOUNT_ROOT, SESSION.role_arn, SESSION.arn}, elsewhere, True),
    ):
        resource = policy(*(allow(Principal=to(each)) for each in principals if each in named))
        assert decide(request, SESSION, session=limit, resource=resource).allowed is allowed
