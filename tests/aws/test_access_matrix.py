"""IAM holds without the service: every role's own session, calling S3 and KMS itself, kind by kind.

What each may do is the promise of `tests.infra.access`, to which the policies are held by evaluation alone.
Where S3 may refuse for another reason than IAM, that it refuses is enough.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.access import BYTES, CREATE_ONLY, DELETES, LISTS, PARTS, READ_TAGS, READS, TAGS, WRITES
from tests.infra.policy_rules import KINDS
from tests.infra.rendering import PERSONAS, TEAM_PERSONAS
from tests.stack.sessions import SUBJECT, VERIFYING, allowed, session
from tests.stack.stored_models import OPENED, TEAMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.deployed import Deployed
    from tests.stack.stored_models import StoredModels

ROLES = (*PERSONAS, *VERIFYING, "service", "worker")
Versions = dict[tuple[str, str], dict[str, str]]


def teams_of(role: str) -> dict[str, bool]:
    """Each team, and whether the role has any business with it."""
    return {team: role not in TEAM_PERSONAS or team == "fraud" for team in TEAMS}


def succeeds(call: Callable[..., Any], **parameters: Any) -> bool:
    """Whether a call does what it is asked, for those that S3 may refuse for what the bucket is."""
    try:
        call(**parameters)
    except ClientError:
        return False
    return True


@pytest.fixture(scope="module")
def versions(models: StoredModels) -> Versions:
    """Bucket, key and version of each object; nobody here writes another."""
    return {(kind, team): models.version(kind, team) for kind in KINDS for team in TEAMS}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_was_promised(models: StoredModels, versions: Versions, role: str) -> None:
    """Objects, their versions, their heads: of its own team, or of all."""
    s3 = session(models.account, role).client(models.account, "s3")
    reads = READS[role] | ({"blobs"} if BYTES[role] is not None else set())
    for team, own in teams_of(role).items():
        wanted = reads if own else set()
        places = {kind: models.place(kind, team) for kind in KINDS}
        assert {kind for kind in KINDS if allowed(s3.get_object, **places[kind])} == wanted
        assert {kind for kind in KINDS if allowed(s3.head_object, **places[kind])} == wanted
        assert {kind for kind in KINDS if allowed(s3.get_object, **versions[kind, team])} == wanted


@pytest.mark.parametrize("role", ROLES)
def test_a_role_lists_what_was_promised(models: StoredModels, role: str) -> None:
    """Folder by folder, objects and versions; the bucket as a whole is listed by nobody."""
    s3 = session(models.account, role).client(models.account, "s3")
    name = models.account.bucket
    for team, own in teams_of(role).items():
        for call in (s3.list_objects_v2, s3.list_object_versions):
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
    s3 = session(models.account, role).client(models.account, "s3")
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
def test_a_role_tags_what_was_promised(models: StoredModels, versions: Versions, role: str) -> None:
    """One role alone says what is verified or released, of a version; unfinished uploads are their team's."""
    account = models.account
    s3, root = session(account, role).client(account, "s3"), account.root_client("s3")
    tags = {"TagSet": [{"Key": name, "Value": value} for name, value in OPENED.items()]}
    for team, own in teams_of(role).items():
        read = {kind for kind in KINDS if allowed(s3.get_object_tagging, **versions[kind, team])}
        assert read == (READ_TAGS[role] if own else set())
        put = {kind for kind in KINDS if allowed(s3.put_object_tagging, **versions[kind, team], Tagging=tags)}
        assert put == (TAGS[role] if own else set())
        assert not allowed(s3.put_object_tagging, **models.place("blobs", team), Tagging=tags)
        upload = models.new("blobs", team)
        begun = {**upload, "UploadId": root.create_multipart_upload(**upload)["UploadId"]}
        assert allowed(s3.list_parts, **begun) == ("blobs" in PARTS[role] and own)
        assert allowed(s3.abort_multipart_upload, **begun) == ("blobs" in PARTS[role] and own)
        if not ("blobs" in PARTS[role] and own):
            root.abort_multipart_upload(**begun)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_locks_and_destroys_nothing(models: StoredModels, versions: Versions, role: str) -> None:
    """Deletion of versions, retention, legal holds, access lists and restores are nobody's."""
    s3 = session(models.account, role).client(models.account, "s3")
    soon = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(seconds=30)}
    for kind in KINDS:
        version = versions[kind, "fraud"]
        assert not allowed(s3.put_object_legal_hold, **version, LegalHold={"Status": "ON"})
        assert not allowed(s3.put_object_retention, **version, Retention=soon, BypassGovernanceRetention=True)
        assert not allowed(s3.delete_object, **version)
    for kind in ("blobs", "manifests"):
        version = versions[kind, "fraud"]
        assert not succeeds(s3.put_object_acl, **version, ACL="public-read")
        assert not succeeds(s3.restore_object, **version, RestoreRequest={"Days": 1})
        several = s3.delete_objects(
            Bucket=version["Bucket"],
            Delete={"Objects": [{"Key": version["Key"], "VersionId": version["VersionId"]}]},
        )
        assert [error["Code"] for error in several["Errors"]] == ["AccessDenied"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_uses_no_key_but_through_s3(models: StoredModels, role: str) -> None:
    """Neither to decrypt nor to encrypt nor to be given a data key."""
    kms = session(models.account, role).client(models.account, "kms")
    root = models.account.root_client("kms")
    for name in ("bytes_key_arn", "metadata_key_arn", "logs_key_arn"):
        key_id = models.account.stack[name]
        sealed = root.encrypt(KeyId=key_id, Plaintext=b"secret")["CiphertextBlob"]
        assert not allowed(kms.decrypt, KeyId=key_id, CiphertextBlob=sealed)
        assert not allowed(kms.decrypt, CiphertextBlob=sealed)
        assert not allowed(kms.encrypt, KeyId=key_id, Plaintext=b"x")
        assert not allowed(kms.re_encrypt, CiphertextBlob=sealed, DestinationKeyId=key_id)
        assert not allowed(kms.generate_data_key, KeyId=key_id, KeySpec="AES_256")
        assert not allowed(
            kms.create_grant,
            KeyId=key_id,
            GranteePrincipal=f"{models.account.role_prefix}custodian",
            Operations=["Decrypt"],
        )


@pytest.mark.parametrize("role", PERSONAS)
def test_a_persona_reaches_nothing_else(deployed: Deployed, role: str) -> None:
    """Not the bucket's configuration, not IAM, not the queue, not another role."""
    keys = session(deployed, role)
    s3, sts = keys.client(deployed, "s3"), keys.client(deployed, "sts")
    assert not allowed(s3.get_bucket_policy, Bucket=deployed.bucket)
    assert not allowed(keys.client(deployed, "iam").list_roles)
    assert not allowed(
        keys.client(deployed, "sqs").receive_message, QueueUrl=deployed.stack["events_queue_url"]
    )
    for other in ("service", "worker", "data-scientist", "verifier-tagging", "watch"):
        arn = f"{deployed.role_prefix}{other}"
        assert not allowed(sts.assume_role, RoleArn=arn, RoleSessionName="other", SourceIdentity=SUBJECT)


@pytest.mark.parametrize("role", ["persona-data-scientist", "persona-approver", "verifier-tagging"])
def test_nobody_writes_in_anothers_name(models: StoredModels, role: str) -> None:
    """Neither as an author, nor an approval, a move or a request; nor below one's own name."""
    s3 = session(models.account, role).client(models.account, "s3")
    for kind in ("approvals", "authors", "moves", "requests"):
        place = models.new(kind, subject="sub-of-another")
        below = {**place, "Key": place["Key"].replace("sub-of-another", f"{SUBJECT}.json/sub-of-another")}
        if kind == "requests":  # one's own name is a folder there
            below = {**place, "Key": place["Key"].replace("sub-of-another", f"{SUBJECT}-2")}
        for target in (place, below):
            assert not allowed(s3.put_object, **target, **models.written(kind))
