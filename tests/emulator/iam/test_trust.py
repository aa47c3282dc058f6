"""Whom a role trusts to assume, tag and name its sessions."""

from __future__ import annotations

from typing import Any

import pytest
from smas_emulator.gateway.principals import Anonymous, Principal, ServicePrincipal
from smas_emulator.iam.evaluation import Decision
from smas_emulator.iam.trust import may_assume

from tests.emulator.iam.cases import (
    ACCOUNT,
    ROOT,
    SESSION,
    USER,
    Values,
    allow,
    deny,
    policy,
    session,
    to,
    user,
)

# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
DEVELOPER = allow(
    ["sts:AssumeRole", "sts:SetSourceIdentity"],
    None,
    Principal=to(f"arn:aws:iam::{ACCOUNT}:user/DevUser"),
    Condition={"StringEquals": {"sts:SourceIdentity": "DevUser"}},
)
CHAINED = allow(
    ["sts:AssumeRole", "sts:SetSourceIdentity"],
    None,
    Principal=to(f"arn:aws:iam::{ACCOUNT}:role/CriticalRole"),
    Condition={"StringLike": {"aws:SourceIdentity": ["Saanvi", "Diego"]}},
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
TAGGED = (
    allow(
        "sts:AssumeRole",
        None,
        Principal=to(ACCOUNT),
        Condition={"StringEquals": {"sts:ExternalId": "Example987"}},
    ),
    allow(
        "sts:TagSession",
        None,
        Principal=to(ACCOUNT),
        Condition={
            "StringLike": {"aws:RequestTag/Project": "*", "aws:RequestTag/CostCenter": "*"},
            "StringEquals": {"aws:RequestTag/Department": ["Engineering", "Marketing"]},
            "ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["Project", "Department"]},
        },
    ),
)
TAGS: Values = {
    "sts:ExternalId": "Example987",
    "aws:RequestTag/Project": "Automation",
    "aws:RequestTag/CostCenter": "12345",
    "aws:RequestTag/Department": "Engineering",
    "sts:TransitiveTagKeys": ("Project", "Department"),
}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
SERVICE = allow("sts:AssumeRole", None, Principal={"Service": ["ecs.amazonaws.com", "ec2.amazonaws.com"]})

ASSUME, NAME, TAG = "sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"
DEV = user("DevUser")
NAMED: Values = {"sts:SourceIdentity": "DevUser", "sts:RoleSessionName": "Dev-project"}
CRITICAL = session("CriticalRole", source_identity="Saanvi")


@pytest.mark.parametrize(
    ("trust", "principal", "actions", "context", "allowed"),
    [
        ((DEVELOPER,), DEV, (ASSUME, NAME), NAMED, True),
        ((DEVELOPER,), DEV, (ASSUME, NAME), {**NAMED, "sts:SourceIdentity": "Somebody"}, False),
        ((DEVELOPER,), DEV, (ASSUME,), {"sts:RoleSessionName": "Dev-project"}, False),
        ((DEVELOPER,), user("Other"), (ASSUME, NAME), NAMED, False),
        ((DEVELOPER,), DEV, (ASSUME, NAME, TAG), NAMED, False),
        ((CHAINED,), CRITICAL, (ASSUME, NAME), {}, True),
        ((CHAINED,), session("CriticalRole", source_identity="Eve"), (ASSUME, NAME), {}, False),
        ((CHAINED,), session("CriticalRole"), (ASSUME,), {}, False),
        (TAGGED, USER, (ASSUME, TAG), TAGS, True),
        (TAGGED, USER, (ASSUME,), {"sts:ExternalId": "Example987"}, True),
        (TAGGED, USER, (ASSUME,), {}, False),
        (TAGGED[:1], USER, (ASSUME, TAG), TAGS, False),
        (TAGGED, USER, (ASSUME, TAG), {**TAGS, "aws:RequestTag/Department": "Sales"}, False),
        (TAGGED, USER, (ASSUME, TAG), {**TAGS, "sts:TransitiveTagKeys": ("CostCenter",)}, False),
        (TAGGED, USER, (ASSUME, TAG), {k: v for k, v in TAGS.items() if k != "sts:TransitiveTagKeys"}, True),
        (TAGGED, USER, (ASSUME, TAG), {k: v for k, v in TAGS.items() if "Project" not in k}, False),
        ((SERVICE,), ServicePrincipal("ec2.amazonaws.com"), (ASSUME,), {}, True),
        ((SERVICE,), ServicePrincipal("s3.amazonaws.com"), (ASSUME,), {}, False),
        ((SERVICE,), USER, (ASSUME,), {}, False),
        ((allow(ASSUME, None, Principal="*"),), SESSION, (ASSUME,), {}, True),
        ((allow(ASSUME, None, Principal="*"),), Anonymous(), (ASSUME,), {}, False),
        ((allow(ASSUME, None, Principal={"Federated": "accounts.google.com"}),), USER, (ASSUME,), {}, False),
        ((allow("sts:*", None, Principal=to(ACCOUNT)),), ROOT, (ASSUME, TAG, NAME), {}, True),
        ((allow("sts:*", None, Principal=to("999999999999")),), USER, (ASSUME,), {}, False),
        ((allow("sts:*", None, Principal=to(ACCOUNT)),), USER, (), {}, False),
    ],
)
def test_every_action_must_be_allowed(
    trust: tuple[dict[str, Any], ...],
    principal: Principal,
    actions: tuple[str, ...],
    context: Values,
    *,
    allowed: bool,
) -> None:
    """To the caller, by the keys of the request and the caller's own."""
    decision = may_assume(policy(*trust), principal, actions, context)
    assert decision == Decision(allowed=allowed, policy="" if allowed else "resource-based")


def test_a_trust_policy_can_deny() -> None:
    """One of the actions, and then all of them."""
    trust = policy(
        allow("sts:*", None, Principal="*"),
        deny(TAG, None, Sid="NoTags", Principal="*", Condition={"Null": {"aws:TagKeys": "false"}}),
    )
    assert may_assume(trust, USER, (ASSUME, TAG), {}).allowed
    assert may_assume(trust, USER, (ASSUME, TAG), {"aws:TagKeys": ("a",)}) == Decision(
        allowed=False, explicit=True, policy="resource-based", sid="NoTags"
    )
