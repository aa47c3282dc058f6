"""Which store, as whom, and where this machine keeps things."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from smas.api import Api
from smas.errors import NotFound, NotSignedIn, WrongUsage
from smas.http import HttpClient
from smas.identity.credentials import CredentialsFile
from smas.identity.discovery import discover
from smas.identity.tokens import GivenToken, MachinesTokens, PersonsTokens
from smas.retries import RetryPolicy, Stop
from smas.transport import Urllib3Transport, require_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas.api import Tokens
    from smas.transport import Transport

VARIABLES: Final[tuple[tuple[str, str], ...]] = (
    ("SMAS_STORE", "the store's address, if not the one that was signed in to last"),
    ("SMAS_TOKEN", "an access token to use instead of a sign-in"),
    ("SMAS_CLIENT_ID", "a machine's client id; with SMAS_CLIENT_SECRET, instead of a sign-in"),
    ("SMAS_CLIENT_SECRET", "its secret"),
    ("SMAS_CACHE", "the folder of fetched blobs"),
    ("SMAS_CONFIG", "the folder of credentials.json"),
)


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of this machine."""

    config: Path
    cache: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Places:
        """The folders that the environment names, else the ones of this system's conventions."""
        config, cache = environ.get("SMAS_CONFIG"), environ.get("SMAS_CACHE")
        return cls(
            Path(config).expanduser() if config else platformdirs.user_config_path("smas", appauthor=False),
            Path(cache).expanduser() if cache else platformdirs.user_cache_path("smas", appauthor=False),
        )

    @property
    def credentials(self) -> CredentialsFile:
        """The sign-ins."""
        return CredentialsFile(self.config / "credentials.json")


@dataclass(frozen=True, slots=True)
class Session:
    """A store, one's tokens for it, and the wire."""

    store: str
    tokens: Tokens
    transport: Transport
    retries: RetryPolicy = field(default_factory=RetryPolicy)

    def api(self, stop: Stop) -> Api:
        """The store's contract, for one operation that ``stop`` ends."""
        return Api(self.store, HttpClient(self.transport, self.retries, stop), self.tokens)


def store_address(given: str | None, environ: Mapping[str, str], credentials: CredentialsFile) -> str:
    """Which store is meant. Raises ``NotSignedIn`` if nothing says so, ``WrongUsage`` for no good address."""
    address = given or environ.get("SMAS_STORE") or credentials.current()
    if not address:
        message = "which store? You have not signed in to one yet"
        raise NotSignedIn(message, hint="smas login ADDRESS, or name one with --store or SMAS_STORE")
    return require_private(address)


def open_session(
    store: str | None = None,
    *,
    token: str | None = None,
    transport: Transport | None = None,
    connections: int = 4,
    retries: RetryPolicy | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Session:
    """A session at ``store``, else at ``SMAS_STORE``, else where `smas login` signed in last.

    As the owner of ``token``, else of ``SMAS_TOKEN``, else as the machine ``SMAS_CLIENT_ID``, else as
    whoever signed in. Nothing is sent yet. Raises ``SmasError`` where something is missing.
    """
    retries = retries or RetryPolicy()
    # One more than there are transfers: the store is asked while they run.
    transport = transport or Urllib3Transport(connections + 1)
    credentials = Places.of(environ).credentials
    address = store_address(store, environ, credentials)
    http = HttpClient(transport, retries, Stop())
    tokens: Tokens
    if token or environ.get("SMAS_TOKEN"):
        tokens = GivenToken(token or environ["SMAS_TOKEN"])
    elif client_id := environ.get("SMAS_CLIENT_ID"):
        secret = environ.get("SMAS_CLIENT_SECRET")
        if not secret:
            message = "SMAS_CLIENT_ID is set, but SMAS_CLIENT_SECRET is not"
            raise WrongUsage(message)

        def token_url() -> str:
            place = discover(address, http)
            if not place.token_url:
                message = f"{place.issuer} has no token endpoint for machines"
                raise NotFound(message, hint="ask whoever administers the store")
            return place.token_url

        tokens = MachinesTokens(client_id, secret, token_url, http)
    else:
        tokens = PersonsTokens(credentials, address, http)
    return Session(address, tokens, transport, retries)
