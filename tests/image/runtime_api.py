"""Lambda's Runtime API on this machine, as far as a runtime client uses it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: the client asks for the next invocation and is
kept waiting until there is one; it answers with a response, which must not be too large, or an error; a
function that cannot start says so with an initialisation error and ends.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX: Final = "/2018-06-01/runtime/"
FUNCTION_ARN: Final = "arn:aws:lambda:eu-central-1:000000000000:function:smas"
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_BYTES: Final = 6_000_000
TOO_LARGE: Final = {
    "errorType": "Function.ResponseSizeTooLarge",
    "errorMessage": f"Response payload size exceeded maximum allowed payload size ({MOST_BYTES} bytes).",
}


@dataclass(frozen=True)
class Invocation:
    """What the client is told of one; ``deadline_ms`` is in Unix milliseconds."""

    request_id: str
    event: bytes
    deadline_ms: int
    trace_id: str


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended: with ``payload`` as JSON; ``error_type`` if that tells of an error."""

    payload: Any
    error_type: str | None = None


@dataclass
class _Conversation:
    """What server and tester hand each other."""

    waiting: queue.SimpleQueue[Invocation] = field(default_factory=queue.SimpleQueue)
    outcomes: queue.SimpleQueue[tuple[str | None, Outcome]] = field(default_factory=queue.SimpleQueue)
    idle: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.talk = _Conversation()

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that is killed leaves its request open."""


class RuntimeApi:
    """The server. ``address`` is what a runtime client finds in ``AWS_LAMBDA_RUNTIME_API``."""

    def __init__(self) -> None:
        self._server = _Server()
        self._talk = self._server.talk
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def asked(self) -> threading.Event:
        """Set as soon as the client has asked for its first invocation: it is initialised."""
        return self._talk.idle

    def offer(self, event: object, seconds: float, request_id: str, trace_id: str) -> None:
        """Hand ``event`` to the client as soon as it asks; its deadline is ``seconds`` from now."""
        deadline = int((time.time() + seconds) * 1000)
        self._talk.waiting.put(Invocation(request_id, json.dumps(event).encode(), deadline, trace_id))

    def outcome(self, seconds: float) -> tuple[str | None, Outcome] | None:
        """What the client posted next, with its invocation's id (None: its start failed); None if nothing."""
        try:
            return self._talk.outcomes.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop serving."""
        self._talk.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one segment: apart, the second would wait 40 ms for the first's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """The next invocation, as soon as there is one."""
        if self.path != f"{_PREFIX}invocation/next":
            self.send_error(404)
            return
        self.server.talk.idle.set()
        invocation = self._next()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        self._answer(200, invocation.event, headers)

    def do_POST(self) -> None:
        """A response, an error, or the error of a start."""
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(sent)
        error_type = self.headers.get("Lambda-Runtime-Function-Error-Type")
        outcomes = self.server.talk.outcomes
        match self.path.removeprefix(_PREFIX).split("/"):
            case ["init", "error"]:
                outcomes.put((None, Outcome(body, error_type)))
            case ["invocation", request_id, "response"] if len(sent) > MOST_BYTES:
                outcomes.put((request_id, Outcome(TOO_LARGE, TOO_LARGE["errorType"])))
                self.send_error(413)
                return
            case ["invocation", request_id, "response"]:
                outcomes.put((request_id, Outcome(body)))
            case ["invocation", request_id, "error"]:
                outcomes.put((request_id, Outcome(body, error_type or "unknown")))
            case _:
                self.send_error(404)
                return
        self._answer(202, b"{}", {})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _next(self) -> Invocation | None:
        talk = self.server.talk
        while not talk.closing.is_set():
            try:
                return talk.waiting.get(timeout=0.2)
            except queue.Empty:
                continue
        return None

    def log_message(self, *_: object) -> None:
        """Say nothing."""
