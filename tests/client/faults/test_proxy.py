"""The bad network itself: each fault is really what the client meets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from urllib3.exceptions import HTTPError
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.client.faults.proxy import Fault, Kind, Proxy, What
from tests.client.faults.upstream import _Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.enable_socket
BODY = bytes(range(200))


class Echo:
    """Answers a range of ``BODY``, and remembers what was sent to it."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """WSGI."""
        asked = Request(environ)
        self.requests.append((asked.method, asked.host, asked.get_data()))
        if asked.headers.get("Range"):
            answer = Response(BODY[10:20], 206, {"Content-Range": "bytes 10-19/200"})
        else:
            answer = Response(BODY)
        return answer(environ, start_response)


@pytest.fixture
def echo() -> Echo:
    """The upstream."""
    return Echo()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    """The proxy before it."""
    server = make_server("127.0.0.1", 0, echo, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    with Proxy(f"127.0.0.1:{server.port}") as running:
        yield running
    server.shutdown()
    server.server_close()
    thread.join()


def ask(proxy: Proxy, method: str = "GET", **options: Any) -> urllib3.BaseHTTPResponse:
    """One request of a client that does not try again, and waits 0.3 s for a byte."""
    with urllib3.PoolManager(retries=False, timeout=0.3) as http:
        return http.request(method, f"{proxy.address}/object", **options)


def test_without_a_fault_everything_arrives_as_it_was_sent(proxy: Proxy, echo: Echo) -> None:
    """Method, body, and the Host header that a signature covers; the answer's body too."""
    answer = ask(proxy, "PUT", body=b"x" * 1000)
    assert (answer.status, answer.data) == (200, BODY)
    assert echo.requests == [("PUT", proxy.address.removeprefix("http://"), b"x" * 1000)]
    (seen,) = proxy.seen(Kind.PUT)
    assert (seen.sent, seen.answered) == (1000, len(BODY))


@pytest.mark.parametrize(
    ("what", "told", "carried_out"),
    [
        (What.RESET, "Connection aborted", False),
        (What.RESET_IN_BODY, "Connection aborted", False),
        (What.LOST_ANSWER, "Connection aborted", True),
        (What.TRUNCATED, r"IncompleteRead\(100 bytes read, 100 more expected", True),
        (What.STALL, "Read timed out", True),
        (What.STALL_IN_BODY, "Read timed out", True),
    ],
)
def test_no_whole_answer_comes(proxy: Proxy, echo: Echo, what: What, told: str, *, carried_out: bool) -> None:
    """Each way to break off is met as itself, once, and the request was carried out or not as promised."""
    proxy.schedule([Fault(what, Kind.PUT)])
    with pytest.raises(HTTPError, match=told):
        ask(proxy, "PUT", body=b"x" * 3_000_000)
    assert bool(echo.requests) is carried_out
    assert ask(proxy, "PUT", body=b"x").data == BODY


@pytest.mark.parametrize(
    ("what", "status", "inside", "retry_after"),
    [
        (What.ERROR, 500, b"<Code>InternalError</Code>", None),
        (What.BUSY, 503, b"<Code>SlowDown</Code>", "0"),
        (What.BUSY_FOR_A_SECOND, 503, b"<Code>SlowDown</Code>", "1"),
        (What.EXPIRED, 403, b"<Code>AccessDenied</Code><Message>Request has expired</Message>", None),
    ],
)
def test_a_refusal_comes_instead_of_the_answer(
    proxy: Proxy, echo: Echo, what: What, status: int, inside: bytes, retry_after: str | None
) -> None:
    """In S3's words, and nothing reaches the upstream."""
    proxy.schedule([Fault(what)])
    answer = ask(proxy)
    assert (answer.status, answer.headers.get("Retry-After")) == (status, retry_after)
    assert inside in answer.data
    assert not echo.requests


def test_a_range_is_ignored_bytes_are_wrong_and_slow_bytes_are_right(proxy: Proxy) -> None:
    """What arrives is the whole object, one other byte, or everything after all."""
    proxy.schedule([Fault(What.WHOLE), Fault(What.WRONG_BYTES), Fault(What.SLOW)])
    wanted = {"Range": "bytes=10-19"}
    whole, wrong, slow = (ask(proxy, headers=wanted) for _ in range(3))
    assert (whole.status, whole.data) == (200, BODY)
    assert (wrong.status, len(wrong.data)) == (206, 10)
    assert sum(a != b for a, b in zip(wrong.data, BODY[10:20], strict=True)) == 1
    assert (slow.status, slow.data) == (206, BODY[10:20])


def test_a_fault_waits_for_a_request_that_it_fits(proxy: Proxy) -> None:
    """One for downloads leaves uploads alone, and others behind it need not wait."""
    proxy.schedule([Fault(What.ERROR, Kind.GET), Fault(What.BUSY, Kind.PUT)])
    assert [ask(proxy, method).status for method in ("PUT", "PUT", "GET", "GET")] == [503, 200, 500, 200]
    assert not proxy.left()
