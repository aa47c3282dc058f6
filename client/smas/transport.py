"""One way out: requests to the store, to S3 and to the user pool all go through a ``Transport``.

The real one is urllib3. What went wrong on the way is always ``Dropped``, whatever the library calls it;
every status is an ``Answer``. Redirects are never followed: nothing here answers one that should be.
"""

from __future__ import annotations

import ipaddress
import os
import platform
from typing import IO, TYPE_CHECKING, Final, Protocol, cast
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from smas.about import VERSION
from smas.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS: Final = 10.0
# A read that brings nothing for this long is given up; S3 and the store answer within seconds.
READ_SECONDS: Final = 60.0
BLOCK_BYTES: Final = 256 << 10
MAX_CONTENT_BYTES: Final = 64 << 20
USER_AGENT: Final = f"smas/{VERSION} python/{platform.python_version()} {platform.system().lower()}"


class Dropped(Exception):
    """No whole answer came: no connection, a reset, a time-out, a truncated body. Trying again may help."""


class Body(Protocol):
    """A request's body that is read while it is sent."""

    def read(self, limit: int = -1, /) -> bytes:
        """The next bytes, at most ``limit``; empty at the end."""


class Answer(Protocol):
    """An HTTP answer whose body has not been read yet; close it when done."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names in any case."""

    def read(self, limit: int) -> bytes:
        """The next bytes of the body, at most ``limit``; empty at its end. Raises ``Dropped``."""

    def content(self) -> bytes:
        """All that is left of the body. Raises ``Dropped``."""

    def close(self) -> None:
        """Give the connection back, or up if the body was not read to its end."""


class Transport(Protocol):
    """Sends requests; safe to use from several threads."""

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> Answer:
        """Send one request and answer as soon as the headers are there.

        A ``Body`` needs a ``Content-Length`` among the headers. Raises ``Dropped``.
        """


def require_private(url: str) -> str:
    """The URL without trailing slash, if tokens and bytes may travel to it.

    That is https, or plain http to this very machine. Raises ``WrongUsage``.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = f"{url!r} is no address of a store: write it like https://models.example.com"
        raise WrongUsage(message)
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        message = f"{url} is not encrypted: tokens and models travel by https (http only to this machine)"
        raise WrongUsage(message)
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Urllib3Transport:
    """Connections kept and reused; ``connections`` is how many to one host are kept.

    Proxies are taken from the environment (``HTTPS_PROXY``, ``NO_PROXY``), certificates from the system
    (``SSL_CERT_FILE`` names others).
    """

    def __init__(self, connections: int = 8) -> None:
        self._connections = connections
        self._direct = urllib3.PoolManager(maxsize=connections, blocksize=BLOCK_BYTES, retries=False)
        self._proxies: dict[str, urllib3.ProxyManager] = {}
        self._proxied = any(name.lower().endswith("_proxy") for name in os.environ)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> Answer:
        """See ``Transport.send``. Raises ``WrongUsage`` for an address that is not encrypted."""
        parts = urlsplit(url)
        # Whoever named it: presigned URLs come from the store. Their queries are secret, so the host must do.
        if parts.scheme != "https" and not _is_this_machine(parts.hostname or ""):
            message = f"{parts.scheme}://{parts.netloc} is not encrypted: nothing is sent there"
            raise WrongUsage(message, hint="tell whoever administers the store")
        try:
            response = self._pool(url).request(
                method,
                url,
                headers={"User-Agent": USER_AGENT, **headers},
                # urllib3 takes whatever has a `read`; its types ask for all of a file.
                body=cast("IO[bytes]", body),
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
            )
        except (HTTPError, OSError) as error:
            raise Dropped(_in_words(error, url)) from error
        return _Urllib3Answer(response, url)

    def _pool(self, url: str) -> urllib3.PoolManager:
        if not self._proxied:
            return self._direct
        # Imported only where there are proxies: it takes a while.
        from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

        parts = urlsplit(url)
        proxy = getproxies().get(parts.scheme)
        if not proxy or _is_this_machine(parts.hostname or "") or proxy_bypass(parts.hostname or ""):
            return self._direct
        if proxy not in self._proxies:
            self._proxies[proxy] = urllib3.ProxyManager(
                proxy, maxsize=self._connections, blocksize=BLOCK_BYTES, retries=False
            )
        return self._proxies[proxy]


class _Urllib3Answer:
    """``Answer`` over urllib3's response."""

    def __init__(self, response: urllib3.BaseHTTPResponse, url: str) -> None:
        self._response = response
        self._url = url
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def read(self, limit: int) -> bytes:
        """See ``Answer.read``."""
        try:
            return self._response.read(limit)
        except (HTTPError, OSError) as error:
            raise Dropped(_in_words(error, self._url)) from error

    def content(self) -> bytes:
        """See ``Answer.content``."""
        blocks, left = [], MAX_CONTENT_BYTES
        # Only a read that brings nothing tells the end from an answer that was cut.
        while left and (data := self.read(left)):
            blocks.append(data)
            left -= len(data)
        return b"".join(blocks)

    def close(self) -> None:
        """See ``Answer.close``."""
        if self._response.length_remaining in (0, None):
            self._response.release_conn()
        else:
            self._response.close()


def _in_words(error: Exception, url: str) -> str:
    """What happened, without the URL's path and query, which may hold a signature."""
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    kind = type(error).__name__
    cause = error.__cause__ or error.__context__
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    reason = f"{kind}: {cause.strerror}" if isinstance(cause, OSError) and cause.strerror else kind
    return f"{where} gave no whole answer ({reason})"
