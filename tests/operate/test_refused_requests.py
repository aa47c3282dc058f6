"""What is no HTTP request never reaches the service, and is answered as the contract says all the same."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.operate.aws import Aws
from tests.operate.processes import Reply, Service, read_raw
from tests.web.conftest import PROBLEM_FIELDS, PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import Pool

# A secret in a place where a careless answer or log line would repeat it.
SECRET = b"eyJhbGciOiJSUzI1NiJ9.c2VjcmV0.c2VjcmV0"
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/models/fraud/m/uploads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
REFUSED = {
    "no-request-line": (b"nonsense " + SECRET + b"\r\n\r\n", 400),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "lower-case-method": (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "other-version": (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 400),
    "header-without-colon": (GET + b"Authorization Bearer " + SECRET + b"\r\n\r\n", 400),
    "header-name-with-space": (GET + b"Bad Name: " + SECRET + b"\r\n\r\n", 400),
    "header-with-control-character": (GET + b"X: a\x00b\r\n\r\n", 400),
    "folded-header": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "two-hosts": (GET + b"Host: y\r\n\r\n", 400),
    "two-lengths": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400),
    "length-and-chunks": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400),
    "negative-length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "long-request-line": (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "long-header": (GET + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
    "many-headers": (GET + b"".join(b"X-%d: a\r\n" % n for n in range(120)) + b"\r\n", 431),
    "expectation": (GET + b"Expect: wonders\r\n\r\n", 417),
    "transfer-coding": (POST + b"Transfer-Encoding: br, chunked\r\n\r\n", 501),
}


@pytest.fixture(scope="module")
def service(pool: Pool) -> Iterator[Service]:
    """A service that is in a hurry."""
    with Aws(pool.key_set()) as aws:
        arguments = "--worker-class tests.operate.hurried.Worker"
        with Service(aws, workers=1, GUNICORN_CMD_ARGS=arguments) as running:
            yield running


def exchange(service: Service, *pieces: bytes, pause: float = 0.0, finish: bool = False) -> list[Reply]:
    """All answers to bytes sent on one connection, until the service closes it."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        for number, piece in enumerate(pieces):
            time.sleep(pause if number else 0)
            connection.sendall(piece)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while some := connection.recv(1 << 16):
            received += some
    replies = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers["Content-Length"])
        replies.append(Reply(int(first.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return replies


def assert_problem(reply: Reply, status: int, code: str) -> dict[str, Any]:
    """The one error shape, with the headers of every answer."""
    assert reply.status == status, reply.content
    problem = dict(json.loads(reply.content))
    assert set(problem) == PROBLEM_FIELDS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"{PUBLIC_URL}/docs#{code}"
    assert problem["request_id"] == reply.headers["X-Request-Id"]
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "no-store"
    return problem


def lines_of(service: Service, problem: dict[str, Any]) -> list[dict[str, Any]]:
    """The records that bear its request id."""
    service.until(lambda: problem["request_id"] in service.output())
    return [line for line in service.lines() if line.get("request_id") == problem["request_id"]]


@pytest.mark.parametrize(("request_bytes", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_request_is_a_problem(service: Service, request_bytes: bytes, status: int) -> None:
    """With a request id and one line in the log, neither of which repeats what was sent; then it ends."""
    (reply,) = exchange(service, request_bytes)
    problem = assert_problem(reply, status, "invalid_request")
    assert reply.headers["Connection"] == "close"
    assert SECRET.decode() not in reply.content.decode()
    (line,) = lines_of(service, problem)
    assert (line["level"], line["logger"], line["status"]) == ("WARNING", "service.request", status)
    assert line["source_ip"] == "127.0.0.1"
    assert SECRET.decode() not in service.output()


def with_token(token: str) -> bytes:
    """The head of a request with a body, of somebody who may send it."""
    return POST + f"Authorization: Bearer {token}\r\nX-Request-Id: mine\r\n".encode()


CHUNKED = {
    "no-size": b"zz\r\n{}\r\n0\r\n\r\n",
    "no-end-of-chunk": b"2\r\n{}XX0\r\n\r\n",
    "negative": b"-2\r\n{}\r\n0\r\n\r\n",
    "extension": b'2;a="\r\n{}\r\n0\r\n\r\n',
}


@pytest.mark.parametrize("body", CHUNKED.values(), ids=CHUNKED)
def test_a_body_wrongly_chunked_is_the_callers_mistake(service: Service, token: str, body: bytes) -> None:
    """One answer, under the caller's own request id, and nothing of the body is taken for a request."""
    request = with_token(token) + b"Transfer-Encoding: chunked\r\n\r\n" + body
    (reply,) = exchange(service, request, GET + b"\r\n", finish=True)
    problem = assert_problem(reply, 400, "invalid_request")
    assert problem["request_id"] == "mine"
    assert "chunked" in problem["detail"]


def test_a_body_that_breaks_off_is_the_callers_mistake(service: Service, token: str) -> None:
    """As of a client that dies while it sends; it is no error of ours in the log."""
    for body in (b"Transfer-Encoding: chunked\r\n\r\n8\r\n{", b'Content-Length: 9\r\n\r\n{"'):
        (reply,) = exchange(service, with_token(token) + body, finish=True)
        problem = assert_problem(reply, 400, "invalid_request")
        assert {line["level"] for line in lines_of(service, problem)} == {"INFO"}


def test_a_body_over_the_limit_is_answered_though_it_is_still_being_sent(
    service: Service, token: str
) -> None:
    """413 reaches who announces too much and sends all of it, for the connection is not just torn down."""
    request = with_token(token) + b"Content-Length: 3000000\r\n\r\n" + b" " * 3_000_000
    (reply,) = exchange(service, request)
    assert_problem(reply, 413, "payload_too_large")


def test_a_request_that_does_not_arrive_in_time_is_given_up(service: Service) -> None:
    """408 when it began; it holds a thread no longer, even if it sends a byte now and then."""
    (reply,) = exchange(service, *(bytes([byte]) for byte in GET[:4]), pause=0.4)
    problem = assert_problem(reply, 408, "invalid_request")
    assert "again" in problem["detail"]
    assert len(lines_of(service, problem)) == 1


def test_a_body_that_does_not_arrive_in_time_is_given_up(service: Service, token: str) -> None:
    """With an answer under the caller's request id."""
    (reply,) = exchange(service, with_token(token) + b"Content-Length: 9\r\n\r\n{")
    assert assert_problem(reply, 400, "invalid_request")["request_id"] == "mine"


def test_who_connects_and_says_nothing_takes_no_thread(service: Service) -> None:
    """A hundred silent connections hold up nobody."""
    with service.raw(100):
        began = time.monotonic()
        assert service.get("/healthz").status == 200
        assert time.monotonic() - began < 3


def test_who_has_the_answer_and_does_not_hang_up_holds_up_nobody(service: Service) -> None:
    """Ended connections that clients leave open are waited for together, while others are served."""
    with service.raw(20) as connections:
        for connection in connections:
            connection.sendall(GET + b"Connection: close\r\n\r\n")
        began = time.monotonic()
        assert {read_raw(connection).status for connection in connections} == {200}
        assert service.get("/healthz").status == 200
        assert time.monotonic() - began < 3


def test_who_does_not_take_the_answer_is_given_up(service: Service) -> None:
    """A client that asks and never reads holds its thread for a bounded time only."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
        connection.connect(("127.0.0.1", service.port))
        connection.settimeout(20)
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 64)
        service.until_said("a client does not take its answer")
        assert service.get("/healthz").status == 200
