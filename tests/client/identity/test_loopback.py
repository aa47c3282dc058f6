"""Where the browser comes back to: for the one sign-in that is waited for, and nobody else."""

from __future__ import annotations

import http.client
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from smas.errors import LocalFault
from smas.identity.loopback import _MOST_QUERY_CHARACTERS, HOST, PORTS, Listener

from tests.local_aws import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.enable_socket


class Browser:
    """Asks the listener as a browser would, beside the test."""

    def __init__(self, listener: Listener) -> None:
        self.port = listener._server.server_address[1]
        self.status = 0
        self.page = ""
        self.headers: dict[str, str] = {}
        self._thread: threading.Thread | None = None

    def ask(self, target: str, method: str = "GET", host: str | None = None) -> int:
        """One request, answered; its status."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        connection.request(method, target, headers={"Host": host or f"{HOST}:{self.port}"})
        response = connection.getresponse()
        self.page, self.headers = response.read().decode(), dict(response.getheaders())
        self.status = response.status
        connection.close()
        return self.status

    def begin(self, target: str) -> None:
        """One request whose answer has to wait for what comes of the sign-in."""
        self._thread = threading.Thread(target=self.ask, args=(target,))
        self._thread.start()

    def end(self) -> str:
        """The page it got."""
        assert self._thread
        self._thread.join(10)
        return self.page


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener on a port of this test."""
    with Listener("the-state", (0,)) as listener:
        yield listener


@pytest.fixture
def browser(listener: Listener) -> Browser:
    """A browser that was sent to it."""
    return Browser(listener)


@pytest.mark.parametrize(("signed_in", "title"), [(True, "You are signed in"), (False, "You are not signed")])
def test_the_browser_is_told_what_came_of_it(
    listener: Listener, browser: Browser, signed_in: bool, title: str
) -> None:
    """The parameters arrive, and the page waits for what becomes of them."""
    browser.begin("/callback?code=a%20b&state=the-state&iss=x")
    assert listener.wait(10) == {"code": "a b", "state": "the-state", "iss": "x"}
    assert browser.page == ""
    listener.decide(signed_in=signed_in)
    assert f"<h1>{title}" in browser.end()
    assert browser.status == 200


def test_a_block_that_ends_undecided_says_so_to_the_browser() -> None:
    """Whatever ended it, the page is answered and says that nobody is signed in."""
    with Listener("s", (0,)) as listener:
        browser = Browser(listener)
        browser.begin("/callback?error=access_denied&state=s")
        assert listener.wait(10) == {"error": "access_denied", "state": "s"}
    assert "You are not signed in" in browser.end()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 404),
        ("/favicon.ico", 404),
        ("/callback/?code=c&state=the-state", 404),
        ("/callback", 400),
        ("/callback?code=c", 400),
        ("/callback?code=c&state=", 400),
        ("/callback?code=c&state=another", 400),
        ("/callback?code=c&state=th%C3%A9-state", 400),
        ("/callback?state=the-state", 400),
        ("/callback?code=c&code=d&state=the-state", 400),
        ("/callback?code=c&state=the-state&state=the-state", 400),
    ],
)
def test_what_is_not_waited_for_disturbs_nothing(
    listener: Listener, browser: Browser, target: str, status: int
) -> None:
    """Other pages may send the browser here as they like: the real answer still comes through."""
    assert browser.ask(target) == status
    assert "signed in</h1>" not in browser.page
    assert listener.wait(0) is None
    browser.begin("/callback?code=c&state=the-state")
    assert listener.wait(10) == {"code": "c", "state": "the-state"}


@pytest.mark.parametrize("host", ["localhost", "evil.example:80", "127.0.0.1", "[::1]"])
def test_another_name_for_this_machine_is_turned_away(
    listener: Listener, browser: Browser, host: str
) -> None:
    """A page elsewhere can have its name resolved to us."""
    assert browser.ask("/callback?code=c&state=the-state", host=host) == 404
    assert listener.wait(0) is None


def test_only_reading_is_answered(listener: Listener, browser: Browser) -> None:
    """Nothing is posted here."""
    assert browser.ask("/callback?code=c&state=the-state", "POST") == 501
    assert listener.wait(0) is None


def test_exactly_one_answer_counts(listener: Listener, browser: Browser) -> None:
    """The same once more is turned away, also after the first has been told."""
    browser.begin("/callback?code=c&state=the-state")
    assert listener.wait(10)
    again = Browser(listener)
    assert again.ask("/callback?code=d&state=the-state") == 410
    listener.decide(signed_in=True)
    listener.decide(signed_in=False)
    assert "You are signed in" in browser.end()
    assert again.ask("/callback?code=d&state=the-state") == 410
    assert listener.wait(0) is None


def test_an_answer_may_be_long_but_not_without_end(listener: Listener, browser: Browser) -> None:
    """At the limit it is read, beyond it not."""
    start = "code=c&state=the-state&x="
    longest = start + "x" * (_MOST_QUERY_CHARACTERS - len(start))
    assert browser.ask(f"/callback?{longest}x") == 400
    browser.begin(f"/callback?{longest}")
    assert listener.wait(10)


def test_a_connection_that_says_nothing_holds_nobody_up(listener: Listener, browser: Browser) -> None:
    """Browsers open some ahead of need."""
    with socket.create_connection((HOST, browser.port)):
        browser.begin("/callback?code=c&state=the-state")
        assert listener.wait(10)


def test_only_this_machine_reaches_it_and_nothing_is_remembered(
    listener: Listener, browser: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    """It listens on loopback, its page runs and loads nothing, and no log has the code."""
    assert listener._server.server_address[0] == "127.0.0.1"
    assert listener.redirect_uri == f"http://127.0.0.1:{browser.port}/callback"
    browser.ask("/callback?code=secret&state=another")
    assert browser.headers["Cache-Control"] == "no-store"
    assert browser.headers["Referrer-Policy"] == "no-referrer"
    assert browser.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "<script" not in browser.page
    assert "secret" not in browser.page
    assert capfd.readouterr() == ("", "")


def test_nobody_comes_in_time(listener: Listener) -> None:
    """None, after the time that was given."""
    assert listener.wait(0.01) is None


def test_a_busy_port_is_passed_over() -> None:
    """The next one is taken, and given back at the end; with none left, the ports are named."""
    first, second = free_port(), free_port()
    with socket.create_server((HOST, first)):
        with Listener("s", (first, second)) as listener:
            assert listener.redirect_uri == f"http://127.0.0.1:{second}/callback"
            with pytest.raises(LocalFault, match=f"ports {first}, {second} of this machine") as told:
                Listener("s", (first, second))
            assert "--username" in told.value.hint
        with Listener("s", (second,)):
            pass


def test_the_registered_ports_are_three_and_stay() -> None:
    """They are registered with user pools: another port is a breaking change."""
    assert PORTS == (18390, 18391, 18392)
