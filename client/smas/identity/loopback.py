"""Where the browser comes back to: a listener on this machine, for one sign-in (RFC 8252, section 7.3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import queue
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from smas.errors import LocalFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

# Cognito compares redirects to the letter, so each of these is registered with the client (README.md). The
# address and not `localhost`, which may lead elsewhere (RFC 8252, section 8.3).
HOST: Final = "127.0.0.1"
PORTS: Final = (18390, 18391, 18392)
PATH: Final = "/callback"
# The page waits this long for what came of the sign-in, then sends its reader to the terminal anyway.
_VERDICT_SECONDS: Final = 60.0
_CONNECTION_SECONDS: Final = 10.0
# So long the command waits for the browser to take its last page.
_GOODBYE_SECONDS: Final = 3.0
_MOST_QUERY_CHARACTERS: Final = 8192

_STYLE: Final = """
:root { color-scheme: light dark; }
body { margin: 0; min-height: 90vh; display: grid; place-items: center; padding: 1rem;
  font: 1.125rem/1.5 system-ui, sans-serif; text-align: center; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
p { margin: 0; }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_SIGNED_IN: Final = ("You are signed in", "You can close this page and go back to the terminal.")
_FAILED: Final = ("You are not signed in", "The terminal says why.")
_UNDECIDED: Final = ("Almost done", "Please go back to the terminal.")
_NOTHING_HERE: Final = ("Nothing is here", "This address is for signing in with smas.")
_NOT_OURS: Final = ("Not the sign-in that is waited for", "Please begin again in the terminal.")


class Listener:
    """Waits for the browser on the first of ``ports`` that is free, while the block runs.

    Only the answer that brings back ``state`` counts, and only once; whatever else comes, from whatever page,
    is turned away and disturbs nothing. Raises ``LocalFault`` if no port is free.
    """

    def __init__(self, state: str, ports: Sequence[int] = PORTS) -> None:
        self._state = state
        self._answers: queue.Queue[Mapping[str, str]] = queue.Queue()
        self._decided = threading.Event()
        self._signed_in: bool | None = None
        self._taken = threading.Lock()
        self._answering: threading.Thread | None = None
        self._server = self._listen(ports)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to come back to."""
        return f"http://{HOST}:{self._server.server_address[1]}{PATH}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show the browser what came of it, and stop listening."""
        self.decide(signed_in=False)
        if self._answering is not None:
            self._answering.join(_GOODBYE_SECONDS)
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> Mapping[str, str] | None:
        """The parameters that the browser brought; None if it did not come in time."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None

    def decide(self, *, signed_in: bool) -> None:
        """Have the browser told what came of it; the first word counts."""
        if self._signed_in is None:
            self._signed_in = signed_in
            self._decided.set()

    def _listen(self, ports: Sequence[int]) -> ThreadingHTTPServer:
        for port in ports:
            try:
                return _Server((HOST, port), _handler(self._answered))
            except OSError:
                continue
        listed = ", ".join(map(str, ports))
        message = f"the browser has nowhere to come back to: ports {listed} of this machine are all in use"
        raise LocalFault(message, hint="end one of the programs that use them, or sign in with --username")

    def _answered(self, path: str, host: str) -> tuple[HTTPStatus, tuple[str, str]]:
        """Status and page for a request."""
        parts = urlsplit(path)
        # Another name for this machine is a page elsewhere that had its name resolved to us.
        if parts.path != PATH or host != f"{HOST}:{self._server.server_address[1]}":
            return HTTPStatus.NOT_FOUND, _NOTHING_HERE
        pairs = parse_qsl(parts.query) if len(parts.query) <= _MOST_QUERY_CHARACTERS else []
        answer = dict(pairs)
        ours = hmac.compare_digest(answer.get("state", "").encode(), self._state.encode())
        if len(answer) != len(pairs) or not ours or not {"code", "error"} & answer.keys():
            return HTTPStatus.BAD_REQUEST, _NOT_OURS
        if not self._taken.acquire(blocking=False):
            return HTTPStatus.GONE, _NOT_OURS
        self._answering = threading.current_thread()
        self._answers.put(answer)
        if not self._decided.wait(_VERDICT_SECONDS):
            return HTTPStatus.OK, _UNDECIDED
        return HTTPStatus.OK, _SIGNED_IN if self._signed_in else _FAILED


class _Server(ThreadingHTTPServer):
    # A page that is being answered is answered to its end; a connection that says nothing is not waited for.
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        """Bind, without asking the name service who we are, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]


def _handler(answered: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _CONNECTION_SECONDS

        def do_GET(self) -> None:
            status, (title, text) = answered(self.path, self.headers.get("Host", ""))
            content = (
                '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
                '<meta name="viewport" content="width=device-width, initial-scale=1">'
                f"<title>{title}</title><style>{_STYLE}</style></head>"
                f"<body><main><h1>{title}</h1><p>{text}</p></main></body></html>\n"
            ).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Length": str(len(content)),
                "Content-Security-Policy": (
                    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"
                ),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "Connection": "close",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def version_string(self) -> str:
            return "smas"

        def log_message(self, *_: object) -> None:
            """Say nothing: the address holds a code."""

    return Handler
