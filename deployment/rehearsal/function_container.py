"""Lambda's side of a container: what runs a function's image as Lambda does, where no Lambda is.

The image holds a runtime client alone; in AWS its invocations come from Lambda's Runtime API
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). An emulator of Lambda sends them to a port
of the container, where AWS's own runtime interface emulator takes them in other images. This program stands
there instead. It is mounted into the container and comes before the image's Python on the path, so the entry
point that Terraform configured stays as it is: it starts that, and hands invocations on.

Lambda also gives a function its role's credentials, and AWS is at addresses that everybody knows. Here both
are read from a file beside this one, by the function's name. The local AWS listens on its machine's loopback
alone, so the same port of the container's loopback leads there through a socket beside this file: `localhost`
names the same servers inside and outside, and a presigned URL is good in both.

Standard library only, and no other module of ours: it runs in the image.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLES: Final = "variables.json"
SOCKET: Final = "aws.sock"
# Which port of loopback leads to the local AWS.
AWS_PORT: Final = "SMAS_REHEARSAL_AWS_PORT"
# Where AWS's own runtime interface emulator takes invocations.
INVOCATIONS: Final = "/2015-03-31/functions/function/invocations"
_PORT: Final = 8080
_RUNTIME_CLIENT: Final = "awslambdaric"
_RUNTIME: Final = "/2018-06-01/runtime/"
_BLOCK: Final = 1 << 16


def main() -> int:
    """Serve the function that the rest of the command line starts, until it ends."""
    if _RUNTIME_CLIENT not in sys.argv:
        # The image's health check, say: whatever else it runs is none of ours.
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606 - the image's own interpreter
    beside = Path(__file__).parent
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    variables = json.loads((beside / VARIABLES).read_text())
    if name not in variables:
        print(f"nothing is prepared for the function {name}", file=sys.stderr, flush=True)
        return 1
    port = int(os.environ[AWS_PORT])
    # The first process of a container is ended by no signal that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    relay = Relay(("127.0.0.1", port), str(beside / SOCKET))
    serving(relay)
    seconds = float(os.environ["AWS_LAMBDA_FUNCTION_TIMEOUT"])
    api = RuntimeApi(("0.0.0.0", _PORT), os.environ.get("_LAMBDA_FUNCTION_ARN", ""), seconds)  # noqa: S104 - the engine decides who reaches it
    serving(api)
    return api.run([sys.executable, *sys.argv[1:]], {**os.environ, **variables[name]})


def serving(server: socketserver.BaseServer) -> None:
    """Serve from a thread of its own, for as long as the process lives."""
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()


@dataclass(frozen=True, slots=True)
class _Invocation:
    request_id: str
    event: bytes


class RuntimeApi(ThreadingHTTPServer):
    """Lambda's Runtime API for one runtime client, and where its invocations come in.

    One invocation at a time, as in Lambda: who sends the next waits.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], function_arn: str, seconds: float) -> None:
        super().__init__(address, _Handler)
        self.function_arn = function_arn
        self.seconds = seconds
        self._one = threading.Lock()
        self._offered: queue.SimpleQueue[_Invocation] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[tuple[str, bytes, bool]] = queue.SimpleQueue()
        self._over = threading.Event()

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run the runtime client to its end; its exit code."""
        address = f"127.0.0.1:{self.server_address[1]}"
        process = subprocess.Popen(command, env={**environment, "AWS_LAMBDA_RUNTIME_API": address})
        code = process.wait()
        self._over.set()
        # Who waits for an answer learns that none will come.
        time.sleep(0.5)
        return code

    def invoke(self, request_id: str, event: bytes) -> tuple[bytes, bool]:
        """What the function answers to one event, and whether that is an error."""
        with self._one:
            self._offered.put(_Invocation(request_id, event))
            while not self._over.is_set():
                with suppress(queue.Empty):
                    answered, payload, failed = self._answered.get(timeout=0.1)
                    # An earlier invocation's answer came after its time.
                    if answered in ("", request_id):
                        return payload, failed
        error = {"errorMessage": "the function's process has ended", "errorType": "Runtime.ExitError"}
        return json.dumps(error).encode(), True

    def next(self) -> _Invocation | None:
        """The next invocation, as soon as there is one; None once the client has ended."""
        while not self._over.is_set():
            with suppress(queue.Empty):
                return self._offered.get(timeout=0.1)
        return None

    def answer(self, request_id: str, payload: bytes, *, failed: bool) -> None:
        """Take what the client posted; without an id its start has failed."""
        self._answered.put((request_id, payload, failed))

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that ends leaves its request open."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one segment: apart, the second would wait 40 ms for the first's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: RuntimeApi

    def do_GET(self) -> None:
        """The runtime client asks for work."""
        if self.path != f"{_RUNTIME}invocation/next":
            self.send_error(404)
            return
        invocation = self.server.next()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.server.seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.server.function_arn,
        }
        self._send(200, invocation.event, headers)

    def do_POST(self) -> None:
        """An invocation, or what came of one."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == INVOCATIONS:
            payload, failed = self.server.invoke(self.headers.get("X-Amzn-RequestId", ""), body)
            self._send(200, payload, {"X-Amz-Function-Error": "Unhandled"} if failed else {})
            return
        match self.path.removeprefix(_RUNTIME).split("/"):
            case ["init", "error"]:
                self.server.answer("", body, failed=True)
            case ["invocation", request_id, "response"]:
                self.server.answer(request_id, body, failed=False)
            case ["invocation", request_id, "error"]:
                self.server.answer(request_id, body, failed=True)
            case _:
                self.send_error(404)
                return
        self._send(202, b"{}", {})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the container's output is the function's log."""


class Relay(socketserver.ThreadingTCPServer):
    """Takes connections at an address and hands each on to the socket at `there`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: Any, there: Any) -> None:
        self.there = there
        super().__init__(address, _Passage)

    def handle_error(self, *_: object) -> None:
        """Say nothing: who asked notices that the connection ends."""


class UnixRelay(Relay):
    """The same, where connections come to a socket in the file system."""

    address_family = socket.AF_UNIX


class _Passage(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        """Hand on in both directions until both have ended."""
        there = self.server.there
        family = socket.AF_UNIX if isinstance(there, str) else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as beyond:
            beyond.connect(there)
            back = threading.Thread(target=_hand_on, args=(beyond, self.request), daemon=True)
            back.start()
            _hand_on(self.request, beyond)
            back.join()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    # A connection that is reset has ended, as one that is closed.
    with suppress(OSError):
        while block := source.recv(_BLOCK):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit(main())
