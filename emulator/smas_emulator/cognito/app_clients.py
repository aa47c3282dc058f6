"""What the OAuth endpoints need to know of an app client and its pool, and of the people in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from smas_emulator.cognito import auth_flows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.cognito.second_factor import SecondFactor

# Beside https and an app's own schemes: "Amazon Cognito requires HTTPS over HTTP except for callback URLs to"
# these, with any TCP port (API reference, CreateUserPoolClient, CallbackURLs).
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class AppClient:
    """An app client; a public one has no `secret`, and `name` is for people to read."""

    id: str
    pool_id: str
    name: str = ""
    secret: str | None = field(default=None, repr=False)
    flows: frozenset[str] = frozenset()
    scopes: tuple[str, ...] = ()
    callback_urls: tuple[str, ...] = ()
    logout_urls: tuple[str, ...] = ()
    may_refresh: bool = True
    may_revoke: bool = True

    @classmethod
    def of(cls, client_id: str, pool_id: str, secret: str | None, described: Mapping[str, Any]) -> AppClient:
        """The client that CreateUserPoolClient was told to make with the members `described`."""
        oauth = bool(described.get("AllowedOAuthFlowsUserPoolClient"))
        # Cognito has no OAuth, and no sign-in page, for a client that does not say so.
        return cls(
            id=client_id,
            pool_id=pool_id,
            name=described.get("ClientName") or "",
            secret=secret,
            flows=frozenset(described.get("AllowedOAuthFlows") or ()) if oauth else frozenset(),
            scopes=tuple(described.get("AllowedOAuthScopes") or ()) if oauth else (),
            callback_urls=tuple(described.get("CallbackURLs") or ()),
            logout_urls=tuple(described.get("LogoutURLs") or ()),
            may_refresh=auth_flows.allows(described.get("ExplicitAuthFlows"), "REFRESH_TOKEN_AUTH"),
            may_revoke=described.get("EnableTokenRevocation", True) is not False,
        )


class Clients(Protocol):
    """Finds app clients; ids are unique across pools."""

    def find_client(self, client_id: str) -> AppClient | None:
        """The client of this id."""
        ...


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The password was right; `username` is the name in the pool."""

    username: str


@dataclass(frozen=True, slots=True)
class NewPasswordRequired:
    """The password was right, but is a temporary one."""

    username: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No sign-in; `reason` is for the person to read and tells nobody whether a user exists."""

    reason: str


class PasswordRefused(Exception):
    """A new password that the pool does not take; its text is for the person to read."""


class People(Protocol):
    """The users of the pools."""

    def check_password(
        self, client: AppClient, username: str, password: str
    ) -> SignedIn | NewPasswordRequired | Refused:
        """Whether somebody may sign in."""
        ...

    def replace_temporary_password(self, client: AppClient, username: str, password: str) -> bool:
        """Set the password of somebody who has a temporary one; False if they do not.

        Raises `PasswordRefused`.
        """
        ...

    def second_factor(self, client: AppClient, username: str) -> SecondFactor | None:
        """Whose codes somebody must give besides the password, if any; a new one is theirs to confirm."""
        ...

    def may_sign_in(self, client: AppClient, username: str) -> bool:
        """Whether somebody who signed in earlier still may, without being asked."""
        ...


def fault_of_redirect_url(url: str) -> str | None:
    """Why Cognito would not let an app client redirect to `url`; None if it would.

    https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "is not a URL"
    if any(character.isspace() or not character.isprintable() for character in url) or not parts.scheme:
        return "is not an absolute URI"
    if "#" in url:
        return "must not include a fragment"
    if parts.scheme in {"http", "https"} and not host:
        return "is not an absolute URI"
    if parts.scheme == "http" and host not in LOOPBACK_HOSTS:
        return "must use HTTPS, but to this machine"
    return None
