"""The pool's key set: fetched when needed, kept, and never traded for nothing.

AWS rotates keys by publishing new ones beside the old, so an unknown key id is a reason to look again,
but not more often than a cool-down allows: anybody can invent key ids.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
import urllib3
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from service.errors import Unauthenticated, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

LIFETIME: Final = timedelta(hours=1)
COOL_DOWN: Final = timedelta(seconds=30)
# Without any keys nobody can be served, so the provider is asked again much sooner.
FIRST_COOL_DOWN: Final = timedelta(seconds=2)
_OK: Final = 200
_MAX_BYTES: Final = 256 * 1024
# Moduli (SHA-256, hex) of key pairs whose private half anybody can download: moto's Cognito key, which
# ships inside its package. A token signed by one proves nothing, on whatever stack.
PUBLISHED_KEYS: Final = frozenset({"60ececf17e149ab77be01dedd94c3fb8a0c33c70d4a78b1c3807b097c7c506be"})


class KeySet:
    """Public RSA keys of one issuer, by key id."""

    def __init__(
        self, fetch: Callable[[], bytes], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._lock = threading.Lock()

    def key(self, kid: str | None) -> RSAPublicKey:
        """The key of that id. Raises ``Unauthenticated``; ``Unavailable`` if no key set was ever had."""
        if not kid:
            message = "the token names no key"
            raise Unauthenticated(message)
        if kid not in self._keys:
            self._refresh()
        elif self._is_old() and self._lock.acquire(blocking=False):
            # One thread fetches; the others go on with the key they know instead of waiting for an outage.
            try:
                self._fetch_anew()
            finally:
                self._lock.release()
        key = self._keys.get(kid)
        if key is None:
            message = "the token is signed by an unknown key"
            raise Unauthenticated(message)
        return key

    def require(self) -> None:
        """Raise ``Unavailable`` unless there are keys to verify with."""
        if not self._keys:
            self._refresh()

    def _is_old(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > LIFETIME

    def _refresh(self) -> None:
        """Fetch anew, or wait for whoever does. Raises ``Unavailable`` if there are no keys even then."""
        with self._lock:
            self._fetch_anew()
            if not self._keys:
                message = "the key set of the identity provider cannot be had: try again later"
                raise Unavailable(message)

    def _fetch_anew(self) -> None:
        """Fetch unless that was just tried; an outage leaves the keys we have in service."""
        now = self._clock()
        cool_down = COOL_DOWN if self._keys else FIRST_COOL_DOWN
        if self._tried_at is not None and now - self._tried_at < cool_down:
            return
        self._tried_at = now
        try:
            keys = _usable_keys(self._fetch())
        except (OSError, urllib3.exceptions.HTTPError, msgspec.MsgspecError) as error:
            log.warning("key set not refreshed", extra={"reason": type(error).__name__})
            return
        if keys:
            self._keys = keys
            self._fetched_at = now
        else:
            log.warning("key set not refreshed", extra={"reason": "no usable key in it"})


def fetch_from(url: str) -> Callable[[], bytes]:
    """A fetcher of ``url`` with short time-outs that follows no redirect."""
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=3), retries=False)

    def fetch() -> bytes:
        answer = pool.request("GET", url, redirect=False, preload_content=False)
        try:
            body = answer.read(_MAX_BYTES + 1)
        finally:
            answer.release_conn()
        if answer.status != _OK or len(body) > _MAX_BYTES:
            message = f"the key set answered {answer.status} with {len(body)} bytes"
            raise OSError(message)
        return body

    return fetch


def _usable_keys(body: bytes) -> dict[str, RSAPublicKey]:
    document: dict[str, list[dict[str, Any]]] = msgspec.json.decode(
        body, type=dict[str, list[dict[str, Any]]]
    )
    usable: dict[str, RSAPublicKey] = {}
    for entry in document.get("keys", []):
        kid = entry.get("kid")
        if not isinstance(kid, str) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        try:
            key = PyJWK(entry, algorithm="RS256").key
        except PyJWTError:
            log.warning("unusable key in the key set", extra={"kid": kid})
            continue
        if not isinstance(key, RSAPublicKey) or _fingerprint(key) in PUBLISHED_KEYS:
            log.warning("refused a key whose private half is public", extra={"kid": kid})
            continue
        usable[kid] = key
    return usable


def _fingerprint(key: RSAPublicKey) -> str:
    modulus = key.public_numbers().n
    return sha256(modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")).hexdigest()
