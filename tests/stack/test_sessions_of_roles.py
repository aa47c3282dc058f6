"""Who becomes which role, and what the roles of the processes do by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.policy_rules import KINDS
from tests.infra.rendering import PERSONAS
from tests.stack.sessions import (
    ROLES,
    SUBJECT,
    VERIFIER,
    VERIFYING,
    allowed,
    fetched,
    keys_of_this_machine,
    session,
)
from tests.stack.stored_models import TEAMS

if TYPE_CHECKING:
    from tests.local_aws import LocalStack
    from tests.stack.stored_models import StoredModels

EVERY_ROLE = (*(role.removeprefix("persona-") for role in PERSONAS), *VERIFYING, "service", "worker")
PERSON = {
    "RoleSessionName": "matrix",
    "SourceIdentity": SUBJECT,
    "Tags": [{"Key": "jti", "Value": "a-token"}, {"Key": "team", "Value": "fraud"}],
}
OWN = {"RoleSessionName": "matrix", "SourceIdentity": VERIFIER}


def assumes(local_aws: LocalStack, caller: str, role: str, **asked: Any) -> bool:
    """Whether the caller, a role or this machine's user, is given a session of the role `smas-<role>`."""
    keys = keys_of_this_machine(local_aws) if caller == "machine" else session(local_aws, caller)
    wanted = {name: value for name, value in asked.items() if value is not None}
    try:
        given = keys.client(local_aws, "sts").assume_role(RoleArn=f"{ROLES}{role}", **wanted)
    except ClientError as error:
        # The latter for a source identity, where the caller has another already.
        if error.response["Error"]["Code"] not in {"AccessDenied", "ValidationError"}:
            raise
        return False
    return bool(given["Credentials"]["SessionToken"])


@pytest.mark.parametrize("role", [*PERSONAS, *VERIFYING])
def test_this_machine_becomes_no_more_than_a_process(local_aws: LocalStack, role: str) -> None:
    """Its key opens neither a persona nor a role of the worker's, however it asks."""
    name = role.removeprefix("persona-")
    for asked in (PERSON, OWN):
        assert not assumes(local_aws, "machine", name, **asked)


def test_root_assumes_no_role(local_aws: LocalStack) -> None:
    """As in AWS, whatever trusts it."""
    sts = local_aws.root_client("sts")
    for role in EVERY_ROLE:
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=f"{ROLES}{role}", **PERSON)


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_an_identity_once_given_is_never_changed(local_aws: LocalStack, role: str) -> None:
    """Whoever is somebody becomes nobody else: no session of a person leads into another session."""
    for caller in ("persona-data-scientist", "persona-compliance"):
        assert not assumes(local_aws, caller, role, **{**PERSON, "SourceIdentity": "sub-of-another"})
        assert not assumes(local_aws, caller, role, RoleSessionName="matrix")


@pytest.mark.parametrize("role", ["service", "worker"])
def test_the_services_own_role_reads_and_writes_nothing(models: StoredModels, role: str) -> None:
    """Nor lists, nor uses a key: whoever steals it has to become a named person first, on record."""
    keys, local_aws = session(models.account, role), models.account
    s3 = keys.client(local_aws, "s3")
    for kind in KINDS:
        for team in TEAMS:
            place = models.place(kind, team)
            assert not allowed(s3.get_object, **place)
            assert fetched(s3, **place)[0] == 403
            assert not allowed(s3.get_object_tagging, **place)
            assert not allowed(s3.put_object, **models.new(kind, team), **models.written(kind))
            assert not allowed(s3.delete_object, **place)
            assert not allowed(s3.list_objects_v2, Bucket=local_aws.bucket, Prefix=f"{kind}/{team}/")
    kms = keys.client(local_aws, "kms")
    for name in ("bytes_key_arn", "metadata_key_arn", "logs_key_arn"):
        assert not allowed(kms.generate_data_key, KeyId=local_aws.stack[name], KeySpec="AES_256")
    assert not allowed(keys.client(local_aws, "iam").list_roles)
    assert not allowed(keys.client(local_aws, "cloudtrail").lookup_events)


@pytest.mark.parametrize("role", VERIFYING)
def test_the_verifier_cannot_publish(models: StoredModels, role: str) -> None:
    """No manifest, no author, no bytes, no alias: neither new ones nor over what is there, nor a deletion."""
    s3 = session(models.account, role).client(models.account, "s3")
    for kind in ("manifests", "authors", "blobs", "cards", "aliases", "protected", "moves", "settings"):
        for place in (models.new(kind), models.place(kind)):
            assert not allowed(s3.put_object, **place, **models.written(kind))
            assert not allowed(s3.create_multipart_upload, **place, **models.encrypted(kind))
            copied = {**models.encrypted(kind), "CopySource": models.place("blobs")}
            assert not allowed(s3.copy_object, **place, **copied)
            assert not allowed(s3.delete_object, **place)
