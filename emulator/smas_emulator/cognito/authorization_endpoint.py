"""`/oauth2/authorize`: what an app asks for, held against what its client may.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html. Whoever asks for a
client or a redirect that is not registered is told so on a page, and never redirected (RFC 6749, section
4.1.2.1); every other error goes to the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from smas_emulator.cognito import pkce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.cognito.app_clients import AppClient, Clients

# `state` and `nonce` come back to the browser and into tokens; the rest is compared with short values.
MOST_CHARACTERS = 2048
_PROMPTS = frozenset({"login", "none", "select_account", "consent"})
_NEED_OPENID = frozenset({"profile", "email", "phone"})
_FLOWS = {"code": "code", "token": "implicit"}


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that may be granted once it is known who asks; `query` is the request as it came."""

    client: AppClient
    redirect_uri: str
    scopes: tuple[str, ...]
    query: str
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: frozenset[str] = frozenset()

    @property
    def asks_anyway(self) -> bool:
        """Whether the person is asked though the browser remembers them."""
        return bool(self.prompt & {"login", "select_account"})

    def redirect_with(self, **parameters: str) -> str:
        """Back to the app, with these parameters and its state."""
        return redirect_back(self.redirect_uri, self.state, **parameters)


class NotRedirected(Exception):
    """Shown on a page: there is no client or no place that may be redirected to."""

    def __init__(self, error: str, explanation: str) -> None:
        super().__init__(explanation)
        self.error = error
        self.explanation = explanation


class SentBack(Exception):
    """Told to the client, at `location`."""

    def __init__(self, error: str, redirect_uri: str, state: str | None, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.location = redirect_back(redirect_uri, state, error=error, error_description=description)


def read_authorization_request(query: str, clients: Clients) -> AuthorizationRequest:
    """The request that a query string makes. Raises `NotRedirected`, `SentBack`."""
    pairs = parse_qsl(query)
    given = dict(pairs)
    client = known_client(pairs, clients)
    redirect_uri = registered(pairs, "redirect_uri", client.callback_urls)
    if not client.flows:
        raise NotRedirected("unauthorized_client", "This app client has no OAuth flow.")
    try:
        # Parameters "MUST NOT be included more than once" (RFC 6749, section 3.1).
        if len(given) != len(pairs):
            raise _Fault("invalid_request", "a parameter is given twice")  # noqa: TRY301 - told as the others are
        _require_short(given)
        _require_code(given.get("response_type"), client)
        return AuthorizationRequest(
            client=client,
            redirect_uri=redirect_uri,
            code_challenge=_challenge(given.get("code_challenge"), given.get("code_challenge_method")),
            prompt=_prompt(given.get("prompt", "")),
            scopes=_granted_scopes(given.get("scope"), client),
            query=query,
            state=given.get("state"),
            nonce=given.get("nonce"),
        )
    except _Fault as fault:
        state = given.get("state")
        if state is not None and len(state) > MOST_CHARACTERS:
            state = None
        raise SentBack(fault.error, redirect_uri, state, fault.description) from None


def known_client(pairs: list[tuple[str, str]], clients: Clients) -> AppClient:
    """The client that a request names, once. Raises `NotRedirected`."""
    named = [value for name, value in pairs if name == "client_id"]
    if len(named) != 1:
        raise NotRedirected("invalid_request", "The address of this page needs one client_id.")
    client = clients.find_client(named[0])
    if client is None:
        raise NotRedirected("invalid_client", "There is no such app client.")
    return client


def registered(pairs: list[tuple[str, str]], name: str, urls: tuple[str, ...]) -> str:
    """The URL that a request names once, if it is exactly a registered one. Raises `NotRedirected`."""
    named = [value for key, value in pairs if key == name]
    if len(named) != 1:
        raise NotRedirected("invalid_request", f"The address of this page needs one {name}.")
    if named[0] not in urls:
        raise NotRedirected(
            "redirect_mismatch", f"The {name} is not registered with this app client, to the letter."
        )
    return named[0]


def redirect_back(redirect_uri: str, state: str | None, **parameters: str) -> str:
    """A redirect URI with more in its query; what it has there already stays (RFC 6749, section 3.1.2)."""
    parts = urlsplit(redirect_uri)
    more = urlencode(parameters if state is None else {**parameters, "state": state})
    query = f"{parts.query}&{more}" if parts.query else more
    return urlunsplit(parts._replace(query=query))


class _Fault(Exception):
    """What the client is told."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def _require_short(given: Mapping[str, str]) -> None:
    if any(len(value) > MOST_CHARACTERS for value in given.values()):
        raise _Fault("invalid_request", "a parameter is too long")


def _require_code(response_type: str | None, client: AppClient) -> None:
    if response_type not in _FLOWS:
        raise _Fault("invalid_request", "response_type must be code or token")
    if _FLOWS[response_type] not in client.flows:
        raise _Fault("unauthorized_client", f"this client may not ask for response_type {response_type}")
    if response_type != "code":
        raise _Fault("unsupported_response_type", "the implicit grant is not emulated")


def _challenge(challenge: str | None, method: str | None) -> str | None:
    if (challenge is None) != (method is None):
        raise _Fault("invalid_request", "code_challenge and code_challenge_method need each other")
    if method not in {None, pkce.METHOD}:
        raise _Fault("invalid_request", "code_challenge_method must be S256")
    if challenge is not None and not pkce.is_challenge(challenge):
        raise _Fault("invalid_request", "code_challenge is no SHA-256 in base64url")
    return challenge


def _prompt(text: str) -> frozenset[str]:
    prompt = frozenset(text.split())
    if not prompt <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise _Fault("invalid_request", "prompt is not understood")
    return prompt


def _granted_scopes(asked: str | None, client: AppClient) -> tuple[str, ...]:
    """The scopes asked for, or all of the client's if none are."""
    if asked is None:
        return client.scopes
    scopes = tuple(dict.fromkeys(asked.split()))
    if not scopes or not set(scopes) <= set(client.scopes):
        raise _Fault("invalid_scope", "a scope is not one of this client's")
    if _NEED_OPENID & set(scopes) and "openid" not in scopes:
        raise _Fault("invalid_scope", "profile, email and phone need openid")
    return scopes
