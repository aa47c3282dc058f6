"""Access tokens that are good when they are needed: given, a person's, or a machine's."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus, urlencode

import msgspec

from smas.errors import NotSignedIn, SmasError, Unavailable
from smas.identity.cognito import PoolRefused, UserPool
from smas.retries import PASSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from smas.http import HttpClient
    from smas.identity.credentials import CredentialsFile, SignIn

# A token is renewed this long before it expires, so that a request does not race the clock.
MARGIN_SECONDS: Final = 60
_OK: Final = 200


def expires_at(token: str) -> float | None:
    """When an access token expires, in Unix seconds; None if it does not say.

    Read, not verified: whether the token is good is the store's to say.
    """
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None


def _fresh(token: str) -> bool:
    expiry = expires_at(token)
    return expiry is None or expiry - time.time() > MARGIN_SECONDS


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token from outside, which nobody here can renew."""

    value: str = field(repr=False)

    def token(self) -> str:
        """See ``Tokens.token``."""
        expiry = expires_at(self.value)
        if expiry is not None and expiry <= time.time():
            message = "the token that was given has expired"
            raise NotSignedIn(message, hint="get another one (SMAS_TOKEN, or smas login --token -)")
        return self.value

    def renewed(self, refused: str) -> str | None:  # noqa: ARG002 - there is only the one
        """See ``Tokens.renewed``."""
        return None


class PersonsTokens:
    """A person's sign-in, renewed in the credentials file, which other processes renew too."""

    def __init__(self, credentials: CredentialsFile, store: str, http: HttpClient) -> None:
        self._credentials = credentials
        self._store = store
        self._http = http
        self._lock = threading.Lock()
        self._held: SignIn | None = None

    def token(self) -> str:
        """See ``Tokens.token``."""
        with self._lock:
            held = self._held or self._read()
            return held.access_token if _fresh(held.access_token) else self._renew(held.access_token)

    def renewed(self, refused: str) -> str | None:
        """See ``Tokens.renewed``."""
        with self._lock:
            held = self._held or self._read()
            if held.access_token != refused:
                return held.access_token
            return self._renew(refused) if held.refresh_token else None

    def _read(self) -> SignIn:
        held = self._credentials.find(self._store)
        if held is None:
            message = f"you are not signed in at {self._store}"
            raise NotSignedIn(message, hint=f"smas login {self._store}")
        self._held = held
        return held

    def _renew(self, old: str) -> str:
        """Another access token than ``old``: the one that somebody else fetched meanwhile, or a new one."""
        with self._credentials.locked():
            held = self._read()
            if held.access_token != old and _fresh(held.access_token):
                return held.access_token
            if not (held.refresh_token and held.pool_url and held.client_id):
                message = f"the token for {self._store} has expired, and there is nothing to renew it with"
                raise NotSignedIn(message, hint=f"smas login {self._store}")
            pool = UserPool(held.pool_url, held.client_id, self._http)
            try:
                granted = pool.refresh(held.refresh_token)
            except PoolRefused as refused:
                message = f"your sign-in at {self._store} has ended ({refused.detail})"
                raise NotSignedIn(message, hint=f"smas login {self._store}") from refused
            renewed = msgspec.structs.replace(
                held,
                access_token=granted.access_token,
                refresh_token=granted.refresh_token or held.refresh_token,
            )
            self._credentials.keep(self._store, renewed)
            self._held = renewed
            return renewed.access_token


class MachinesTokens:
    """A machine's tokens by client credentials (RFC 6749, section 4.4); kept in memory only.

    ``token_url`` is asked for when the first token is needed.
    """

    def __init__(
        self, client_id: str, client_secret: str, token_url: Callable[[], str], http: HttpClient
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._token_url = token_url
        self._http = http
        self._lock = threading.Lock()
        self._held: str | None = None

    def token(self) -> str:
        """See ``Tokens.token``."""
        with self._lock:
            if self._held is None or not _fresh(self._held):
                self._held = self._fetch()
            return self._held

    def renewed(self, refused: str) -> str | None:
        """See ``Tokens.renewed``."""
        with self._lock:
            if self._held in (None, refused):
                self._held = self._fetch()
            return self._held

    def _fetch(self) -> str:
        pair = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret)}"
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        form = urlencode({"grant_type": "client_credentials"}).encode()
        reply = self._http.ask("POST", self._token_url(), headers, form)
        if reply.status == _OK:
            return _token_in(reply.content)
        if reply.status in PASSING:
            message = f"the token endpoint answers with status {reply.status}"
            raise Unavailable(message)
        message = f"the token endpoint refused the client credentials{_reason_in(reply.content)}"
        raise NotSignedIn(message, hint="check SMAS_CLIENT_ID and SMAS_CLIENT_SECRET")


class _TokenAnswer(msgspec.Struct):
    access_token: str


class _TokenRefusal(msgspec.Struct):
    error: str = ""


def _token_in(content: bytes) -> str:
    try:
        return msgspec.json.decode(content, type=_TokenAnswer).access_token
    except msgspec.MsgspecError as error:
        message = "the token endpoint answered without an access token"
        raise SmasError(message) from error


def _reason_in(content: bytes) -> str:
    try:
        error = msgspec.json.decode(content, type=_TokenRefusal).error
    except msgspec.MsgspecError:
        return ""
    return f" ({error})" if error.isascii() and error.replace("_", "").isalnum() else ""
