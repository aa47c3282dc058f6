"""A key of KMS gets new material: nothing that was encrypted, handed out or begun before notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployment.errors import DeploymentError
from deployment.rotation import rotate_key
from deployment.store import of_local_stack
from tests.stack.sessions import fetched, session
from tests.stack.stored_models import BYTES

if TYPE_CHECKING:
    from tests.local_aws import LocalStack
    from tests.stack.stored_models import StoredModels


def test_what_was_encrypted_before_is_read_after(local_aws: LocalStack, models: StoredModels) -> None:
    """By a session and a URL from before as well, and new objects are written."""
    which, aws = of_local_stack(local_aws.state)
    s3 = session(local_aws, "persona-data-scientist").client(local_aws, "s3")
    kms, key = aws.client("kms"), local_aws.stack["bytes_key_arn"]
    before = kms.encrypt(KeyId=key, Plaintext=b"hush")["CiphertextBlob"]
    said: list[str] = []

    rotate_key(which, aws, "bytes", said.append)

    assert key in said[0]
    assert fetched(s3, **models.place("blobs")) == (200, BYTES)
    s3.put_object(**models.new("blobs"), Body=BYTES)
    assert kms.decrypt(CiphertextBlob=before)["Plaintext"] == b"hush"


def test_a_key_that_there_is_not_is_said_so(local_aws: LocalStack) -> None:
    """As the one of operations, which the local stack has none of."""
    which, aws = of_local_stack(local_aws.state)
    with pytest.raises(DeploymentError, match="alias/smas-operations was not rotated"):
        rotate_key(which, aws, "operations", lambda _: None)
