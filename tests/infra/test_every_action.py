"""Every role, every action of S3, every kind of object: what is allowed is what the page says, no more."""

from __future__ import annotations

import pytest
from smas_emulator.authorization.s3_operations import CHANGES, ON_BUCKET, READS, WRITES
from smas_emulator.iam.evaluation import Request

from tests.infra.access import BYTES, LETTERS, ME, key, letters
from tests.infra.evaluation import allows, list_request, session
from tests.infra.policy_rules import KINDS
from tests.infra.rendering import BUCKET, PLACEHOLDERS, ROLES, TEAM_PERSONAS

# What changes an object and is no operation of its own
# (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html).
BESIDES = frozenset(
    [
        "s3:BypassGovernanceRetention",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:GetObjectVersionForReplication",
        "s3:InitiateReplication",
        "s3:ObjectOwnerOverrideToBucketOwner",
        "s3:ReplicateDelete",
        "s3:ReplicateObject",
        "s3:ReplicateTags",
        "s3:UpdateObjectEncryption",
    ]
)
ON_OBJECTS = (
    {action for pairs in (READS, CHANGES) for both in pairs.values() for each in both for action in each}
    | set(WRITES.values())
    | BESIDES
)
LISTING = frozenset(LETTERS["l"])


def context_of(role: str, kind: str) -> dict[str, str | tuple[str, ...]]:
    """What makes an allowed call pass: the right tags there, the right tags asked for, the right key."""
    tags = {f"s3:ExistingObjectTag/{name}": value for name, value in (BYTES[role] or {}).items()}
    if kind == "blobs":
        return {**tags, "s3:RequestObjectTagKeys": ("smas-state",)}
    return {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": PLACEHOLDERS.metadata_key_arn,
        "s3:if-none-match": "*",
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_to_a_kind_what_the_page_says(role: str) -> None:
    """In its own team or in all; every action of S3 that is about an object or about its folder."""
    me = session(role, team="fraud" if role in TEAM_PERSONAS else None, subject=ME)
    for kind in KINDS:
        arn, folder = f"arn:aws:s3:::{BUCKET}/{key(kind)}", key(kind).rpartition("/")[0] + "/"
        found = {
            action for action in ON_OBJECTS if allows(role, me, Request(action, arn, context_of(role, kind)))
        } | {action for action in LISTING if allows(role, me, list_request(action, folder))}
        assert found == {action for letter in letters(role, kind) for action in LETTERS[letter]}, kind


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_nothing_else_to_the_bucket(role: str) -> None:
    """Nor to its configuration, to the trail's bucket's, or to an object that is of no kind."""
    me = session(role, team="fraud" if role in TEAM_PERSONAS else None, subject=ME)
    for bucket in (BUCKET, PLACEHOLDERS.trail_bucket):
        for action in set(ON_BUCKET.values()) | {"s3:CreateBucket", "s3:ListAllMyBuckets"}:
            assert not allows(role, me, Request(action, f"arn:aws:s3:::{bucket}", {})), action
        for action in ON_OBJECTS:
            for name in ("x", "blobs", "fraud/m", ""):
                request = Request(action, f"arn:aws:s3:::{bucket}/{name}", context_of(role, "cards"))
                assert not allows(role, me, request), (action, name)
