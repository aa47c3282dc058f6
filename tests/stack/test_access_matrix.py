"""IAM holds without the service: every role's own session, calling S3 and KMS itself, kind by kind.

What each may do is the promise of `tests.infra.access`, to which the policies are held by evaluation alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.access import BYTES, CREATE_ONLY, DELETES, LISTS, READS, WRITES
from tests.infra.policy_rules import KINDS
from tests.infra.rendering import PERSONAS, TEAM_PERSONAS
from tests.stack.sessions import SUBJECT, VERIFYING, allowed, session
from tests.stack.stored_models import TEAMS

if TYPE_CHECKING:
    from tests.local_aws import LocalStack
    from tests.stack.stored_models import StoredModels

ROLES = (*PERSONAS, *VERIFYING, "service", "worker")


def teams_of(role: str) -> dict[str, bool]:
    """Each team, and whether the role has any business with it."""
    return {team: role not in TEAM_PERSONAS or team == "fraud" for team in TEAMS}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_was_promised(models: StoredModels, role: str) -> None:
    """Objects, their versions, their heads: of its own team, or of all."""
    s3 = session(models.local_aws, role).client(models.local_aws, "s3")
    reads = READS[role] | ({"blobs"} if BYTES[role] is not None else set())
    for team, own in teams_of(role).items():
        wanted = reads if own else set()
        places = {kind: models.place(kind, team) for kind in KINDS}
        assert {kind for kind in KINDS if allowed(s3.get_object, **places[kind])} == wanted
        assert {kind for kind in KINDS if allowed(s3.head_object, **places[kind])} == wanted
        assert {kind for kind in KINDS if allowed(s3.get_object, **models.version(kind, team))} == wanted


@pytest.mark.parametrize("role", ROLES)
def test_a_role_lists_what_was_promised(models: StoredModels, role: str) -> None:
    """Folder by folder, objects and versions; the bucket as a whole is listed by nobody."""
    s3 = session(models.local_aws, role).client(models.local_aws, "s3")
    name = models.local_aws.bucket
    for team, own in teams_of(role).items():
        for call in (s3.list_objects_v2, s3.list_objects, s3.list_object_versions):
            folders = {kind: models.place(kind, team)["Key"].rpartition("/")[0] + "/" for kind in KINDS}
            found = {kind for kind, prefix in folders.items() if allowed(call, Bucket=name, Prefix=prefix)}
            assert found == (LISTS[role] if own else set())
    for call in (s3.list_objects_v2, s3.list_object_versions, s3.list_multipart_uploads, s3.head_bucket):
        assert not allowed(call, Bucket=name)
    whole = {kind for kind in KINDS if allowed(s3.list_objects_v2, Bucket=name, Prefix=f"{kind}/")}
    assert whole == (set() if role in TEAM_PERSONAS else LISTS[role])
    assert not allowed(s3.list_buckets)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_writes_what_was_promised(models: StoredModels, role: str) -> None:
    """New objects of these kinds, whole or in parts; deletions of hardly any."""
    s3 = session(models.local_aws, role).client(models.local_aws, "s3")
    for team, own in teams_of(role).items():
        written = {
            kind for kind in KINDS if allowed(s3.put_object, **models.new(kind, team), **models.written(kind))
        }
        in_parts = {
            kind
            for kind in KINDS - CREATE_ONLY
            if allowed(s3.create_multipart_upload, **models.new(kind, team), **models.encrypted(kind))
        }
        deleted = {kind for kind in KINDS if allowed(s3.delete_object, **models.new(kind, team))}
        wanted = WRITES[role] if own else set()
        assert written == wanted
        assert in_parts == wanted - CREATE_ONLY
        assert deleted == (DELETES[role] if own else set())


@pytest.mark.parametrize("role", ROLES)
def test_a_role_locks_and_destroys_nothing(models: StoredModels, role: str) -> None:
    """Deletion of versions, retention, legal holds, access lists and restores are nobody's."""
    s3 = session(models.local_aws, role).client(models.local_aws, "s3")
    for kind in KINDS:
        place, version = models.place(kind), models.version(kind)
        for target in (place, version):
            assert not allowed(s3.put_object_legal_hold, **target, LegalHold={"Status": "ON"})
            assert not allowed(s3.put_object_retention, **target, BypassGovernanceRetention=True)
            assert not allowed(s3.put_object_acl, **target, ACL="public-read")
            assert not allowed(s3.restore_object, **target, RestoreRequest={"Days": 1})
        assert not allowed(s3.delete_object, **version)
        several = s3.delete_objects(
            Bucket=place["Bucket"],
            Delete={"Objects": [{"Key": version["Key"], "VersionId": version["VersionId"]}]},
        )
        assert [error["Code"] for error in several["Errors"]] == ["AccessDenied"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_uses_no_key_but_through_s3(models: StoredModels, role: str) -> None:
    """Neither to decrypt nor to encrypt nor to be given a data key."""
    kms = session(models.local_aws, role).client(models.local_aws, "kms")
    root = models.local_aws.root_client("kms")
    for name in ("bytes_key_arn", "metadata_key_arn", "logs_key_arn"):
        key_id = models.local_aws.stack[name]
        sealed = root.encrypt(KeyId=key_id, Plaintext=b"secret")["CiphertextBlob"]
        assert not allowed(kms.decrypt, KeyId=key_id, CiphertextBlob=sealed)
        assert not allowed(kms.decrypt, CiphertextBlob=sealed)
        assert not allowed(kms.encrypt, KeyId=key_id, Plaintext=b"x")
        assert not allowed(kms.re_encrypt, CiphertextBlob=sealed, DestinationKeyId=key_id)
        assert not allowed(kms.generate_data_key, KeyId=key_id, KeySpec="AES_256")
        assert not allowed(kms.create_grant, KeyId=key_id, GranteePrincipal=SUBJECT, Operations=["Decrypt"])


@pytest.mark.parametrize("role", PERSONAS)
def test_a_persona_reaches_nothing_else(local_aws: LocalStack, role: str) -> None:
    """Not the bucket's configuration, not IAM, not the queue, not another role."""
    keys = session(local_aws, role)
    s3, sts = keys.client(local_aws, "s3"), keys.client(local_aws, "sts")
    assert not allowed(s3.get_bucket_policy, Bucket=local_aws.bucket)
    assert not allowed(keys.client(local_aws, "iam").list_roles)
    assert not allowed(
        keys.client(local_aws, "sqs").receive_message, QueueUrl=local_aws.stack["events_queue_url"]
    )
    for other in ("service", "worker", "data-scientist", "verifier-tagging", "watch"):
        arn = f"arn:aws:iam::000000000000:role/smas-{other}"
        assert not allowed(sts.assume_role, RoleArn=arn, RoleSessionName="other", SourceIdentity=SUBJECT)
