"""`smas login` with a browser, which comes back over a real socket of this machine."""

from __future__ import annotations

import sys
import threading
import urllib.request
import webbrowser
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from smas.cli import browsers
from smas.identity import browser as browser_sign_in
from smas.identity.browser import BrowserSignIn
from smas.identity.loopback import HOST, PORTS, Listener

from tests.client.site.answers import json_answer
from tests.client.site.user_pool import CONFIGURATION_URL
from tests.web.conftest import ISSUER, PUBLIC_URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.cli.conftest import Command
    from tests.client.site.user_pool import UserPool

pytestmark = pytest.mark.enable_socket
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Page:
    """A browser whose user signs in as ``name``, or has the page answer with an ``error``."""

    people: UserPool
    name: str = "ds-fraud"
    error: str | None = None
    opened: list[str] = field(default_factory=list)
    shown: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    def open(self, url: str) -> bool:
        """See ``webbrowser.open``."""
        self.opened.append(url)
        back = self.people.signed_in_with_page(url, self.name)
        if self.error:
            back = back.replace("code=", f"error={self.error}&was=")
        with _DIRECT.open(back, timeout=20) as response:
            self.shown = response.read().decode()
        self.done.set()
        return True


@pytest.fixture
def page(people: UserPool, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The browser of somebody at a terminal."""
    page = Page(people)
    monkeypatch.setattr(browsers, "may_open", lambda: True)
    monkeypatch.setattr(webbrowser, "open", page.open)
    return page


def shown(page: Page) -> str:
    """What the browser shows at the end."""
    assert page.done.wait(20)
    return page.shown


def test_the_browser_is_how_one_signs_in(nobody: Command, page: Page, people: UserPool) -> None:
    """No question at the terminal; tokens are kept, renewed and revoked as after a password."""
    people.lifetime_seconds = 5
    ended = nobody.done("login", PUBLIC_URL)
    people.lifetime_seconds = 3600
    assert ended.out == f"signed in to {PUBLIC_URL} as ds-fraud\n"
    assert page.opened[0] in ended.err
    assert "prompt=" not in page.opened[0]
    assert "You are signed in" in shown(page)
    assert "ds-fraud" in nobody.done("whoami").out
    assert people.asked == ["token authorization_code", "InitiateAuth REFRESH_TOKEN_AUTH"]
    nobody.done("logout")
    assert people.refresh_tokens == {}


def test_json_stays_one_document(nobody: Command, page: Page) -> None:
    """The address goes to stderr, and with --quiet nowhere, because the browser has it."""
    ended = nobody.done("login", PUBLIC_URL, "--json", "--quiet")
    assert ended.json["username"] == "ds-fraud"
    assert ended.err == ""
    assert shown(page)


def test_without_opening_it_the_address_is_printed(
    nobody: Command, people: UserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with --quiet; it says what to do on another machine."""
    page = Page(people)
    original = BrowserSignIn.url

    def opened_by_hand(begun: BrowserSignIn, *, ask_again: bool) -> str:
        url = original(begun, ask_again=ask_again)
        threading.Thread(target=page.open, args=(url,)).start()
        return url

    monkeypatch.setattr(BrowserSignIn, "url", opened_by_hand)
    ended = nobody.done("login", PUBLIC_URL, "--no-browser", "--quiet")
    assert ended.out == f"signed in to {PUBLIC_URL} as ds-fraud\n"
    assert page.opened[0] in ended.err.splitlines()
    assert f"smas login {PUBLIC_URL} --username NAME" in ended.err
    assert shown(page)


def test_a_browser_that_remembers_somebody_can_be_made_to_ask(nobody: Command, page: Page) -> None:
    """--ask-again has the page ask who it is."""
    nobody.done("login", PUBLIC_URL, "--ask-again")
    assert "prompt=login" in page.opened[0]
    assert shown(page)


def test_a_refusal_on_the_page_ends_it(nobody: Command, page: Page, folders: Path) -> None:
    """Exit code 3, in words; the browser says so too, and nothing is kept."""
    page.error = "access_denied"
    ended = nobody("login", PUBLIC_URL)
    assert (ended.code, ended.out) == (3, "")
    assert "you, or the user pool, refused" in ended.err
    assert "You are not signed in" in shown(page)
    assert not (folders / "config" / "credentials.json").exists()


def test_somebody_whom_the_store_does_not_take_is_told_in_both_places(
    nobody: Command, page: Page, folders: Path
) -> None:
    """The browser does not say that all is well before the store has said so."""
    nobody.wire.instead(
        "GET", "/v1/whoami", lambda _: json_answer(401, {"code": "unauthenticated", "detail": "no"}), times=9
    )
    assert nobody("login", PUBLIC_URL).code == 3
    assert "You are not signed in" in shown(page)
    assert not (folders / "config" / "credentials.json").exists()


def test_nobody_signs_in_in_time(nobody: Command, monkeypatch: pytest.MonkeyPatch, folders: Path) -> None:
    """Exit code 3; the address that may not be registered is named, and the other way in."""
    monkeypatch.setattr(browser_sign_in, "WAIT_SECONDS", 0.01)
    ended = nobody("login", PUBLIC_URL, "--no-browser")
    assert ended.code == 3
    assert "nobody signed in within" in ended.err
    assert any(f"http://{HOST}:{port}/callback registered" in ended.err for port in PORTS)
    assert "--username" in ended.err
    assert not (folders / "config").exists()


def test_ctrl_c_ends_the_waiting(nobody: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 130, at once, and the port is free again."""
    listening: list[str] = []

    def interrupted(listener: Listener, _seconds: float) -> None:
        listening.append(listener.redirect_uri)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Listener, "wait", interrupted)
        assert nobody("login", PUBLIC_URL, "--no-browser").code == 130
    port = int(listening[0].split(":")[2].partition("/")[0])
    with Listener("s", (port,)):
        pass


@pytest.mark.parametrize("option", ["--no-browser", "--ask-again"])
@pytest.mark.parametrize("other", [("-u", "ds-fraud"), ("--password-stdin",), ("--token", "-")])
def test_one_way_of_signing_in_at_a_time(nobody: Command, option: str, other: tuple[str, ...]) -> None:
    """Both are wrong usage, and nobody is asked."""
    assert nobody("login", PUBLIC_URL, option, *other, stdin="").code == 2
    assert nobody.wire.sent == []


def test_a_user_name_means_a_password(nobody: Command, page: Page, people: UserPool) -> None:
    """Whoever gives one signs in at the terminal, browser or not."""
    nobody("login", PUBLIC_URL, "-u", "ds-fraud", "--password-stdin", stdin="wrong\n")
    assert page.opened == []
    assert people.asked == ["InitiateAuth USER_PASSWORD_AUTH"]


def test_a_pool_without_a_page(nobody: Command, page: Page) -> None:
    """A browser is not opened for nothing; asked for, its absence is told with the other way in."""
    document = {"issuer": ISSUER, "token_endpoint": "https://x.example/token"}
    nobody.wire.instead("GET", CONFIGURATION_URL, lambda _: json_answer(200, document), times=2)
    ended = nobody("login", PUBLIC_URL, "--no-browser")
    assert ended.code == 5
    assert f"smas login {PUBLIC_URL} --username NAME" in ended.err
    assert nobody("login", PUBLIC_URL, stdin="").code == 130  # the end of its input, at the prompt
    assert page.opened == []


@pytest.mark.parametrize(
    ("terminal", "variables", "platform", "known", "opens"),
    [
        (True, {"DISPLAY": ":0"}, "linux", True, True),
        (True, {"WAYLAND_DISPLAY": "w"}, "linux", True, True),
        (True, {"BROWSER": "x"}, "linux", True, True),
        (True, {}, "darwin", True, True),
        (True, {}, "linux", True, False),
        (True, {"DISPLAY": ":0"}, "linux", False, False),
        (False, {"DISPLAY": ":0"}, "linux", True, False),
        (False, {}, "darwin", True, False),
    ],
)
def test_a_browser_is_opened_where_somebody_can_see_it(
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    variables: dict[str, str],
    platform: str,
    known: bool,
    opens: bool,
) -> None:
    """At a terminal, on a machine with windows, that knows a browser."""

    def get() -> None:
        if not known:
            raise webbrowser.Error

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(webbrowser, "get", get)
    assert browsers.may_open() is opens
