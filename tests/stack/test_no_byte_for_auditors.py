"""An auditor gets no byte of a model, and each layer that stops them does so without the others.

The layers are the service's API, what S3 is allowed to the auditor, and what KMS is. Whatever is taken away
here is given back after the test, from the same templates it was made of; without any of them the bytes are
read, so it is the layers that keep them and nothing else.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.stack.sessions import allowed, fetched, session
from tests.stack.stored_models import BYTES, OPENED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.accounts import Account
    from tests.stack.stored_models import StoredModels

ROLE = "smas-auditor"
READING = ["s3:GetObject", "s3:GetObjectVersion"]
Statement = dict[str, Any]


def role_policy(account: Account) -> list[Statement]:
    """The statements of the auditor's own policy, as they are now."""
    found = account.root_client("iam").get_role_policy(RoleName=ROLE, PolicyName=ROLE)["PolicyDocument"]
    return list((json.loads(found) if isinstance(found, str) else found)["Statement"])


def key_policy(account: Account) -> list[Statement]:
    """The statements of the policy of the bytes' key, as they are now."""
    key_id = account.stack["bytes_key_arn"]
    found = account.root_client("kms").get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
    return list(json.loads(found)["Statement"])


def _put(account: Account, role: list[Statement], key: list[Statement]) -> None:
    def text(statements: list[Statement]) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    iam, kms = account.root_client("iam"), account.root_client("kms")
    iam.put_role_policy(RoleName=ROLE, PolicyName=ROLE, PolicyDocument=text(role))
    kms.put_key_policy(KeyId=account.stack["bytes_key_arn"], PolicyName="default", Policy=text(key))


@contextmanager
def without(account: Account, *sids: str, allowing: tuple[Statement, ...] = ()) -> Iterator[None]:
    """The auditor without the statements of these names in either policy, and with some allowed instead."""
    role, key = role_policy(account), key_policy(account)
    assert set(sids) <= {statement["Sid"] for statement in (*role, *key)}
    left = [[each for each in policy if each["Sid"] not in sids] for policy in (role, key)]
    _put(account, [*left[0], *allowing], left[1])
    try:
        yield
    finally:
        _put(account, role, key)


def s3_allowed(account: Account) -> Statement:
    """What a mistake in the auditor's policy might allow: every blob."""
    resource = f"arn:aws:s3:::{account.bucket}/blobs/*"
    return {"Sid": "Mistake", "Effect": "Allow", "Action": READING, "Resource": resource}


def key_allowed(account: Account) -> Statement:
    """Another one: the bytes' key."""
    key = account.stack["bytes_key_arn"]
    return {"Sid": "AnotherMistake", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": key}


def refused_for(models: StoredModels) -> set[str]:
    """The actions for whose lack the auditor's reads of a verified blob are refused, with or without URLs.

    Empty if a single one of them gave a byte.
    """
    s3 = session(models.account, "persona-auditor").client(models.account, "s3")
    blob = models.new_blob(**OPENED)
    place, told = {name: blob[name] for name in ("Bucket", "Key")}, []
    for target in (place, blob):
        for changed in ({}, {"Range": "bytes=0-0"}):
            try:
                s3.get_object(**target, **changed)
            except ClientError as error:
                told.append("{Code}: {Message}".format(**error.response["Error"]))
            else:
                return set()
        status, body = fetched(s3, **target)
        if status != 403 or BYTES in body:
            return set()
        told.append(body.decode())
    assert all("AccessDenied" in each for each in told)
    return {action for action in (*READING, "kms:Decrypt") if any(f"perform: {action} " in t for t in told)}


S3_SIDE, ROLES_KEY_SIDE, KEYS_SIDE = "NeverOneByte", "NeverTheBytesKey", "NeverForThoseWhoReadNoByte"


def test_without_the_api_s3_and_kms_are_left(models: StoredModels) -> None:
    """The service is not even asked: the auditor's own session asks S3, which refuses before KMS is asked."""
    assert refused_for(models) == set(READING)


def test_without_what_s3_denies_it_is_not_allowed(models: StoredModels) -> None:
    """A denial that got lost opens nothing, for nothing allows it."""
    with without(models.account, S3_SIDE):
        assert refused_for(models) == set(READING)


@pytest.mark.parametrize("gone", [(), (ROLES_KEY_SIDE,), (KEYS_SIDE,)], ids=lambda gone: gone and gone[0])
def test_without_s3_the_key_stays_shut(models: StoredModels, gone: tuple[str, ...]) -> None:
    """S3 would give every blob; the key refuses, by either of its denials alone, though it is allowed."""
    allowing = (s3_allowed(models.account), key_allowed(models.account))
    with without(models.account, S3_SIDE, *gone, allowing=allowing):
        assert refused_for(models) == {"kms:Decrypt"}


def test_without_s3_and_both_denials_the_key_is_not_allowed(models: StoredModels) -> None:
    """S3 would give every blob; nothing denies the key, and nothing allows it."""
    with without(models.account, S3_SIDE, ROLES_KEY_SIDE, KEYS_SIDE, allowing=(s3_allowed(models.account),)):
        assert refused_for(models) == {"kms:Decrypt"}


@pytest.mark.parametrize("mistake", [False, True])
def test_without_the_key_s3_stays_shut(models: StoredModels, *, mistake: bool) -> None:
    """The key would decrypt; S3 refuses, even if a statement allows every blob."""
    allowing = (key_allowed(models.account), *([s3_allowed(models.account)] if mistake else []))
    with without(models.account, ROLES_KEY_SIDE, KEYS_SIDE, allowing=allowing):
        assert refused_for(models) == set(READING)


def test_without_all_of_them_there_is_nothing_left(models: StoredModels) -> None:
    """The control: what the others hold is held by these layers."""
    allowing = (s3_allowed(models.account), key_allowed(models.account))
    with without(models.account, S3_SIDE, ROLES_KEY_SIDE, KEYS_SIDE, allowing=allowing):
        assert refused_for(models) == set()


def test_what_was_taken_away_is_given_back(models: StoredModels) -> None:
    """Or the tests after this one would hold nothing; and an auditor still reads what is theirs."""
    before = role_policy(models.account), key_policy(models.account)
    with without(models.account, S3_SIDE, ROLES_KEY_SIDE, KEYS_SIDE):
        assert (role_policy(models.account), key_policy(models.account)) != before
    assert (role_policy(models.account), key_policy(models.account)) == before
    s3 = session(models.account, "persona-auditor").client(models.account, "s3")
    assert allowed(s3.get_object, **models.place("manifests"))
    assert fetched(s3, **models.place("cards")) == (200, b"{}")
