"""An editor's side of the Debug Adapter Protocol, as far as the tests need it.

https://microsoft.github.io/debug-adapter-protocol/specification
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import PurePosixPath

_SECONDS = 30


class Debugger:
    """Attached to the process whose debugger listens at ``port`` of this machine, until the block ends."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        self._received = self._socket.makefile("rb")
        self._sent = 0

    def __enter__(self) -> Self:
        try:
            self._request("initialize", {"adapterID": "smas", "pathFormat": "path"})
            self._send("attach", {"justMyCode": False})
            self.event("initialized")
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._request("disconnect", {"terminateDebuggee": False})
        finally:
            self._close()

    def _close(self) -> None:
        self._received.close()
        self._socket.close()

    def run(self, source: PurePosixPath | None = None, line: int = 0) -> None:
        """Let the process go on, to stop at ``line`` of ``source`` if that is given."""
        if source is not None:
            place = {"source": {"path": str(source)}, "breakpoints": [{"line": line}]}
            (point,) = self._request("setBreakpoints", place)["breakpoints"]
            assert point["verified"], point
        self._send("configurationDone", {})
        self._answer("attach")

    def event(self, name: str) -> dict[str, Any]:
        """The body of the next event of that name."""
        return self._until("event", "event", name).get("body") or {}

    def evaluated(self, thread: int, expression: str) -> str:
        """The value of an expression in the innermost frame of a thread that stands still."""
        frame = self._request("stackTrace", {"threadId": thread, "levels": 1})["stackFrames"][0]["id"]
        return str(self._request("evaluate", {"expression": expression, "frameId": frame})["result"])

    def go_on(self, thread: int) -> None:
        """Leave the breakpoint."""
        self._request("continue", {"threadId": thread})

    def _request(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._send(command, arguments)
        return self._answer(command)

    def _send(self, command: str, arguments: dict[str, Any]) -> None:
        self._sent += 1
        request = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def _answer(self, command: str) -> dict[str, Any]:
        answer = self._until("response", "command", command)
        assert answer["success"], answer
        return answer.get("body") or {}

    def _until(self, kind: str, key: str, name: str) -> dict[str, Any]:
        while True:
            message = self._message()
            if (message["type"], message.get(key)) == (kind, name):
                return message

    def _message(self) -> dict[str, Any]:
        length = 0
        while header := self._received.readline().strip():
            length = int(header.partition(b":")[2])
        assert length, "the debugger has closed the connection"
        return dict(json.loads(self._received.read(length)))
