"""`POST /oauth2/token`: the grants of RFC 6749 with Cognito's manners.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html. Cognito answers every refusal
with 400 and a body of nothing but `error`, also for wrong credentials, where the RFC would have 401; client
credentials without `scope` are granted all scopes the client is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from smas_emulator.cognito import pkce
from smas_emulator.cognito.answers import JsonAnswer
from smas_emulator.cognito.client_authentication import Refusal, authenticate, parse_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.cognito.app_clients import AppClient, Clients
    from smas_emulator.cognito.authorization_codes import AuthorizationCodes, Grant

_GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "client_credentials"})


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a grant gives; `lifetime` is the access token's, in seconds."""

    access_token: str = field(repr=False)
    lifetime: int
    id_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


class Minter(Protocol):
    """Makes tokens for what was found to be granted."""

    def for_machine(self, client: AppClient, scopes: tuple[str, ...]) -> Tokens:
        """An access token of the client itself."""
        ...

    def for_person(self, client: AppClient, grant: Grant) -> Tokens | None:
        """All three tokens (an id token only for `openid`); None if the person may sign in no more."""
        ...

    def renewed(self, client: AppClient, refresh_token: str) -> Tokens | None:
        """Another access and id token; None if the refresh token is not, or no longer, this client's."""
        ...


def answer_token_request(
    body: str, authorization: str | None, clients: Clients, codes: AuthorizationCodes, mint: Minter
) -> JsonAnswer:
    """Answer one request: `body` is the form as sent, `authorization` the header of that name.

    `mint` is called only for a request that is granted.
    """
    try:
        tokens = _granted(parse_form(body), authorization, clients, codes, mint)
    except Refusal as refusal:
        return JsonAnswer(400, {"error": refusal.error})
    return JsonAnswer(
        200,
        {
            **({"id_token": tokens.id_token} if tokens.id_token else {}),
            "access_token": tokens.access_token,
            **({"refresh_token": tokens.refresh_token} if tokens.refresh_token else {}),
            "expires_in": tokens.lifetime,
            "token_type": "Bearer",
        },
    )


def _granted(
    form: Mapping[str, str],
    authorization: str | None,
    clients: Clients,
    codes: AuthorizationCodes,
    mint: Minter,
) -> Tokens:
    if "grant_type" not in form:
        raise Refusal("invalid_request")
    if form["grant_type"] not in _GRANT_TYPES:
        raise Refusal("unsupported_grant_type")
    client = authenticate(form, authorization, clients)
    match form["grant_type"]:
        case "client_credentials":
            return _for_machine(form, client, mint)
        case "authorization_code":
            return _for_code(form, client, codes, mint)
        case _:
            return _renewed(form, client, mint)


def _for_machine(form: Mapping[str, str], client: AppClient, mint: Minter) -> Tokens:
    if "client_credentials" not in client.flows:
        raise Refusal("unauthorized_client")
    if client.secret is None:  # whose grant is for confidential clients alone (RFC 6749, section 4.4)
        raise Refusal("invalid_client")
    if "scope" not in form:
        return mint.for_machine(client, client.scopes)
    scopes = tuple(dict.fromkeys(form["scope"].split()))
    if not scopes or not set(scopes) <= set(client.scopes):
        raise Refusal("invalid_scope")
    return mint.for_machine(client, scopes)


def _for_code(form: Mapping[str, str], client: AppClient, codes: AuthorizationCodes, mint: Minter) -> Tokens:
    if "code" not in client.flows:
        raise Refusal("unauthorized_client")
    if "code" not in form or "redirect_uri" not in form:
        raise Refusal("invalid_request")
    grant = codes.redeem(form["code"])
    if (
        grant is None
        or (grant.client_id, grant.redirect_uri) != (client.id, form["redirect_uri"])
        or not pkce.answers(form.get("code_verifier"), grant.code_challenge)
    ):
        raise Refusal("invalid_grant")
    return _or_invalid(mint.for_person(client, grant))


def _renewed(form: Mapping[str, str], client: AppClient, mint: Minter) -> Tokens:
    if not client.may_refresh:
        raise Refusal("unauthorized_client")
    if "refresh_token" not in form:
        raise Refusal("invalid_request")
    return _or_invalid(mint.renewed(client, form["refresh_token"]))


def _or_invalid(tokens: Tokens | None) -> Tokens:
    if tokens is None:
        raise Refusal("invalid_grant")
    return tokens
