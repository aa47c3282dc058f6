"""How an app client proves who it is at the token and revocation endpoints (RFC 6749, section 2.3)."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from smas_emulator.cognito.forms import MalformedForm, read_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.cognito.app_clients import AppClient, Clients


class Refusal(Exception):
    """An error code of RFC 6749, section 5.2."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def parse_form(body: str) -> dict[str, str]:
    """The parameters of a form as sent. Raises `Refusal`."""
    try:
        return read_form(body)
    except MalformedForm as error:
        raise Refusal("invalid_request") from error


def authenticate(form: Mapping[str, str], authorization: str | None, clients: Clients) -> AppClient:
    """The client whose request this is. Raises `Refusal`.

    A confidential client proves itself by basic authentication or in the form; a public one only names
    itself, and is refused if it claims a secret.
    """
    client_id, secret = _credentials(form, authorization)
    client = clients.find_client(client_id)
    if client is None or (client.secret is None) != (secret is None):
        raise Refusal("invalid_client")
    if client.secret is not None and not hmac.compare_digest(client.secret.encode(), (secret or "").encode()):
        raise Refusal("invalid_client")
    return client


def _credentials(form: Mapping[str, str], authorization: str | None) -> tuple[str, str | None]:
    """Client id and secret, from the basic header or else from the form (section 2.3.1)."""
    if authorization is None:
        if "client_id" not in form:
            raise Refusal("invalid_client")
        return form["client_id"], form.get("client_secret")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise Refusal("invalid_client")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # neither base64 nor UTF-8
        raise Refusal("invalid_client") from None
    client_id, _, secret = decoded.partition(":")
    if form.get("client_id", unquote_plus(client_id)) != unquote_plus(client_id):
        raise Refusal("invalid_request")
    return unquote_plus(client_id), unquote_plus(secret)
