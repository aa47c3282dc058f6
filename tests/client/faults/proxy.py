"""A bad network: an HTTP proxy before one upstream that does to requests what the test schedules.

Requests and answers are passed on as they are (the ``Host`` header too, so that signatures hold), each over a
connection of its own to the upstream. A fault is taken by the first request it fits.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOK_SECONDS: Final = 0.02
_TRICKLE_BYTES: Final = 5
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
# Closing sends a reset at once, whatever is still to be sent (`struct linger`: on, zero seconds).
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Kind(StrEnum):
    """What a request is for."""

    STORE = "the store's API"
    PUT = "S3 PUT"
    GET = "S3 GET"

    @classmethod
    def of(cls, method: str, path: str) -> Kind:
        """By where it goes."""
        if path.startswith(("/v1/", "/.well-known/", "/healthz", "/readyz")):
            return cls.STORE
        return cls.GET if method == "GET" else cls.PUT


class What(StrEnum):
    """What happens to a request."""

    NOTHING = "it is passed on"
    RESET = "a reset before it was read"
    RESET_IN_BODY = "a reset in the middle of its body"
    LOST_ANSWER = "carried out, but a reset instead of the answer"
    TRUNCATED = "the answer's body ends in the middle"
    SLOW = "the answer's first bytes come one by one"
    STALL = "carried out, but no answer comes"
    STALL_IN_BODY = "nothing comes after the middle of the answer's body"
    ERROR = "500"
    BUSY = "503, come back at once"
    BUSY_FOR_A_SECOND = "503, come back in a second"
    EXPIRED = "403, as S3 refuses a URL that has expired"
    WHOLE = "the range that was asked for is ignored"
    WRONG_BYTES = "a byte in the middle of the answer's body is another"


_ONLY_FOR: Final = {
    What.EXPIRED: {Kind.PUT, Kind.GET},
    What.WHOLE: {Kind.GET},
    What.WRONG_BYTES: {Kind.GET},
}
# Answers of the proxy's own: status, headers, S3's code and message.
_INSTEAD: Final[dict[What, tuple[int, dict[str, str], str, str]]] = {
    What.ERROR: (500, {}, "InternalError", "We encountered an internal error. Please try again."),
    What.BUSY: (503, {"Retry-After": "0"}, "SlowDown", "Please reduce your request rate."),
    What.BUSY_FOR_A_SECOND: (503, {"Retry-After": "1"}, "SlowDown", "Please reduce your request rate."),
    What.EXPIRED: (403, {}, "AccessDenied", "Request has expired"),
}


@dataclass(frozen=True)
class Fault:
    """What happens to one request, of one kind or (None) of any that it makes sense for."""

    what: What
    kind: Kind | None = None

    def fits(self, kind: Kind) -> bool:
        """Whether a request of that kind may have it."""
        return self.kind in (None, kind) and kind in _ONLY_FOR.get(self.what, {kind})


@dataclass(frozen=True)
class Seen:
    """A request that came; ``sent`` and ``answered`` count the bytes of the bodies that were passed on."""

    kind: Kind
    what: What
    line: str
    sent: int = 0
    answered: int = 0


class Proxy:
    """The proxy before ``host:port``, at ``address`` while it is entered."""

    def __init__(self, upstream: str, faults: Sequence[Fault] = (), port: int = 0) -> None:
        self.upstream = upstream
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._faults = list(faults)
        self._seen: list[Seen] = []
        self._server = _Server(self, port)
        self.port = int(self._server.server_address[1])
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[_LOOK_SECONDS])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up on everybody, and wait for what was passed on."""
        self.closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def schedule(self, faults: Sequence[Fault] = ()) -> None:
        """From now on these faults, and what was seen is forgotten."""
        with self._lock:
            self._faults = list(faults)
            self._seen = []

    def seen(self, kind: Kind | None = None) -> list[Seen]:
        """What came, of one kind or all."""
        with self._lock:
            return [seen for seen in self._seen if kind in (None, seen.kind)]

    def left(self) -> list[Fault]:
        """Faults that no request took yet."""
        with self._lock:
            return list(self._faults)

    def take(self, kind: Kind) -> What:
        """The next fault for a request of that kind."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.fits(kind):
                    return self._faults.pop(index).what
        return What.NOTHING

    def note(self, seen: Seen) -> None:
        """Remember a request."""
        with self._lock:
            self._seen.append(seen)


class _Server(ThreadingHTTPServer):
    # Closing waits for all threads.
    daemon_threads = False

    def __init__(self, proxy: Proxy, port: int) -> None:
        self.proxy = proxy
        self._lock = threading.Lock()
        self._open: set[Any] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection while it is open."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End all connections."""
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up, or is hung up on, is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body go out apart; the second would wait for the first's acknowledgement.
    disable_nagle_algorithm = True

    @property
    def proxy(self) -> Proxy:
        server: Any = self.server
        proxy: Proxy = server.proxy
        return proxy

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        kind = Kind.of(self.command, self.path)
        what = self.proxy.take(kind)
        line = f"{self.command} {self.path.partition('?')[0]}"
        length = int(self.headers.get("Content-Length", 0))
        if what in {What.RESET, What.RESET_IN_BODY}:
            self.proxy.note(Seen(kind, what, line))
            self.rfile.read(length // 2 if what == What.RESET_IN_BODY else 0)
            return self._reset()
        body = self.rfile.read(length)
        if len(body) < length:
            return self._reset()
        if what in _INSTEAD:
            self.proxy.note(Seen(kind, what, line))
            status, headers, code, message = _INSTEAD[what]
            error = f"{_XML}<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return self._answer(status, {"Content-Type": "application/xml", **headers}, error.encode())
        status, headers, answer = self._ask_upstream(body, whole=what == What.WHOLE)
        if what == What.WRONG_BYTES and answer:
            middle = len(answer) // 2
            answer = answer[:middle] + bytes([answer[middle] ^ 1]) + answer[middle + 1 :]
        self.proxy.note(Seen(kind, what, line, length, len(answer)))
        return self._answer(status, headers, answer, what)

    def __getattr__(self, name: str) -> Any:
        """Every method is served alike: the server looks for ``do_GET``, ``do_PUT``, and so on."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _ask_upstream(self, body: bytes, *, whole: bool) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection(self.proxy.upstream, timeout=120)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP and not (whole and name.lower() == "range"):
                    upstream.putheader(name, value)
            if body or self.command in {"PUT", "POST", "PATCH"}:
                upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders(body or None)
            with upstream.getresponse() as response:
                headers = {n: v for n, v in response.getheaders() if n.lower() not in _HOP_BY_HOP}
                return response.status, headers, response.read()
        finally:
            upstream.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, what: What = What.NOTHING) -> None:
        if what == What.STALL:
            self._stall()
        if what in {What.STALL, What.LOST_ANSWER} or (what == What.TRUNCATED and not body):
            return self._reset()
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if what in {What.TRUNCATED, What.STALL_IN_BODY} and body:
            self.wfile.write(body[: len(body) // 2])
            if what == What.STALL_IN_BODY:
                self._stall()
            self.close_connection = True
            return None
        for index in range(_TRICKLE_BYTES if what == What.SLOW else 0):
            self.wfile.write(body[index : index + 1])
            self.proxy.closing.wait(_LOOK_SECONDS)
        self.wfile.write(body[_TRICKLE_BYTES:] if what == What.SLOW else body)
        return None

    def _stall(self) -> None:
        """Until the client has had enough."""
        while not self.proxy.closing.is_set():
            if select.select([self.connection], [], [], _LOOK_SECONDS)[0]:
                return

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        os.close(self.connection.detach())
