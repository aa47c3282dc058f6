"""A user pool that signs people and machines in, in the words of Cognito's API reference.

Its tokens are the ones that the application under test accepts.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import msgspec

from tests.client.site.answers import Given, json_answer
from tests.web.conftest import ISSUER, MACHINE, PEOPLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.web.conftest import Pool

TOKEN_URL = "https://people.auth.example.test/oauth2/token"
PAGE_URL = "https://people.auth.example.test/oauth2/authorize"
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
    """Answers InitiateAuth, RespondToAuthChallenge, RevokeToken, the OAuth endpoints, and discovery.

    Tokens last ``lifetime_seconds``. With ``rotates`` each use of a refresh token gives another one, and the
    old one is good no more. ``identity`` has claims of identity tokens that are to be others.
    """

    pool: Pool
    people: dict[str, Person] = field(default_factory=dict)
    lifetime_seconds: float = 3600
    rotates: bool = False
    takes_passwords: bool = True
    asked: list[str] = field(default_factory=list)
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    identity: dict[str, Any] = field(default_factory=dict)
    _codes: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
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
        return json_answer(
            200,
            {
                "issuer": ISSUER,
                "token_endpoint": TOKEN_URL,
                "authorization_endpoint": PAGE_URL,
                "response_types_supported": ["code", "token"],
            },
        )

    def signed_in_with_page(self, url: str, name: str) -> str:
        """Where the sign-in page sends the browser that opened ``url``, once ``name`` has signed in there."""
        page, _, query = url.partition("?")
        asked = dict(parse_qsl(query, strict_parsing=True))
        assert (page, asked["response_type"], asked["client_id"]) == (PAGE_URL, "code", PEOPLE)
        assert asked["code_challenge_method"] == "S256"
        with self.lock:
            code = f"code-{next(self._numbers)}"
            self._codes[code] = (name, asked)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

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
        """The OAuth token endpoint (RFC 6749, sections 4.1.3 and 4.4)."""
        if "Authorization" not in headers:
            return self._exchanged(dict(parse_qsl(content.decode(), strict_parsing=True)))
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

    def _exchanged(self, form: dict[str, str]) -> Given:
        with self.lock:
            self.asked.append(f"token {form['grant_type']}")
            name, asked = self._codes.pop(form.get("code", ""), ("", {}))
            proof = hashlib.sha256(form["code_verifier"].encode()).digest()
            answered = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
            bound = (form["client_id"], form["redirect_uri"], answered)
            if bound != (asked.get("client_id"), asked.get("redirect_uri"), asked.get("code_challenge")):
                return json_answer(400, {"error": "invalid_grant"})
            now = int(time.time())
            identity = {
                "iss": ISSUER,
                "aud": PEOPLE,
                "exp": now + 60,
                "nonce": asked["nonce"],
                **self.identity,
            }
            granted = {
                "access_token": self.access_token(name),
                "id_token": self.pool.sign(identity),
                "refresh_token": self.refresh_token(name),
                "expires_in": 3600,
                "token_type": "Bearer",
            }
        return json_answer(200, granted)

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
