"""Where to sign in, from nothing but the store's address (RFC 9728, then OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from smas.errors import NotFound, SmasError, Unavailable
from smas.retries import PASSING
from smas.transport import require_private

if TYPE_CHECKING:
    from smas.http import HttpClient

RESOURCE_METADATA: Final = "/.well-known/oauth-protected-resource"
OPENID_CONFIGURATION: Final = "/.well-known/openid-configuration"
_OK: Final = 200
_ATTEMPTS: Final = 3
_WRONG_ADDRESS: Final = "ask whoever administers the store for its address"
Decoded = TypeVar("Decoded")


@dataclass(frozen=True, slots=True)
class SignInPlace:
    """Where the users of one store sign in.

    ``pool_url`` answers the user pool's API; ``token_url`` is the OAuth token endpoint, None for a pool that
    has none; ``client_id`` is the client that people sign in with; ``page_url`` is where a browser begins to
    sign in (the authorization endpoint), None for a pool that lets no browser do it.
    """

    store: str
    issuer: str
    client_id: str
    pool_url: str
    token_url: str | None
    page_url: str | None = None


class _Resource(msgspec.Struct):
    resource: str
    authorization_servers: list[str]
    client_id: str
    openid_configuration_uri: str | None = None


class _Configuration(msgspec.Struct):
    issuer: str
    token_endpoint: str | None = None
    authorization_endpoint: str | None = None
    response_types_supported: list[str] = []
    code_challenge_methods_supported: list[str] | None = None


def discover(store: str, http: HttpClient) -> SignInPlace:
    """Ask the store, then its issuer.

    What a document says of itself must be what was asked for (RFC 9728 section 3.3, OpenID Connect Discovery
    section 4.3), and no address in it may be unencrypted. Raises ``SmasError`` saying what does not fit.
    """
    store = require_private(store)
    resource = _fetch(store + RESOURCE_METADATA, _Resource, http)
    if resource.resource.rstrip("/") != store:
        message = f"{store} says that its address is {resource.resource}"
        raise SmasError(message, hint=f"sign in there: smas login {resource.resource}")
    if not resource.authorization_servers:
        message = f"{store} does not say where to sign in"
        raise SmasError(message)
    issuer = resource.authorization_servers[0]
    where = resource.openid_configuration_uri or issuer.rstrip("/") + OPENID_CONFIGURATION
    configuration = _fetch(require_private(where), _Configuration, http)
    if configuration.issuer != issuer:
        message = f"{where} speaks for {configuration.issuer}, but the store trusts {issuer}"
        raise SmasError(message, hint="do not sign in; tell whoever administers the store")
    parts = urlsplit(where)
    token_url = configuration.token_endpoint
    return SignInPlace(
        store=store,
        issuer=issuer,
        client_id=resource.client_id,
        pool_url=f"{parts.scheme}://{parts.netloc}/",
        token_url=require_private(token_url) if token_url else None,
        page_url=_page(configuration),
    )


def _page(configuration: _Configuration) -> str | None:
    """Where browsers sign in, if they can by an authorization code with a proof of possession (RFC 7636).

    Cognito takes S256 without saying so; only a pool that names other methods and not this one lacks it.
    """
    methods = configuration.code_challenge_methods_supported
    if not configuration.authorization_endpoint or not configuration.token_endpoint:
        return None
    if "code" not in configuration.response_types_supported or (
        methods is not None and "S256" not in methods
    ):
        return None
    return require_private(configuration.authorization_endpoint)


def _fetch(url: str, kind: type[Decoded], http: HttpClient) -> Decoded:
    # Somebody waits at the keyboard: a wrong address shall be told soon.
    reply = http.ask("GET", url, {"Accept": "application/json"}, attempts=_ATTEMPTS)
    if reply.status in PASSING:
        message = f"{url} answers with status {reply.status}"
        raise Unavailable(message)
    if reply.status != _OK:
        message = f"{url} answers with status {reply.status}: this is no store's address"
        raise NotFound(message, hint=_WRONG_ADDRESS)
    try:
        return msgspec.json.decode(reply.content, type=kind)
    except msgspec.MsgspecError as error:
        message = f"{url} does not say how to sign in ({error}): this is no store's address"
        raise NotFound(message, hint=_WRONG_ADDRESS) from error
