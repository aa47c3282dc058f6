"""`POST /oauth2/revoke` (RFC 7009): a refresh token, and the access tokens it gave, are good no more.

https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator.cognito.answers import JsonAnswer
from smas_emulator.cognito.client_authentication import Refusal, authenticate, parse_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smas_emulator.cognito.app_clients import AppClient, Clients

_DOTS_OF_A_JWT = 2  # access and id tokens are signed; our refresh tokens have no dot


def answer_revocation_request(
    body: str, authorization: str | None, clients: Clients, revoke: Callable[[AppClient, str], None]
) -> JsonAnswer:
    """Answer one request, as `answer_token_request`; a token that is none of the client's is 200 as well."""
    try:
        form = parse_form(body)
        client = authenticate(form, authorization, clients)
        token = _refresh_token(form, client)
    except Refusal as refusal:
        return JsonAnswer(401 if refusal.error == "invalid_client" else 400, {"error": refusal.error})
    revoke(client, token)
    return JsonAnswer(200)


def _refresh_token(form: Mapping[str, str], client: AppClient) -> str:
    if "token" not in form or not client.may_revoke:
        raise Refusal("invalid_request")
    if form["token"].count(".") == _DOTS_OF_A_JWT:
        raise Refusal("unsupported_token_type")
    return form["token"]
