"""What AWS documents of the evaluation logic: denies, kinds of policies, principals, sessions, keys."""

from __future__ import annotations

from typing import Any

from smas_emulator.gateway.principals import Anonymous, ServicePrincipal

from tests.emulator.iam.cases import (
    ACCOUNT,
    BUCKET,
    JSON,
    ROOT,
    SESSION,
    Case,
    allow,
    deny,
    session,
    to,
    user,
)

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
LOGIC = f"{_GUIDE}/reference_policies_evaluation-logic_policy-eval-denyallow.html"
BASICS = f"{_GUIDE}/reference_policies_evaluation-logic_policy-eval-basics.html"
SESSIONS = f"{_GUIDE}/access_policies.html#policies_session"
PRINCIPAL = f"{_GUIDE}/reference_policies_elements_principal.html"
NOT_PRINCIPAL = f"{_GUIDE}/reference_policies_elements_notprincipal.html"
KEYS = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"
BLOCKED = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
AS_SERVICE = f"{_GUIDE}/reference_policies_condition-keys.html#condition-keys-principalisawsservice"

ACCOUNT_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BOB = f"arn:aws:iam::{ACCOUNT}:user/Bob"
AUDIT_APP = "arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/cross-account-audit-app"
AUDIT_ROLE = "arn:aws:iam::444455556666:role/cross-account-read-only-role"
OTHER_ROOT = "arn:aws:iam::444455556666:root"
TRAIL = ServicePrincipal("cloudtrail.amazonaws.com")
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd"
ENCRYPT: JSON = {"action": "kms:Encrypt", "on": KEY, "delegation_required": True}
AUDITOR = session("cross-account-read-only-role", "cross-account-audit-app", account="444455556666")


def given(*principals: str, **more: Any) -> tuple[JSON, ...]:
    """A resource's policy that allows reading objects."""
    return (allow(resource=f"{BUCKET}/*", Principal=to(*principals), **more),)


def excepting(*principals: str) -> tuple[JSON, ...]:
    """A resource's policy that denies all but some."""
    return (deny("s3:*", [BUCKET, f"{BUCKET}/*"], Principal=None, NotPrincipal=to(*principals)),)


CASES = (
    # Denies and kinds of policies
    Case(LOGIC, "By default every request is denied", allowed=False),
    Case(LOGIC, "Root has full access by default", allowed=True, principal=ROOT),
    Case(LOGIC, "An Allow overrides the default", allowed=True, identity=(allow(),)),
    Case(LOGIC, "A Deny overrides any Allow", allowed=False, identity=(allow(), deny())),
    Case(LOGIC, "A Deny of another action does not", allowed=True, identity=(allow(), deny("s3:PutObject"))),
    Case(
        LOGIC,
        "A Deny of the resource's policy overrides the caller's Allow",
        allowed=False,
        identity=(allow(),),
        resource=(deny(Principal="*"),),
    ),
    Case(
        LOGIC,
        "A Deny of the caller's policy overrides the resource's Allow",
        allowed=False,
        identity=(deny(),),
        resource=given(BOB),
    ),
    Case(
        LOGIC,
        "A Deny of the session's policy overrides all",
        allowed=False,
        principal=SESSION,
        identity=(allow(),),
        session=(allow("*"), deny()),
        resource=given(SESSION.arn),
    ),
    Case(
        LOGIC,
        "Explicit denies hold for root too",
        allowed=False,
        principal=ROOT,
        resource=(deny(Principal="*"),),
    ),
    Case(BASICS, "Either side's Allow is enough: the resource's", allowed=True, resource=given(BOB)),
    Case(
        BASICS,
        "Either side's Allow is enough: the caller's",
        allowed=True,
        identity=(allow(),),
        resource=given("999999999999"),
    ),
    Case(
        LOGIC,
        "What is given to a user directly, no implicit deny of theirs limits",
        allowed=True,
        identity=(allow("s3:PutObject"),),
        resource=given(BOB),
    ),
    # Session policies
    Case(
        SESSIONS,
        "A session has what both its role's and its own policy allow",
        allowed=True,
        principal=SESSION,
        identity=(allow(),),
        session=(allow(),),
    ),
    Case(
        SESSIONS,
        "What the session's policy does not allow, the role's does not give",
        allowed=False,
        principal=SESSION,
        identity=(allow(),),
        session=(allow("s3:ListBucket"),),
    ),
    Case(
        SESSIONS,
        "A session's policy gives nothing by itself",
        allowed=False,
        principal=SESSION,
        session=(allow(),),
    ),
    Case(
        LOGIC,
        "What is given to the role's ARN is limited by the session's policy",
        allowed=False,
        principal=SESSION,
        session=(allow("s3:ListBucket"),),
        resource=given(SESSION.role_arn),
    ),
    Case(
        SESSIONS,
        "What is given to the role's ARN and allowed by the session's policy, a session may do",
        allowed=True,
        principal=SESSION,
        session=(allow(),),
        resource=given(SESSION.role_arn),
    ),
    Case(
        LOGIC,
        "What is given to the session's ARN is not limited by the session's policy",
        allowed=True,
        principal=SESSION,
        session=(allow("s3:ListBucket"),),
        resource=given(SESSION.arn),
    ),
    Case(
        PRINCIPAL,
        "What is given to all with the role in aws:PrincipalArn is not limited by it either",
        allowed=True,
        principal=SESSION,
        session=(allow("s3:ListBucket"),),
        resource=given("*", Condition={"ArnEquals": {"aws:PrincipalArn": SESSION.role_arn}}),
    ),
    # Principals
    Case(
        PRINCIPAL,
        "Naming the account delegates to it, which gives nobody leave by itself",
        allowed=False,
        resource=given(ACCOUNT_ROOT),
    ),
    Case(
        PRINCIPAL,
        "The account's ARN does not mean root alone",
        allowed=True,
        identity=(allow(),),
        resource=given(ACCOUNT_ROOT),
    ),
    Case(
        PRINCIPAL, "An account's ARN is its root", allowed=True, principal=ROOT, resource=given(ACCOUNT_ROOT)
    ),
    Case(
        PRINCIPAL,
        "The number of an account and its ARN are the same",
        allowed=False,
        identity=(allow(),),
        resource=(deny(Principal=to(ACCOUNT)),),
    ),
    Case(
        PRINCIPAL,
        "Principals are alternatives",
        allowed=True,
        resource=given("arn:aws:iam::111122223333:user/Alice", BOB),
    ),
    Case(
        PRINCIPAL,
        "The name of a user is case-sensitive",
        allowed=False,
        resource=given(f"arn:aws:iam::{ACCOUNT}:user/bob"),
    ),
    Case(PRINCIPAL, "* is everybody", allowed=True, resource=given("*")),
    Case(PRINCIPAL, "* by itself is everybody too", allowed=True, resource=(allow(Principal="*"),)),
    Case(
        PRINCIPAL,
        "A session named is one session and no other",
        allowed=False,
        principal=session(name="another"),
        resource=given(SESSION.arn),
    ),
    Case(
        PRINCIPAL,
        "A service is named as a service",
        allowed=True,
        principal=TRAIL,
        resource=(allow(Principal={"Service": ["ecs.amazonaws.com", TRAIL.name]}),),
    ),
    Case(
        PRINCIPAL,
        "And only as one",
        allowed=False,
        principal=TRAIL,
        resource=(allow(Principal=to(TRAIL.name)),),
    ),
    Case(
        PRINCIPAL,
        "A federated principal is somebody from elsewhere",
        allowed=False,
        resource=(allow(Principal={"Federated": BOB}),),
    ),
    Case(
        PRINCIPAL,
        "All but one, by aws:PrincipalArn: that one",
        allowed=True,
        identity=(allow(),),
        resource=(deny(Principal="*", Condition={"ArnNotEquals": {"aws:PrincipalArn": BOB}}),),
    ),
    Case(
        PRINCIPAL,
        "All but one, by aws:PrincipalArn: another",
        allowed=False,
        principal=user("Alice"),
        identity=(allow(),),
        resource=(deny(Principal="*", Condition={"ArnNotEquals": {"aws:PrincipalArn": BOB}}),),
    ),
    Case(
        BLOCKED,
        "Access for everybody is blocked for who is nobody",
        allowed=False,
        principal=Anonymous(),
        resource=given("*"),
    ),
    Case(
        AS_SERVICE,
        "Everybody but services is denied: a user",
        allowed=False,
        identity=(allow("s3:PutObject"),),
        resource=(
            deny("s3:PutObject", Principal="*", Condition={"Bool": {"aws:PrincipalIsAWSService": "false"}}),
        ),
        action="s3:PutObject",
    ),
    Case(
        AS_SERVICE,
        "Everybody but services is denied: a service",
        allowed=True,
        principal=TRAIL,
        resource=(
            deny("s3:PutObject", Principal="*", Condition={"Bool": {"aws:PrincipalIsAWSService": "false"}}),
            allow("s3:PutObject", Principal={"Service": TRAIL.name}),
        ),
        action="s3:PutObject",
    ),
    # NotPrincipal
    Case(
        NOT_PRINCIPAL,
        "Whoever is named with the account is not denied",
        allowed=True,
        principal=user("Bob", "444455556666"),
        identity=(allow(),),
        resource=excepting("arn:aws:iam::444455556666:user/Bob", OTHER_ROOT),
    ),
    Case(
        NOT_PRINCIPAL,
        "Without the account the user may be denied",
        allowed=False,
        principal=user("Bob", "444455556666"),
        identity=(allow(),),
        resource=excepting("arn:aws:iam::444455556666:user/Bob"),
    ),
    Case(
        NOT_PRINCIPAL,
        "Everybody else is denied",
        allowed=False,
        identity=(allow(),),
        resource=excepting("arn:aws:iam::444455556666:user/Bob", OTHER_ROOT),
    ),
    Case(
        NOT_PRINCIPAL,
        "By itself it gives nothing to who is not denied",
        allowed=False,
        principal=user("Bob", "444455556666"),
        resource=excepting("arn:aws:iam::444455556666:user/Bob", OTHER_ROOT),
    ),
    Case(
        NOT_PRINCIPAL,
        "A session is named with its role and its account",
        allowed=True,
        principal=AUDITOR,
        identity=(allow(),),
        resource=excepting(AUDIT_APP, AUDIT_ROLE, OTHER_ROOT),
    ),
    Case(
        NOT_PRINCIPAL,
        "Without its role a session may be denied",
        allowed=False,
        principal=AUDITOR,
        identity=(allow(),),
        resource=excepting(AUDIT_APP, OTHER_ROOT),
    ),
    # Keys
    Case(
        KEYS,
        "Without the key policy's leave policies of IAM have no effect",
        allowed=False,
        identity=(allow("kms:Encrypt"),),
        resource=(allow("kms:Decrypt", Principal=to(ACCOUNT_ROOT)),),
        **ENCRYPT,
    ),
    Case(
        KEYS,
        "Which the account's ARN in the key policy gives",
        allowed=True,
        identity=(allow("kms:Encrypt"),),
        resource=(allow("kms:*", Principal=to(ACCOUNT_ROOT)),),
        **ENCRYPT,
    ),
    Case(
        KEYS,
        "And which is not yet a permission",
        allowed=False,
        resource=(allow("kms:*", Principal=to(ACCOUNT_ROOT)),),
        **ENCRYPT,
    ),
    Case(
        KEYS,
        "Whoever the key policy names needs no policy of IAM",
        allowed=True,
        principal=SESSION,
        resource=(allow("kms:Encrypt", Principal=to(SESSION.role_arn)),),
        **ENCRYPT,
    ),
    Case(
        KEYS,
        "Nobody has a permission that the key policy does not give, not even root",
        allowed=False,
        principal=ROOT,
        resource=(allow("kms:*", Principal=to(BOB)),),
        **ENCRYPT,
    ),
    Case(
        KEYS,
        "A policy of IAM can deny without the key policy's leave",
        allowed=False,
        identity=(deny("kms:*"),),
        resource=(allow("kms:*", Principal=to(BOB)),),
        **ENCRYPT,
    ),
)
