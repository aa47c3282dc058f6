"""The user of the smoke test: signs in as people do, and is gone afterwards, whatever happened."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from deployment.canary import GROUP, USER, new_password, one_time_code, signed_in
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_aws import LocalStack

    Pool = tuple[Any, str, str]


@pytest.fixture
def pool(local_aws: LocalStack) -> Iterator[Pool]:
    """A pool as infra/cognito.tf makes one: a second factor for everybody, and the canary's client."""
    cognito = local_aws.root_client("cognito-idp")
    made = cognito.create_user_pool(
        PoolName="canary", AdminCreateUserConfig={"AllowAdminCreateUserOnly": True}
    )["UserPool"]["Id"]
    cognito.set_user_pool_mfa_config(
        UserPoolId=made, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    cognito.create_group(UserPoolId=made, GroupName=GROUP)
    client = cognito.create_user_pool_client(
        UserPoolId=made,
        ClientName="canary",
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]["ClientId"]
    yield cognito, made, client
    cognito.delete_user_pool(UserPoolId=made)


def users(pool: Pool) -> list[str]:
    """Who is in the pool."""
    cognito, made, _ = pool
    return [user["Username"] for user in cognito.list_users(UserPoolId=made)["Users"]]


def test_the_canary_signs_in_with_a_second_factor_and_is_deleted(pool: Pool) -> None:
    """Its token names its group, which is all that it may."""
    with signed_in(*pool) as token:
        assert users(pool) == [USER]
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["cognito:groups"] == [GROUP]
    assert claims["token_use"] == "access"
    assert users(pool) == []


def test_the_canary_is_deleted_when_the_smoke_test_fails(pool: Pool) -> None:
    """An interrupt counts as well."""
    with pytest.raises(KeyboardInterrupt), signed_in(*pool):
        raise KeyboardInterrupt
    assert users(pool) == []


def test_one_that_was_left_behind_is_replaced(pool: Pool) -> None:
    """By a run that was killed: nobody knows its password, so it is of no use to anybody."""
    cognito, made, _ = pool
    cognito.admin_create_user(UserPoolId=made, Username=USER, MessageAction="SUPPRESS")
    with signed_in(*pool) as token:
        assert token
    assert users(pool) == []


def test_a_pool_that_refuses_is_told(pool: Pool) -> None:
    """With the operation and AWS's code; and the user is gone again."""
    cognito, made, client = pool
    cognito.delete_group(UserPoolId=made, GroupName=GROUP)
    with pytest.raises(DeploymentError, match="AdminAddUserToGroup was answered with"), signed_in(*pool):
        pytest.fail("it signed in")
    assert users(pool) == []
    assert client


@pytest.mark.parametrize(
    ("now", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(now: float, code: str) -> None:
    """Its own vectors (appendix B), the last six digits, padding left out as Cognito does."""
    assert one_time_code(base64.b32encode(b"12345678901234567890").decode().rstrip("="), now) == code


def test_passwords_have_every_kind_and_differ() -> None:
    """As the pool's policy asks."""
    one, other = new_password(), new_password()
    assert one != other
    assert len(one) >= 14
    for kind in (str.islower, str.isupper, str.isdigit, lambda letter: not letter.isalnum()):
        assert any(kind(letter) for letter in one)
