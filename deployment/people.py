"""One person of the user pool: who they are, and their door shut or open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from deployment.errors import DeploymentError


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the pool: the name they sign in with, and the `sub`, which is their source identity."""

    name: str
    subject: str


def person(cognito: Any, pool: str, name: str) -> Person:
    """The user of that name or `sub`. Raises `DeploymentError` if the pool has none."""
    try:
        found = cognito.admin_get_user(UserPoolId=pool, Username=name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code != "UserNotFoundException":
            message = (
                f"The user pool {pool} does not say who {name!r} is ({code}): put that right, or use "
                "--identity with their `sub`, which needs no user pool."
            )
            raise DeploymentError(message) from error
        message = (
            f"The user pool {pool} has no user {name!r}. People of an identity provider are called "
            "<provider>_<name>; access-review lists everybody. A machine, or a person who comes through IAM: "
            "--identity with their source identity."
        )
        raise DeploymentError(message) from None
    subjects = [each["Value"] for each in found["UserAttributes"] if each["Name"] == "sub"]
    return Person(found["Username"], subjects[0])


def shut_out(cognito: Any, pool: str, name: str) -> None:
    """No sign-in any more, and no refreshing; access tokens at hand stay what they are until they end."""
    cognito.admin_disable_user(UserPoolId=pool, Username=name)
    cognito.admin_user_global_sign_out(UserPoolId=pool, Username=name)


def let_in(cognito: Any, pool: str, name: str) -> None:
    """They may sign in again."""
    cognito.admin_enable_user(UserPoolId=pool, Username=name)
