"""What each role may do in the bucket, decided from the policies, kind by kind.

The tables here are the promise; the policies are held against them in both directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from smas_emulator.gateway.principals import Anonymous, Root, ServicePrincipal
from smas_emulator.iam.documents import Policy
from smas_emulator.iam.evaluation import Request, decide
from smas_emulator.iam.trust import may_assume

from tests.infra.access import (
    BYTES,
    CREATE_ONLY,
    DELETES,
    LISTS,
    ME,
    READ_THE_TRAIL,
    READS,
    TAGS,
    WRITES,
    key,
)
from tests.infra.evaluation import (
    allows,
    compiled,
    list_request,
    object_request,
    role_arn,
    session,
)
from tests.infra.policy_rules import KINDS
from tests.infra.rendering import (
    BUCKET,
    PERSONAS,
    PLACEHOLDERS,
    ROLES,
    TEAM_PERSONAS,
    TRUSTS,
    VERIFIERS,
    WATCH,
    listed,
    rendered,
)

if TYPE_CHECKING:
    from smas_emulator.gateway.principals import Principal, RoleSession

READING = ("s3:GetObject", "s3:GetObjectVersion")
LISTING = ("s3:ListBucket", "s3:ListBucketVersions")
METADATA_KEY, BYTES_KEY = PLACEHOLDERS.metadata_key_arn, PLACEHOLDERS.bytes_key_arn
LOGS_KEY = PLACEHOLDERS.logs_key_arn


def me(role: str) -> RoleSession:
    """The session as the service assumes it."""
    return session(role, team="fraud" if role in TEAM_PERSONAS else None, subject=ME)


def sent(kind: str) -> dict[str, str]:
    """What the service sends with a write of that kind."""
    encrypted = {
        "s3__x_amz_server_side_encryption": "aws:kms",
        "s3__x_amz_server_side_encryption_aws_kms_key_id": METADATA_KEY,
        "s3__if_none_match": "*",
    }
    return {} if kind == "blobs" else encrypted


def may(role: str, action: str, kind: str, **context: str) -> bool:
    """Whether the role may do that to an object of that kind, of its own team and person."""
    return allows(role, me(role), object_request(action, key(kind), **{**sent(kind), **context}))


def test_the_tables_know_every_kind_and_role() -> None:
    """A new kind or role is decided on here first."""
    assert {kind: key(kind).partition("/")[0] for kind in KINDS} == {kind: kind for kind in KINDS}
    assert [set(table) for table in (READS, LISTS, WRITES, DELETES, TAGS, BYTES)] == [set(ROLES)] * 6


@pytest.mark.parametrize("action", READING)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_these_records(role: str, action: str) -> None:
    """And no others."""
    assert {kind for kind in KINDS - {"blobs"} if may(role, action, kind)} == READS[role]


@pytest.mark.parametrize("action", LISTING)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_lists_these_kinds(role: str, action: str) -> None:
    """Folder by folder; the bucket as a whole is listed by nobody."""
    found = {
        kind
        for kind in KINDS
        if allows(role, me(role), list_request(action, key(kind).rpartition("/")[0] + "/"))
    }
    assert found == LISTS[role]
    everything = ("", "c", "cards", "/", None)
    assert not any(allows(role, me(role), list_request(action, prefix)) for prefix in everything)


@pytest.mark.parametrize("role", ROLES)
def test_whoever_reads_a_kind_can_tell_missing_from_refused(role: str) -> None:
    """S3 answers 403 for what is missing, so the service lists exactly that key."""
    needed = READS[role] | ({"blobs"} if role in VERIFIERS else set())
    for kind in needed:
        assert all(allows(role, me(role), list_request(action, key(kind))) for action in LISTING)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_writes_these_kinds(role: str) -> None:
    """And deletes hardly any."""
    assert {kind for kind in KINDS if may(role, "s3:PutObject", kind)} == WRITES[role]
    assert {kind for kind in KINDS if may(role, "s3:DeleteObject", kind)} == DELETES[role]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_tags_these_kinds(role: str) -> None:
    """By version, and with the two tags that open them; whatever else tags is nobody's."""
    keys = {"s3:RequestObjectTagKeys": ("smas-release", "smas-state")}
    resources = {kind: f"arn:aws:s3:::{BUCKET}/{key(kind)}" for kind in KINDS}

    def tags(action: str, context: dict[str, Any]) -> set[str]:
        return {k for k, arn in resources.items() if allows(role, me(role), Request(action, arn, context))}

    assert tags("s3:PutObjectVersionTagging", keys) == TAGS[role]
    assert tags("s3:PutObjectVersionTagging", {"s3:RequestObjectTagKeys": ("smas-state", "x")}) == set()
    for action in ("s3:PutObjectTagging", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"):
        assert tags(action, keys) == set()


@pytest.mark.parametrize("action", READING)
@pytest.mark.parametrize("role", ROLES)
def test_bytes_are_read_only_with_their_tags(role: str, action: str) -> None:
    """Whatever the service does: unverified bytes are nobody's, unreleased ones no deployer's."""
    states: list[dict[str, str]] = [
        {},
        *({"smas-state": state} for state in ("verified", "quarantined", "Verified", "")),
        {"smas-release": "yes"},
        {"smas-state": "verified", "smas-release": "yes"},
        {"smas-state": "quarantined", "smas-release": "yes"},
        {"smas-state": "verified", "smas-release": "no"},
    ]
    wanted = BYTES[role]
    expected = [wanted is not None and wanted.items() <= state.items() for state in states]
    found = [
        allows(
            role,
            me(role),
            Request(
                action,
                f"arn:aws:s3:::{BUCKET}/{key('blobs')}",
                {f"s3:ExistingObjectTag/{name}": value for name, value in state.items()},
            ),
        )
        for state in states
    ]
    assert found == expected


def actions() -> set[str]:
    """Every action on objects that any policy names."""
    return {
        action
        for role in ROLES
        for statement in rendered(role).statements
        for action in listed(statement["Action"])
        if action.startswith("s3:") and action not in LISTING
    }


@pytest.mark.parametrize(
    "other", ["fraud-2", "frau", "fraudulent", "nlp", "Fraud", "*", "${aws:PrincipalTag/team}", ""]
)
@pytest.mark.parametrize("role", TEAM_PERSONAS)
def test_a_team_ends_at_its_name(role: str, other: str) -> None:
    """No action reaches another team's objects, however alike the names and whatever their tags."""
    seen = {"smas-state": "verified", "smas-release": "yes"}
    tags = {f"s3__ExistingObjectTag/{name}": value for name, value in seen.items()}
    reached = [
        (action, kind)
        for action in actions()
        for kind in KINDS
        if allows(role, me(role), object_request(action, key(kind, team=other), **tags, **sent(kind)))
    ]
    listed_ = [
        kind
        for kind in KINDS
        for action in LISTING
        if allows(role, me(role), list_request(action, f"{kind}/{other}/"))
    ]
    assert (reached, listed_) == ([], [])


@pytest.mark.parametrize("role", TEAM_PERSONAS)
def test_a_session_without_a_team_can_do_nothing(role: str) -> None:
    """A forgotten tag opens no door."""
    nobodys = session(role, subject=ME)
    reached = [
        (action, kind)
        for action in actions()
        for kind in KINDS
        for team in ("", "fraud", "${aws:PrincipalTag/team}")
        if allows(role, nobodys, object_request(action, key(kind, team=team), **sent(kind)))
    ]
    assert reached == []


def test_a_person_signs_only_as_itself() -> None:
    """Nobody writes another's authorship, and nobody writes or reads another's idempotency keys."""
    role = "persona-data-scientist"
    mine, others = (
        [
            object_request(action, key(kind, subject=subject), **sent("authors"))
            for action, kind in (
                ("s3:PutObject", "authors"),
                ("s3:PutObject", "requests"),
                ("s3:GetObject", "requests"),
            )
        ]
        for subject in (ME, "sub-of-another")
    )
    assert [allows(role, me(role), request) for request in mine + others] == [True] * 3 + [False] * 3
    below = f"authors/fraud/m/7/{ME}.json/{ME}.json.txt"
    assert not allows(role, me(role), object_request("s3:PutObject", below, **sent("authors")))


def test_an_approver_gives_only_its_own_word() -> None:
    """Nobody says in another's name that an alias was moved, nor below a name that ends like the own."""
    role = "persona-approver"
    asked = [key("moves"), key("moves", subject="sub-of-another"), f"moves/fraud/m/a/7/{ME}.json/x.json"]
    requests = [object_request("s3:PutObject", each, **sent("moves")) for each in asked]
    assert [allows(role, me(role), request) for request in requests] == [True, False, False]


@pytest.mark.parametrize(("storage", "accepted"), [(None, True), ("STANDARD", True), ("GLACIER", False)])
def test_bytes_are_always_at_hand(storage: str | None, *, accepted: bool) -> None:
    """Nobody writes what must be restored before it can be verified or served."""
    chosen = {"s3__x_amz_storage_class": storage} if storage else {}
    assert may("persona-data-scientist", "s3:PutObject", "blobs", **chosen) is accepted


@pytest.mark.parametrize("kind", sorted(KINDS - {"blobs"}))
def test_what_is_immutable_is_only_ever_created(kind: str) -> None:
    """Without ``If-None-Match`` the bucket itself refuses, whoever asks and whatever allows it."""
    administrator = Root(PLACEHOLDERS.account, "AKIAROOT")
    without = {name: value for name, value in sent(kind).items() if name != "s3__if_none_match"}
    assert unguarded(administrator, object_request("s3:PutObject", key(kind), **sent(kind)))
    written_over = unguarded(administrator, object_request("s3:PutObject", key(kind), **without))
    assert written_over is (kind not in CREATE_ONLY)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_was_published_is_never_hidden(kind: str) -> None:
    """Behind a delete marker it could be created anew, so nobody sets one; versions are the custodian's."""
    administrator = Root(PLACEHOLDERS.account, "AKIAROOT")
    assert unguarded(administrator, object_request("s3:DeleteObject", key(kind))) is (
        kind in {"requests", "uploads"}
    )
    assert unguarded(administrator, object_request("s3:DeleteObjectVersion", key(kind)))


def test_nobody_bypasses_a_retention() -> None:
    """Not even who could change the policy that says so: that is another act, which an alarm tells of."""
    everybody: list[Principal] = [*map(me, ROLES), Root(PLACEHOLDERS.account, "AKIAROOT")]
    bypass = object_request("s3:BypassGovernanceRetention", key("blobs"))
    assert not any(unguarded(each, bypass) for each in everybody)


@pytest.mark.parametrize(
    "action",
    [
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
        "s3:PutReplicationConfiguration",
    ],
)
def test_no_role_of_ours_unguards_the_bucket(action: str) -> None:
    """Even one that was given the action by mistake; whoever deploys still may."""
    request = Request(action, f"arn:aws:s3:::{BUCKET}", {})
    assert [role for role in ROLES if unguarded(me(role), request)] == []
    assert unguarded(session("deploys"), request)


def unguarded(caller: Principal, request: Request) -> bool:
    """Whether the bucket's policy lets somebody do that whose own policies would allow all of it."""
    everything = Policy.parse('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')
    return decide(request, caller, identity=[everything], resource=compiled("bucket")).allowed


KEY_ID, ALGORITHM = "s3__x_amz_server_side_encryption_aws_kms_key_id", "s3__x_amz_server_side_encryption"
FOREIGN = "arn:aws:kms:eu-central-1:999999999999:key/foreign"


@pytest.mark.parametrize(
    ("kind", "context", "accepted"),
    [
        ("blobs", {}, True),
        # Without a key's name S3 takes the account's own AWS-managed key, not the bucket's default.
        ("blobs", {ALGORITHM: "aws:kms"}, False),
        ("blobs", {ALGORITHM: "aws:kms", KEY_ID: BYTES_KEY}, True),
        ("blobs", {ALGORITHM: "aws:kms", KEY_ID: METADATA_KEY}, False),
        ("blobs", {ALGORITHM: "aws:kms", KEY_ID: FOREIGN}, False),
        ("blobs", {ALGORITHM: "AES256"}, False),
        ("blobs", {"s3__x_amz_server_side_encryption_customer_algorithm": "AES256"}, False),
        ("cards", {ALGORITHM: "aws:kms", KEY_ID: METADATA_KEY}, True),
        ("cards", {ALGORITHM: "aws:kms", KEY_ID: BYTES_KEY}, False),
        ("cards", {ALGORITHM: "aws:kms", KEY_ID: FOREIGN}, False),
        ("cards", {}, False),
    ],
)
def test_bytes_and_records_are_under_their_own_key(
    kind: str, context: dict[str, str], accepted: bool
) -> None:
    """The bytes' key by default, the records' by name; none of strangers, not even AWS's own."""
    role = "persona-data-scientist"
    assert allows(role, me(role), object_request("s3:PutObject", key(kind), **context)) is accepted


@pytest.mark.parametrize(
    ("context", "accepted"),
    [
        ({"aws__SecureTransport": "true", "s3__signatureAge": "3600000"}, True),
        ({"aws__SecureTransport": "false"}, False),
        ({"s3__signatureAge": "3600001"}, False),
    ],
)
def test_old_signatures_and_open_connections_are_refused(context: dict[str, str], accepted: bool) -> None:
    """A URL outlives no session, and nothing travels in the clear."""
    assert may("persona-data-scientist", "s3:GetObject", "cards", **context) is accepted


def decrypts(role: str, key_arn: str, policy: str) -> bool:
    """Whether a role can decrypt with a key, as S3 does in its name."""
    request = Request("kms:Decrypt", key_arn, {"kms:ViaService": "s3.eu-central-1.amazonaws.com"})
    return allows(role, me(role), request, resource=policy, delegation_required=True)


def test_whoever_reads_no_bytes_has_no_key_to_them() -> None:
    """The second lock on the same door; the first are the tags."""
    assert {role for role in ROLES if decrypts(role, BYTES_KEY, "kms-bytes")} == {
        role for role, tags in BYTES.items() if tags is not None
    }
    assert {role for role in ROLES if decrypts(role, METADATA_KEY, "kms-metadata")} == {
        *PERSONAS,
        *VERIFIERS,
    }
    assert {role for role in ROLES if decrypts(role, LOGS_KEY, "kms-logs")} == READ_THE_TRAIL


def test_the_keys_own_policy_refuses_even_if_a_role_is_widened() -> None:
    """Auditors, custodians and the tagging role get no byte by a mistake in their own policy alone."""
    wide = Policy.parse('{"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}}')
    decisions = {
        role: decide(
            Request("kms:Decrypt", BYTES_KEY),
            me(role),
            identity=[wide],
            resource=compiled("kms-bytes"),
            delegation_required=True,
        )
        for role in ROLES
    }
    refused = {role for role, decision in decisions.items() if not decision.allowed}
    assert refused == {"persona-auditor", "persona-custodian", "verifier-tagging"}
    assert {decisions[role].sid for role in refused} == {"NeverForThoseWhoReadNoByte"}


ASSUMING = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def test_the_service_becomes_its_callers_and_nobody_else() -> None:
    """Its own role can do nothing but that; the worker's becomes verifier and watch, and takes messages."""
    becomes = {
        actor: {
            role
            for role in ROLES
            if decide(
                Request("sts:AssumeRole", role_arn(role)), me(actor), identity=[compiled(actor)]
            ).allowed
        }
        for actor in ROLES
    }
    nobody: dict[str, set[str]] = {role: set() for role in ROLES if role not in {"service", "worker"}}
    assert becomes == {"service": set(PERSONAS), "worker": {*VERIFIERS, WATCH}, **nobody}
    done = {action for statement in rendered("service").statements for action in listed(statement["Action"])}
    assert done == set(ASSUMING)


TOKEN: dict[str, Any] = {"aws:RequestTag/jti": "a-token", "aws:TagKeys": ("jti",)}
TRUSTED = {"trust-persona": "service", "trust-verifier": "worker"}


@pytest.mark.parametrize(
    ("trust", "context", "accepted"),
    [
        ("trust-persona", {**TOKEN, "sts:SourceIdentity": "s", "aws:TagKeys": ("jti", "team")}, True),
        ("trust-persona", {**TOKEN, "sts:SourceIdentity": "s"}, True),
        ("trust-persona", {**TOKEN, "aws:TagKeys": ("jti", "team")}, False),
        ("trust-persona", {**TOKEN, "sts:SourceIdentity": ""}, False),
        ("trust-persona", {**TOKEN, "sts:SourceIdentity": "s", "aws:TagKeys": ("jti", "admin")}, False),
        ("trust-persona", {**TOKEN, "sts:SourceIdentity": "s", "aws:TagKeys": ("jti", "Team")}, False),
        ("trust-persona", {**TOKEN, "sts:SourceIdentity": "s", "aws:RequestTag/jti": ""}, False),
        ("trust-persona", {"sts:SourceIdentity": "s", "aws:TagKeys": ("team",)}, False),
        ("trust-persona", {"sts:SourceIdentity": "s"}, False),
        ("trust-verifier", {"sts:SourceIdentity": "smas-verifier"}, True),
        ("trust-verifier", {"sts:SourceIdentity": "somebody"}, False),
        ("trust-verifier", {}, False),
    ],
)
def test_a_session_has_an_identity_and_no_tags_but_ours(
    trust: str, context: dict[str, Any], accepted: bool
) -> None:
    """Nobody acts namelessly or without a token, and no session brings a tag a policy may one day trust."""
    tags = ["sts:TagSession"] if "aws:TagKeys" in context else []
    actions_ = ["sts:AssumeRole", "sts:SetSourceIdentity", *tags]
    assert may_assume(compiled(trust), me(TRUSTED[trust]), actions_, context).allowed is accepted


PERSON: dict[str, Any] = {**TOKEN, "sts:SourceIdentity": "smas-verifier"}


def test_only_a_person_is_tagged() -> None:
    """The verifier's sessions take no tags at all."""
    found = [
        may_assume(compiled(trust), me(TRUSTED[trust]), ["sts:TagSession"], PERSON).allowed
        for trust in TRUSTS
    ]
    assert found == [True, False]


@pytest.mark.parametrize("trust", TRUSTS)
def test_a_role_trusts_the_one_that_assumes_it(trust: str) -> None:
    """And neither another of ours nor root nor a stranger."""
    strangers: list[Principal] = [
        *(me(role) for role in ROLES if role != TRUSTED[trust]),
        Root(PLACEHOLDERS.account, "AKIAROOT"),
        ServicePrincipal("s3.amazonaws.com"),
        Anonymous(),
    ]
    assert may_assume(compiled(trust), me(TRUSTED[trust]), ["sts:AssumeRole"], PERSON).allowed
    assert not any(
        may_assume(compiled(trust), stranger, [action], PERSON).allowed
        for stranger in strangers
        for action in ASSUMING
    )
