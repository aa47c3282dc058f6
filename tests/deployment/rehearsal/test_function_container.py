"""What runs in a function's container: invocations in, answers out, and a way to the local AWS."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from deployment.rehearsal.function_container import INVOCATIONS, Relay, RuntimeApi, UnixRelay, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.enable_socket

ARN: Final = "arn:aws:lambda:us-east-1:000000000000:function:smas-api"
HANDLER: Final = """
import os

def answer(event, context):
    if event.get("fails"):
        raise ValueError("as asked")
    if event.get("ends"):
        os._exit(3)
    return {
        "event": event,
        "id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "milliseconds": context.get_remaining_time_in_millis(),
        "given": os.environ["GIVEN"],
    }
"""


class Function:
    """A function of `HANDLER`'s, run by Lambda's own runtime client."""

    def __init__(self, folder: Path, handler: str) -> None:
        pytest.importorskip("awslambdaric", reason="Lambda's runtime client is made for Linux only")
        (folder / "handler.py").write_text(HANDLER)
        self.api = RuntimeApi(("127.0.0.1", 0), ARN, 28)
        serving(self.api)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "GIVEN": "by Lambda"}
        command = [sys.executable, "-m", "awslambdaric", handler]
        self.thread = threading.Thread(target=self.api.run, args=(command, environment))
        self.thread.start()

    def invoke(self, event: object, request_id: str = "an-id") -> tuple[Any, str | None]:
        """As MiniStack does it: the payload, and what the header says of an error."""
        port = self.api.server_address[1]
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("POST", INVOCATIONS, json.dumps(event), {"X-Amzn-RequestId": request_id})
            answer = connection.getresponse()
            assert answer.status == 200
            return json.loads(answer.read()), answer.getheader("X-Amz-Function-Error")

    def end(self) -> None:
        """Let the process end by itself, as asked, and stop serving."""
        self.invoke({"ends": True})
        self.thread.join(timeout=30)
        self.api.shutdown()
        self.api.server_close()


@pytest.fixture
def function(tmp_path: Path) -> Iterator[Function]:
    """One that runs."""
    running = Function(tmp_path, "handler.answer")
    yield running
    running.end()


def test_a_function_gets_the_event_with_the_invocations_id_and_time(function: Function) -> None:
    """And its answer comes back as it is."""
    answer, error = function.invoke({"a": "ä"}, "request-7")
    assert error is None
    assert 20_000 < answer.pop("milliseconds") <= 28_000
    assert answer == {"event": {"a": "ä"}, "id": "request-7", "arn": ARN, "given": "by Lambda"}


def test_what_a_function_raises_is_marked_as_lambda_marks_it(function: Function) -> None:
    """And the next invocation is answered as if nothing had happened."""
    answer, error = function.invoke({"fails": True})
    assert (answer["errorType"], answer["errorMessage"], error) == ("ValueError", "as asked", "Unhandled")
    assert function.invoke({})[1] is None


def test_a_function_that_ends_is_told_of(function: Function) -> None:
    """To who waits, and to whoever comes later, without waiting."""
    for _ in range(2):
        answer, error = function.invoke({"ends": True})
        assert (answer["errorType"], error) == ("Runtime.ExitError", "Unhandled")


def test_a_start_that_fails_is_told_in_the_functions_own_words(tmp_path: Path) -> None:
    """To the first that calls it."""
    function = Function(tmp_path, "handler.missing")
    answer, error = function.invoke({})
    assert (answer["errorType"], error) == ("Runtime.HandlerNotFound", "Unhandled")
    function.thread.join(timeout=30)
    function.api.shutdown()
    function.api.server_close()


def test_a_connection_goes_through_the_socket_to_the_server_behind(tmp_path: Path) -> None:
    """As from a container's loopback to this machine's, whole in both directions, and its end too."""
    path = str(tmp_path / "aws.sock")
    with socket.create_server(("127.0.0.1", 0)) as server:
        outside = UnixRelay(path, server.getsockname())
        inside = Relay(("127.0.0.1", 0), path)
        serving(outside)
        serving(inside)
        with socket.create_connection(("127.0.0.1", int(inside.server_address[1])), timeout=10) as client:
            client.sendall(b"ask" * 100_000)
            client.shutdown(socket.SHUT_WR)
            behind, _ = server.accept()
            with behind:
                asked = b"".join(iter(lambda: behind.recv(1 << 16), b""))
                behind.sendall(asked[:10] + b" answered")
            assert b"".join(iter(lambda: client.recv(1 << 16), b"")) == b"askaskaska answered"
        assert len(asked) == 300_000
        for relay in (inside, outside):
            relay.shutdown()
            relay.server_close()
