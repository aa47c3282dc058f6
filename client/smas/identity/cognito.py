"""Signing in at a Cognito user pool with a password, and staying signed in with a refresh token.

Requests and answers are those of the Amazon Cognito user pools API reference: ``InitiateAuth``,
``RespondToAuthChallenge``, ``RevokeToken``. None of them takes a signature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from smas.errors import Forbidden, NotSignedIn, SmasError, Unavailable
from smas.retries import PASSING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smas.http import HttpClient

_TARGET: Final = "AWSCognitoIdentityProviderService"
_OK: Final = 200
# What the pool may ask for besides the password: the answer's name, the question, whether to hide it.
_CHALLENGES: Final[dict[str, tuple[str, str, bool]]] = {
    "NEW_PASSWORD_REQUIRED": ("NEW_PASSWORD", "New password (the one you have is temporary)", True),
    "SOFTWARE_TOKEN_MFA": ("SOFTWARE_TOKEN_MFA_CODE", "Code from your authenticator", False),
    "SMS_MFA": ("SMS_MFA_CODE", "Code from the text message", False),
    "EMAIL_OTP": ("EMAIL_OTP_CODE", "Code from the e-mail", False),
}


@dataclass(frozen=True, slots=True)
class Granted:
    """What a sign-in gave; the refresh token is None where the pool keeps the one it gave before."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)


class PoolRefused(NotSignedIn):
    """The pool said no; ``kind`` is its own name for why."""

    def __init__(self, detail: str, kind: str, hint: str | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class UserPool:
    """One user pool, as seen by one of its public clients."""

    url: str
    client_id: str
    http: HttpClient

    def sign_in(self, username: str, password: str, ask: Callable[[str, bool], str]) -> Granted:
        """Sign in; ``ask(question, hidden)`` is called for what the pool wants besides the password.

        Raises ``NotSignedIn`` if the pool refuses, ``Forbidden`` if it does not allow passwords here.
        """
        answer = self._call(
            "InitiateAuth",
            {
                "ClientId": self.client_id,
                "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": {"USERNAME": username, "PASSWORD": password},
            },
        )
        while challenge := answer.get("ChallengeName"):
            if challenge not in _CHALLENGES:
                message = f"the user pool asks for {challenge}, which this command can't answer"
                raise NotSignedIn(
                    message, hint="get a token elsewhere and hand it over: smas login --token -"
                )
            name, question, hidden = _CHALLENGES[challenge]
            known_as = answer.get("ChallengeParameters", {}).get("USER_ID_FOR_SRP", username)
            answer = self._call(
                "RespondToAuthChallenge",
                {
                    "ClientId": self.client_id,
                    "ChallengeName": challenge,
                    "Session": answer.get("Session"),
                    "ChallengeResponses": {"USERNAME": known_as, name: ask(question, hidden)},
                },
            )
        return _granted(answer)

    def refresh(self, refresh_token: str) -> Granted:
        """Another access token. Raises ``NotSignedIn`` once the refresh token has expired or was revoked."""
        answer = self._call(
            "InitiateAuth",
            {
                "ClientId": self.client_id,
                "AuthFlow": "REFRESH_TOKEN_AUTH",
                "AuthParameters": {"REFRESH_TOKEN": refresh_token},
            },
        )
        return _granted(answer)

    def revoke(self, refresh_token: str) -> None:
        """Make the refresh token, and the access tokens it gave, useless. Raises ``PoolRefused``."""
        self._call("RevokeToken", {"ClientId": self.client_id, "Token": refresh_token})

    def _call(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{_TARGET}.{operation}"}
        reply = self.http.ask("POST", self.url, headers, msgspec.json.encode(body))
        if reply.status in PASSING:
            message = f"the user pool at {self.url} answers with status {reply.status}"
            raise Unavailable(message)
        if reply.status != _OK:
            raise _refusal(reply.content, reply.status)
        try:
            return msgspec.json.decode(reply.content, type=dict[str, Any]) if reply.content else {}
        except msgspec.MsgspecError as error:
            message = f"the user pool at {self.url} answers with something that is not its API"
            raise SmasError(message) from error


class _Refusal(msgspec.Struct):
    type: str = msgspec.field(name="__type", default="")
    message: str = ""


def _refusal(text: bytes, status: int) -> SmasError:
    try:
        refusal = msgspec.json.decode(text, type=_Refusal)
    except msgspec.MsgspecError:
        return SmasError(f"the user pool answers with status {status}, not in its own words")
    kind = refusal.type.rpartition("#")[2]
    said = refusal.message.rstrip(".") or kind
    if "flow not enabled" in refusal.message:
        message = "this store's user pool does not allow signing in with a password"
        hint = (
            "sign in with a browser (smas login, or smas login --no-browser), or hand a token over: --token -"
        )
        return Forbidden(message, hint=hint)
    if kind == "PasswordResetRequiredException":
        return PoolRefused(
            said, kind, "reset your password where your organisation lets you, then sign in again"
        )
    return PoolRefused(f"the user pool says: {said}", kind)


def _granted(answer: Mapping[str, Any]) -> Granted:
    result = answer.get("AuthenticationResult") or {}
    if "AccessToken" not in result:
        message = "the user pool granted no access token"
        raise NotSignedIn(message)
    return Granted(result["AccessToken"], result.get("RefreshToken"))
