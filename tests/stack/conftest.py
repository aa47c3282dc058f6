"""What several tests of the local AWS need."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.stack.stored_models import StoredModels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_aws import LocalStack


@pytest.fixture
def new_person(local_aws: LocalStack) -> Iterator[str]:
    """The name of somebody with a temporary password; gone after the test, for other tests share the pool."""
    cognito, pool = local_aws.root_client("cognito-idp"), local_aws.stack["user_pool_id"]
    name = f"new-{uuid.uuid4().hex[:8]}"
    cognito.admin_create_user(
        UserPoolId=pool, Username=name, TemporaryPassword="Temporary-0nly!", MessageAction="SUPPRESS"
    )
    yield name
    cognito.admin_delete_user(UserPoolId=pool, Username=name)


@pytest.fixture(scope="module")
def models(local_aws: LocalStack) -> StoredModels:
    """A model of each team with an object of every kind."""
    return StoredModels.create(local_aws)
