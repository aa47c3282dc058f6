"""The client's way out, ending in this process: at the application, the bucket, or the user pool."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from smas.transport import READ_SECONDS, Dropped
from werkzeug.test import Client

from tests.client.site.answers import Given
from tests.client.site.storage import SCHEME, Storage
from tests.client.site.user_pool import CONFIGURATION_URL, POOL_URL, TOKEN_URL
from tests.web.conftest import PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smas.transport import Body

    from tests.client.site.user_pool import UserPool
    from tests.web.conftest import Site

_READS_A_VERSION = re.compile(r"/v1/models/[^/]+/[^/]+/versions/[^/]+")
_LIMIT = re.compile(r"limit=\d+")


@dataclass(frozen=True)
class Sent:
    """A request that the client sent; its body, which may weigh megabytes, is in no report."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass
class _Interruption:
    method: str
    part: str
    left: int
    happens: Callable[[Sent], Given]


@dataclass
class WsgiTransport:
    """``smas.transport.Transport`` without sockets; safe to use from several threads.

    While ``verifies``, the verifier looks at what happened whenever a version is asked for, as a worker
    beside the store would. ``page`` makes the store's pages that short, and ``refused`` holds access tokens
    that the store takes no more.
    """

    site: Site
    people: UserPool
    verifies: bool = True
    page: int | None = None
    refused: set[str] = field(default_factory=set)
    sent: list[Sent] = field(default_factory=list, repr=False)
    _interruptions: list[_Interruption] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> Given:
        """See ``Transport.send``."""
        assert read_seconds > 0
        request = Sent(method, url, dict(headers), _whole(body))
        with self._lock:
            self.sent.append(request)
            found = next((one for one in self._interruptions if one.left and _fits(one, request)), None)
            if found:
                found.left -= 1
        return found.happens(request) if found else self.carry_out(request)

    def carry_out(self, request: Sent) -> Given:
        """What whoever the request is for answers."""
        if request.url.startswith(SCHEME):
            storage = Storage(self.site.bucket)
            return storage.answer(request.method, request.url, request.headers, request.body)
        if request.url.startswith(PUBLIC_URL):
            return self._of_the_store(request)
        if request.url == CONFIGURATION_URL:
            return self.people.configuration()
        if request.url == POOL_URL:
            return self.people.answer(request.headers, request.body)
        if request.url == TOKEN_URL:
            return self.people.token_answer(request.headers, request.body)
        return _dropped(request)

    def verify(self) -> None:
        """Let the verifier look at everything that happened; requests wait meanwhile."""
        with self.site.bucket.lock:
            self.site.verify()

    # --- what may go wrong ---------------------------------------------------------------------------

    def instead(self, method: str, part: str, happens: Callable[[Sent], Given], times: int = 1) -> None:
        """Have ``happens`` answer the next requests whose URL has ``part`` in it."""
        self._interruptions.append(_Interruption(method, part, times, happens))

    def lose_answers(self, method: str, part: str, times: int = 1) -> None:
        """The next such requests are carried out, but the client never hears of it."""

        def lost(request: Sent) -> Given:
            self.carry_out(request)
            return _dropped(request)

        self.instead(method, part, lost, times)

    def drop(self, method: str, part: str, times: int = 1) -> None:
        """The next such requests do not arrive."""
        self.instead(method, part, _dropped, times)

    def clear(self) -> None:
        """From now on nothing goes wrong any more."""
        self._interruptions.clear()

    def requests(self, method: str, part: str) -> list[Sent]:
        """The requests so far whose URL has ``part`` in it."""
        return [one for one in self.sent if one.method == method and part in one.url]

    def _of_the_store(self, request: Sent) -> Given:
        headers = dict(request.headers)
        if headers.get("Authorization", "").removeprefix("Bearer ") in self.refused:
            headers["Authorization"] += "x"
        target = request.url.removeprefix(PUBLIC_URL)
        if self.page is not None:
            target = _LIMIT.sub(f"limit={self.page}", target)
        path, _, query = target.partition("?")
        if self.verifies and request.method == "GET" and _READS_A_VERSION.fullmatch(path):
            self.verify()
        options: dict[str, Any] = {"data": request.body} if request.body else {}
        response = Client(self.site.app, use_cookies=False).open(
            path, method=request.method, base_url=PUBLIC_URL, query_string=query, headers=headers, **options
        )
        return Given(response.status_code, dict(response.headers), response.data)


def _whole(body: bytes | Body | None) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    blocks = []
    while block := body.read(1 << 20):
        blocks.append(block)
    return b"".join(blocks)


def _fits(interruption: _Interruption, request: Sent) -> bool:
    return interruption.method == request.method and interruption.part in request.url


def _dropped(request: Sent) -> Given:
    message = f"{urlsplit(request.url).scheme} gave no whole answer (ConnectionResetError)"
    raise Dropped(message)
