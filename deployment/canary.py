"""The user that a smoke test signs in as: made for it, and deleted when it ends.

It signs in as people do, but for the page: with a password and a second factor, in a group, so that what
makes a token's groups is tried as well. Password and second factor are of this process alone. The pool's
client for it (infra/cognito.tf) takes passwords only from who may administer the pool.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string
import struct
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator

USER: Final = "canary"
GROUP: Final = "data-scientist@canary"
# RFC 6238, as Cognito has it.
_STEP_SECONDS: Final = 30
_MOST_CHALLENGES: Final = 4


@contextmanager
def signed_in(cognito: Any, pool: str, client: str) -> Iterator[str]:
    """While inside, there is a canary user; yields its access token."""
    try:
        _delete(cognito, pool)  # what a test that was killed has left
        password = new_password()
        cognito.admin_create_user(
            UserPoolId=pool, Username=USER, TemporaryPassword=password, MessageAction="SUPPRESS"
        )
    except ClientError as error:
        raise DeploymentError(_refused(error)) from error
    try:
        try:
            cognito.admin_add_user_to_group(UserPoolId=pool, Username=USER, GroupName=GROUP)
            token = _sign_in(cognito, pool, client, password)
        except ClientError as error:
            raise DeploymentError(_refused(error)) from error
        yield token
    finally:
        _delete(cognito, pool)


def new_password() -> str:
    """A password that any pool takes, for whoever needs one for a moment."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#%+-=_")
    return "".join(secrets.choice(kind) for kind in kinds) + secrets.token_urlsafe(32)


def one_time_code(secret: str, now: float) -> str:
    """The six digits that an authenticator shows (RFC 6238) for a secret in base 32."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(now) // _STEP_SECONDS), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def _sign_in(cognito: Any, pool: str, client: str, password: str) -> str:
    secret = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"][
        "ClientSecret"
    ]
    digest = hmac.new(secret.encode(), f"{USER}{client}".encode(), hashlib.sha256).digest()
    about = {"USERNAME": USER, "SECRET_HASH": base64.b64encode(digest).decode()}
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={**about, "PASSWORD": password},
    )
    for _ in range(_MOST_CHALLENGES):
        if "AuthenticationResult" in answer:
            return str(answer["AuthenticationResult"]["AccessToken"])
        responses, session = _respond(cognito, answer)
        answer = cognito.admin_respond_to_auth_challenge(
            UserPoolId=pool,
            ClientId=client,
            ChallengeName=answer["ChallengeName"],
            ChallengeResponses={**about, **responses},
            Session=session,
        )
    message = f"The user pool asks the canary for {answer.get('ChallengeName')} again and again."
    raise DeploymentError(message)


def _respond(cognito: Any, challenge: dict[str, Any]) -> tuple[dict[str, str], str]:
    """What a new user answers to a challenge, and the session to answer in."""
    match challenge["ChallengeName"]:
        case "NEW_PASSWORD_REQUIRED":
            return {"NEW_PASSWORD": new_password()}, challenge["Session"]
        case "MFA_SETUP":
            started = cognito.associate_software_token(Session=challenge["Session"])
            verified = cognito.verify_software_token(
                Session=started["Session"], UserCode=one_time_code(started["SecretCode"], time.time())
            )
            return {}, verified["Session"]
        case other:
            message = f"The user pool asks the canary for {other}, which a new user cannot answer."
            raise DeploymentError(message)


def _delete(cognito: Any, pool: str) -> None:
    try:
        cognito.admin_delete_user(UserPoolId=pool, Username=USER)
    except cognito.exceptions.UserNotFoundException:
        return


def _refused(error: ClientError) -> str:
    code, said = error.response["Error"]["Code"], error.response["Error"]["Message"]
    return (
        f"The canary user cannot sign in: {error.operation_name} was answered with {code} ({said}). A "
        "failing function token-groups refuses everybody alike; a missing permission on the user pool is "
        "yours."
    )
