"""IAM holds without the service: every persona's own session, calling S3 and KMS itself, kind by kind.

What each may do is the promise of `tests.infra.access`, to which the policies are held by evaluation alone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.access import BYTES, DELETES, LISTS, READS, WRITES, key
from tests.infra.policy_rules import KINDS
from tests.infra.rendering import PERSONAS, TEAM_PERSONAS
from tests.stack.sessions import persona

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_aws import LocalStack
    from tests.stack.sessions import Keys

TEAMS = ("fraud", "nlp")
SUBJECT = "sub-of-matrix"
REFUSED = {"AccessDenied", "AccessDeniedException", "403"}


@dataclass(frozen=True)
class Bucket:
    """A model of each team with an object of every kind; the bytes are verified and released."""

    local_aws: LocalStack
    model: str

    def place(self, kind: str, team: str, *, subject: str = SUBJECT) -> dict[str, str]:
        """Bucket and key of an object."""
        return {"Bucket": self.local_aws.bucket, "Key": key(kind, team, subject, self.model)}

    def new(self, kind: str, team: str, *, subject: str = SUBJECT) -> dict[str, str]:
        """Bucket and key of an object that is not there yet."""
        name = f"{self.model}-{uuid.uuid4().hex[:8]}"
        return {"Bucket": self.local_aws.bucket, "Key": key(kind, team, subject, name)}

    def written(self, kind: str) -> dict[str, Any]:
        """What a write of that kind sends."""
        if kind == "blobs":
            return {"Body": b"bytes"}
        metadata_key = self.local_aws.stack["metadata_key_arn"]
        encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": metadata_key}
        return {"Body": b"{}", "IfNoneMatch": "*", **encrypted}


@pytest.fixture(scope="module")
def bucket(local_aws: LocalStack) -> Bucket:
    """Made by the root."""
    made = Bucket(local_aws, f"matrix-{uuid.uuid4().hex[:8]}")
    root = local_aws.root_client("s3")
    for kind in KINDS:
        for team in TEAMS:
            tags = {"Tagging": "smas-state=verified&smas-release=yes"} if kind == "blobs" else {}
            root.put_object(**made.place(kind, team), **made.written(kind), **tags)
    return made


def session(local_aws: LocalStack, role: str) -> Keys:
    """A persona's keys; those of a team are of `fraud`."""
    team = "fraud" if role in TEAM_PERSONAS else None
    return persona(local_aws, role.removeprefix("persona-"), team=team, name="matrix", subject=SUBJECT)


def allowed(call: Callable[..., Any], **parameters: Any) -> bool:
    """Whether IAM let a call pass; one that S3 itself did not like was let pass, too."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] not in REFUSED
    return True


def teams_of(role: str) -> dict[str, bool]:
    """Each team, and whether the role has any business with it."""
    return {team: role not in TEAM_PERSONAS or team == "fraud" for team in TEAMS}


@pytest.mark.parametrize("role", PERSONAS)
def test_a_persona_reads_what_was_promised(bucket: Bucket, role: str) -> None:
    """Objects, their versions, their heads and tags: of its own team, or of all."""
    s3 = session(bucket.local_aws, role).client(bucket.local_aws, "s3")
    root = bucket.local_aws.root_client("s3")
    reads = READS[role] | ({"blobs"} if BYTES[role] is not None else set())
    for team, own in teams_of(role).items():
        wanted = reads if own else set()
        places = {kind: bucket.place(kind, team) for kind in KINDS}
        versions = {
            kind: {**place, "VersionId": root.head_object(**place)["VersionId"]}
            for kind, place in places.items()
        }
        assert {kind for kind in KINDS if allowed(s3.get_object, **places[kind])} == wanted
        assert {kind for kind in KINDS if allowed(s3.head_object, **places[kind])} == wanted
        assert {kind for kind in KINDS if allowed(s3.get_object, **versions[kind])} == wanted


@pytest.mark.parametrize("role", PERSONAS)
def test_a_persona_lists_what_was_promised(bucket: Bucket, role: str) -> None:
    """Folder by folder, objects and versions; the bucket as a whole is listed by nobody."""
    s3 = session(bucket.local_aws, role).client(bucket.local_aws, "s3")
    name = bucket.local_aws.bucket
    for team, own in teams_of(role).items():
        for call in (s3.list_objects_v2, s3.list_object_versions):
            folders = {kind: bucket.place(kind, team)["Key"].rpartition("/")[0] + "/" for kind in KINDS}
            found = {kind for kind, prefix in folders.items() if allowed(call, Bucket=name, Prefix=prefix)}
            assert found == (LISTS[role] if own else set())
    for call in (s3.list_objects_v2, s3.list_object_versions, s3.list_multipart_uploads):
        assert not allowed(call, Bucket=name)
    assert allowed(s3.list_objects_v2, Bucket=name, Prefix="cards/") == (role not in TEAM_PERSONAS)
    assert not allowed(s3.list_buckets)


@pytest.mark.parametrize("role", PERSONAS)
def test_a_persona_writes_what_was_promised(bucket: Bucket, role: str) -> None:
    """New objects of these kinds, deletions of hardly any, and nothing in another's name."""
    s3 = session(bucket.local_aws, role).client(bucket.local_aws, "s3")
    for team, own in teams_of(role).items():
        written = {
            kind for kind in KINDS if allowed(s3.put_object, **bucket.new(kind, team), **bucket.written(kind))
        }
        deleted = {kind for kind in KINDS if allowed(s3.delete_object, **bucket.new(kind, team))}
        assert written == (WRITES[role] if own else set())
        assert deleted == (DELETES[role] if own else set())
    for kind in ("authors", "moves", "approvals", "requests"):
        place = bucket.new(kind, "fraud", subject="sub-of-another")
        assert not allowed(s3.put_object, **place, **bucket.written(kind))


@pytest.mark.parametrize("role", PERSONAS)
def test_no_persona_tags_locks_or_destroys(bucket: Bucket, role: str) -> None:
    """Tags are the verifier's alone; deletion of versions, retention and legal holds are nobody's yet."""
    s3 = session(bucket.local_aws, role).client(bucket.local_aws, "s3")
    root = bucket.local_aws.root_client("s3")
    tags = {"TagSet": [{"Key": "smas-state", "Value": "verified"}]}
    for kind in KINDS:
        place = bucket.place(kind, "fraud")
        version = {**place, "VersionId": root.head_object(**place)["VersionId"]}
        for target in (place, version):
            assert not allowed(s3.put_object_tagging, **target, Tagging=tags)
            assert not allowed(s3.delete_object_tagging, **target)
            assert not allowed(s3.put_object_legal_hold, **target, LegalHold={"Status": "ON"})
        assert not allowed(s3.delete_object, **version)
        assert not allowed(
            s3.put_object, **bucket.new(kind, "fraud"), **bucket.written(kind), Tagging="smas-state=verified"
        )


@pytest.mark.parametrize("role", PERSONAS)
def test_no_persona_overwrites_what_is_immutable(bucket: Bucket, role: str) -> None:
    """Not even with leave to write: the bucket refuses what does not say that it only creates."""
    s3 = session(bucket.local_aws, role).client(bucket.local_aws, "s3")
    for kind in ("manifests", "authors", "findings", "moves"):
        written = {name: value for name, value in bucket.written(kind).items() if name != "IfNoneMatch"}
        assert not allowed(s3.put_object, **bucket.place(kind, "fraud"), **written)


@pytest.mark.parametrize("role", PERSONAS)
def test_no_persona_uses_a_key_but_through_s3(bucket: Bucket, role: str) -> None:
    """Neither to decrypt nor to encrypt nor to be given a data key."""
    kms = session(bucket.local_aws, role).client(bucket.local_aws, "kms")
    root = bucket.local_aws.root_client("kms")
    for name in ("bytes_key_arn", "metadata_key_arn"):
        key_id = bucket.local_aws.stack[name]
        sealed = root.encrypt(KeyId=key_id, Plaintext=b"secret")["CiphertextBlob"]
        assert not allowed(kms.decrypt, KeyId=key_id, CiphertextBlob=sealed)
        assert not allowed(kms.encrypt, KeyId=key_id, Plaintext=b"x")
        assert not allowed(kms.generate_data_key, KeyId=key_id, KeySpec="AES_256")


@pytest.mark.parametrize("role", PERSONAS)
def test_no_persona_reaches_anything_else(bucket: Bucket, role: str) -> None:
    """Not the trail, not the bucket's configuration, not IAM, not the queue, not another role."""
    local_aws = bucket.local_aws
    keys = session(local_aws, role)
    s3, sts = keys.client(local_aws, "s3"), keys.client(local_aws, "sts")
    assert not allowed(s3.list_objects_v2, Bucket="smas-trail")
    assert not allowed(s3.get_bucket_policy, Bucket=local_aws.bucket)
    assert not allowed(s3.delete_bucket_policy, Bucket=local_aws.bucket)
    assert not allowed(keys.client(local_aws, "iam").list_roles)
    assert not allowed(keys.client(local_aws, "cloudtrail").stop_logging, Name="smas")
    assert not allowed(
        keys.client(local_aws, "sqs").receive_message, QueueUrl=local_aws.stack["events_queue_url"]
    )
    for other in ("service", "worker", "data-scientist", "verifier-tagging"):
        arn = f"arn:aws:iam::000000000000:role/smas-{other}"
        assert not allowed(sts.assume_role, RoleArn=arn, RoleSessionName="other", SourceIdentity=SUBJECT)
