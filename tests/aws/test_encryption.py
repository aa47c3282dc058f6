"""Under which keys the bucket takes what: its own two, each for its own, from whomever."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.stack.sessions import session

if TYPE_CHECKING:
    from tests.aws.deployed import Deployed
    from tests.stack.stored_models import StoredModels

OTHERS = ("the trail's key", "the account's default key", "S3's own", "the sender's own")
WHO = ("administrator", "data-scientist")


def headers(deployed: Deployed, which: str) -> dict[str, Any]:
    """What asks S3 to encrypt under a key that is none of the store's."""
    secret = os.urandom(32)
    asked: dict[str, dict[str, Any]] = {
        "the trail's key": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": deployed.stack["logs_key_arn"]},
        "the account's default key": {"ServerSideEncryption": "aws:kms"},
        "S3's own": {"ServerSideEncryption": "AES256"},
        "the sender's own": {
            "SSECustomerAlgorithm": "AES256",
            "SSECustomerKey": base64.b64encode(secret).decode(),
            "SSECustomerKeyMD5": base64.b64encode(
                hashlib.md5(secret, usedforsecurity=False).digest()
            ).decode(),
        },
    }
    return asked[which]


def client(deployed: Deployed, who: str) -> Any:
    """S3 as somebody has it."""
    if who == "administrator":
        return deployed.root_client("s3")
    return session(deployed, f"persona-{who}").client(deployed, "s3")


def refusal(s3: Any, **request: Any) -> str | None:
    """The code with which a write is refused."""
    try:
        s3.put_object(Body=b"{}", **request)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("which", OTHERS)
def test_another_key_is_refused(deployed: Deployed, models: StoredModels, which: str, who: str) -> None:
    """For bytes and for records, to an administrator as well: the bucket's policy decides."""
    s3 = client(deployed, who)
    for kind in ("blobs", "cards"):
        assert refusal(s3, **models.new(kind), **headers(deployed, which)) == "AccessDenied"


@pytest.mark.parametrize("who", WHO)
def test_each_key_is_for_its_own(deployed: Deployed, models: StoredModels, who: str) -> None:
    """Bytes never under the key of records, records never under that of bytes, nor without naming theirs."""
    s3 = client(deployed, who)
    under = {
        name: {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": deployed.stack[f"{name}_key_arn"]}
        for name in ("bytes", "metadata")
    }
    assert refusal(s3, **models.new("blobs"), **under["metadata"]) == "AccessDenied"
    assert refusal(s3, **models.new("cards"), **under["bytes"]) == "AccessDenied"
    assert refusal(s3, **models.new("cards")) == "AccessDenied"
    assert refusal(s3, **models.new("blobs"), **under["bytes"]) is None
    assert refusal(s3, **models.new("cards"), **under["metadata"]) is None


def test_bytes_that_name_no_key_come_under_their_own(deployed: Deployed, models: StoredModels) -> None:
    """By the bucket's default: whoever uploads by a URL sends no header."""
    place = models.new("blobs")
    assert refusal(client(deployed, "data-scientist"), **place) is None
    head = deployed.root_client("s3").head_object(**place)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", deployed.stack["bytes_key_arn"])
