"""`POST /oauth2/token` for machines: the client credentials grant of RFC 6749 with Cognito's manners.

Cognito answers every refusal with 400 and a body of nothing but `error`, also for wrong credentials, where
the RFC would have 401; a request without `scope` is granted all scopes the client is allowed.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

GRANT = "client_credentials"


@dataclass(frozen=True, slots=True)
class ConfidentialClient:
    """What the endpoint needs to know of an app client; a public client has no `secret`."""

    id: str
    secret: str | None
    flows: frozenset[str]
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a JSON body."""

    status: int
    body: dict[str, Any]


class _Refusal(Exception):
    """An error code of RFC 6749, section 5.2."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def answer_token_request(
    body: str,
    authorization: str | None,
    find_client: Callable[[str], ConfidentialClient | None],
    mint: Callable[[ConfidentialClient, tuple[str, ...]], tuple[str, int]],
) -> Answer:
    """Answer one token request.

    `body` is the form as sent, `authorization` the header of that name. `mint` makes an access token for a
    client and scopes and returns it with its lifetime in seconds; it is called only for a request that is
    granted.
    """
    try:
        form = _parse_form(body)
        client = _authenticate(form, authorization, find_client)
        scopes = _granted_scopes(form.get("scope"), client)
    except _Refusal as refusal:
        return Answer(400, {"error": refusal.error})
    token, lifetime = mint(client, scopes)
    return Answer(200, {"access_token": token, "expires_in": lifetime, "token_type": "Bearer"})


def _parse_form(body: str) -> dict[str, str]:
    pairs = parse_qsl(body, keep_blank_values=False)
    form = dict(pairs)
    if len(form) != len(pairs):  # "parameters … MUST NOT be included more than once" (section 3.2)
        raise _Refusal("invalid_request")
    if "grant_type" not in form:
        raise _Refusal("invalid_request")
    if form["grant_type"] != GRANT:
        raise _Refusal("unsupported_grant_type")
    return form


def _authenticate(
    form: dict[str, str], authorization: str | None, find_client: Callable[[str], ConfidentialClient | None]
) -> ConfidentialClient:
    client_id, secret = _credentials(form, authorization)
    client = find_client(client_id)
    if client is None or client.secret is None:
        raise _Refusal("invalid_client")
    if not hmac.compare_digest(client.secret.encode(), secret.encode()):
        raise _Refusal("invalid_client")
    if GRANT not in client.flows:
        raise _Refusal("unauthorized_client")
    return client


def _credentials(form: dict[str, str], authorization: str | None) -> tuple[str, str]:
    """Client id and secret, from the basic header or else from the form (section 2.3.1)."""
    if authorization is None:
        if "client_id" not in form or "client_secret" not in form:
            raise _Refusal("invalid_client")
        return form["client_id"], form["client_secret"]
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise _Refusal("invalid_client")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # neither base64 nor UTF-8
        raise _Refusal("invalid_client") from None
    client_id, _, secret = decoded.partition(":")
    if form.get("client_id", unquote_plus(client_id)) != unquote_plus(client_id):
        raise _Refusal("invalid_request")
    return unquote_plus(client_id), unquote_plus(secret)


def _granted_scopes(asked: str | None, client: ConfidentialClient) -> tuple[str, ...]:
    if asked is None:
        return client.scopes
    scopes = tuple(dict.fromkeys(asked.split()))
    if not scopes or not set(scopes) <= set(client.scopes):
        raise _Refusal("invalid_scope")
    return scopes
