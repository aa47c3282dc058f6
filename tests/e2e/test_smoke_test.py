"""The smoke test of a deployment, on a whole store: it finds what works, and leaves one version an image."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from deployment import smoke_test
from deployment.canary import GROUP, new_password
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Stack


@pytest.fixture
def store(stack: Stack) -> Iterator[smoke_test.Store]:
    """The store in the name of somebody of the canary's team. How the canary signs in: tests/deployment."""
    cognito, pool = stack.aws.root_client("cognito-idp"), stack.aws.stack["user_pool_id"]
    name, password = f"canary-{uuid.uuid4().hex[:8]}", new_password()
    groups = cognito.list_groups(UserPoolId=pool)["Groups"]
    if GROUP not in {group["GroupName"] for group in groups}:
        cognito.create_group(UserPoolId=pool, GroupName=GROUP)
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=GROUP)
    answer = cognito.initiate_auth(
        ClientId=stack.aws.stack["people_client_id"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    yield smoke_test.Store(stack.url, answer["AuthenticationResult"]["AccessToken"])
    cognito.admin_delete_user(UserPoolId=pool, Username=name)


def image() -> str:
    """An image that was never deployed."""
    return f"registry/smas@sha256:{uuid.uuid4().hex}{uuid.uuid4().hex}"


@pytest.mark.password_sign_in
def test_a_repeated_deployment_publishes_nothing_new(store: smoke_test.Store) -> None:
    """A version cannot be taken back, so a retry uses that of the same image; another image makes another."""
    said: list[str] = []
    first, second = image(), image()
    number = smoke_test.run(store, first, said.append, poll=0.2)
    assert said[0] == f"published version {number} of canary/smoke-test"
    assert said[-1] == "fetched, and the same to the byte"

    assert smoke_test.run(store, first, said.append, poll=0.2) == number
    assert smoke_test.run(store, second, said.append, poll=0.2) == number + 1


@pytest.mark.password_sign_in
def test_a_refusal_fails_it_in_the_stores_own_words(store: smoke_test.Store) -> None:
    """With the request's id, which finds it in the log."""
    nobody = smoke_test.Store(store.address, "no token")
    with pytest.raises(DeploymentError, match=r"at GET /v1/models/canary/.*: 401 .*request id \S+\)"):
        smoke_test.run(nobody, image(), pytest.fail)
