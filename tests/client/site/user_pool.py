"""A user pool that signs people and machines in, in the words of Cognito's API reference.

Its tokens are the ones that the application under test accepts.
"""

from __future__ import annotations

import base64
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import msgspec

from tests.client.site.answers import Given, json_answer
from tests.web.conftest import ISSUER, MACHINE, PEOPLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.web.conftest import Pool

TOKEN_URL = "https://people.auth.example.test/oauth2/token"
CONFIGURATION_URL = f"{ISSUER}/.well-known/openid-configuration"
POOL_URL = f"https://{urlsplit(ISSUER).netloc}/"
PASSWORD = "correct horse battery staple"
MACHINE_SECRET = "the machine's own secret"
_TARGET = "AWSCognitoIdentityProviderService."


@dataclass
class Person:
    """A user of the pool; ``challenges`` are asked after the password, each with its right answer."""

    groups: tuple[str, ...] = ()
    password: str = PASSWORD
    challenges: tuple[tuple[str, str], ...] = ()


class _Refused(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class UserPool:
    """Answers InitiateAuth, RespondToAuthChallenge, RevokeToken, the token endpoint, and discovery.

    Tokens last ``lifetime_seconds``. With ``rotates`` each use of a refresh token gives another one, and the
    old one is good no more.
    """

    pool: Pool
    people: dict[str, Person] = field(default_factory=dict)
    lifetime_seconds: float = 3600
    rotates: bool = False
    takes_passwords: bool = True
    asked: list[str] = field(default_factory=list)
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _sessions: dict[str, tuple[str, list[tuple[str, str]]]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=itertools.count)

    def access_token(self, name: str) -> str:
        """A new access token of a person."""
        changed = {"exp": int(time.time() + self.lifetime_seconds), "jti": f"jti-{next(self._numbers)}"}
        return self.pool.sign(self.pool.claims(name, *self.people[name].groups, **changed))

    def refresh_token(self, name: str) -> str:
        """A new refresh token of a person."""
        token = f"refresh-token-{next(self._numbers)}-of-{name}"
        self.refresh_tokens[token] = name
        return token

    def configuration(self) -> Given:
        """The issuer's OpenID configuration."""
        return json_answer(200, {"issuer": ISSUER, "token_endpoint": TOKEN_URL})

    def answer(self, headers: Mapping[str, str], content: bytes) -> Given:
        """One call of the pool's API."""
        operation = headers["X-Amz-Target"].removeprefix(_TARGET)
        body = msgspec.json.decode(content)
        with self.lock:
            self.asked.append(f"{operation} {body.get('AuthFlow', '')}".strip())
            try:
                return json_answer(200, self._done(operation, body))
            except _Refused as refused:
                said = {"__type": refused.kind, "message": str(refused)}
                return json_answer(400, said, x_amzn_ErrorType=refused.kind)

    def token_answer(self, headers: Mapping[str, str], content: bytes) -> Given:
        """The OAuth token endpoint (RFC 6749, section 4.4)."""
        kind, _, encoded = headers["Authorization"].partition(" ")
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        form = parse_qs(content.decode(), strict_parsing=True)
        with self.lock:
            self.asked.append("token")
        if (kind, unquote_plus(name), unquote_plus(secret)) != ("Basic", MACHINE, MACHINE_SECRET):
            return json_answer(400, {"error": "invalid_client"})
        if form != {"grant_type": ["client_credentials"]}:
            return json_answer(400, {"error": "unsupported_grant_type"})
        claims = self.pool.claims("machine", username=None, client_id=MACHINE, sub=MACHINE)
        claims |= {"scope": "smas/deployer@fraud", "jti": f"jti-{next(self._numbers)}"}
        claims["exp"] = int(time.time() + self.lifetime_seconds)
        claims.pop("cognito:groups")
        token = self.pool.sign(claims)
        return json_answer(200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    def _done(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        if body["ClientId"] != PEOPLE:
            raise _Refused("ResourceNotFoundException", "User pool client does not exist.")
        match operation, body.get("AuthFlow"):
            case "InitiateAuth", "USER_PASSWORD_AUTH":
                return self._sign_in(body["AuthParameters"])
            case "InitiateAuth", "REFRESH_TOKEN_AUTH":
                return self._refresh(body["AuthParameters"]["REFRESH_TOKEN"])
            case "RespondToAuthChallenge", _:
                return self._respond(body)
            case "RevokeToken", _:
                self.refresh_tokens.pop(body["Token"], None)
                return {}
        raise _Refused("InvalidParameterException", f"{operation} is not what this pool does.")

    def _sign_in(self, given: dict[str, str]) -> dict[str, Any]:
        if not self.takes_passwords:
            raise _Refused("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client")
        person = self.people.get(given["USERNAME"])
        if person is None or person.password != given["PASSWORD"]:
            raise _Refused("NotAuthorizedException", "Incorrect username or password.")
        return self._next(given["USERNAME"], list(person.challenges))

    def _next(self, name: str, challenges: list[tuple[str, str]]) -> dict[str, Any]:
        if not challenges:
            granted = {"AccessToken": self.access_token(name), "RefreshToken": self.refresh_token(name)}
            return {"AuthenticationResult": granted, "ChallengeParameters": {}}
        session = f"session-{next(self._numbers)}"
        self._sessions[session] = (name, challenges)
        return {
            "ChallengeName": challenges[0][0],
            "Session": session,
            "ChallengeParameters": {"USER_ID_FOR_SRP": f"id-of-{name}"},
        }

    def _respond(self, body: dict[str, Any]) -> dict[str, Any]:
        name, challenges = self._sessions.pop(body["Session"])
        (kind, right), *following = challenges
        answers = {key: value for key, value in body["ChallengeResponses"].items() if key != "USERNAME"}
        if body["ChallengeResponses"]["USERNAME"] != f"id-of-{name}" or body["ChallengeName"] != kind:
            raise _Refused("NotAuthorizedException", "Invalid session for the user.")
        expected = {
            "NEW_PASSWORD_REQUIRED": "NEW_PASSWORD",
            "SOFTWARE_TOKEN_MFA": "SOFTWARE_TOKEN_MFA_CODE",
            "SMS_MFA": "SMS_MFA_CODE",
            "EMAIL_OTP": "EMAIL_OTP_CODE",
        }[kind]
        if answers != {expected: right}:
            raise _Refused("CodeMismatchException", "Invalid code received for user")
        if kind == "NEW_PASSWORD_REQUIRED":
            self.people[name].password = right
        return self._next(name, following)

    def _refresh(self, token: str) -> dict[str, Any]:
        name = self.refresh_tokens.get(token)
        if name is None:
            raise _Refused("NotAuthorizedException", "Refresh Token has been revoked")
        granted = {"AccessToken": self.access_token(name)}
        if self.rotates:
            del self.refresh_tokens[token]
            granted["RefreshToken"] = self.refresh_token(name)
        return {"AuthenticationResult": granted, "ChallengeParameters": {}}
