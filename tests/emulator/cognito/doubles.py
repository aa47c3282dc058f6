"""A pool with two people and three clients, a clock that the test moves, and a browser without a window."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from smas_emulator.cognito.app_clients import (
    AppClient,
    NewPasswordRequired,
    PasswordRefused,
    Refused,
    SignedIn,
)
from smas_emulator.cognito.authorization_codes import AuthorizationCodes, Grant
from smas_emulator.cognito.browser_sessions import BrowserSessions
from smas_emulator.cognito.login_endpoint import ManagedLogin
from smas_emulator.cognito.token_endpoint import Tokens

if TYPE_CHECKING:
    from smas_emulator.cognito.answers import PageAnswer
    from smas_emulator.cognito.second_factor import SecondFactor

CALLBACK = "http://127.0.0.1:18390/callback"
PEOPLE = AppClient(
    id="people",
    pool_id="us-east-1_a",
    name="<People>",
    flows=frozenset({"code"}),
    scopes=("openid", "profile", "email", "smas/x@y"),
    callback_urls=(CALLBACK, "https://app.example/back?kept=1", "myapp://signed-in"),
    logout_urls=("https://app.example/bye",),
)
SERVER = AppClient(
    id="server",
    pool_id="us-east-1_a",
    secret="s3cret",
    flows=frozenset({"code"}),
    scopes=("openid",),
    callback_urls=("https://server.example/back",),
)
ELSEWHERE = AppClient(
    id="elsewhere",
    pool_id="us-east-1_b",
    flows=frozenset({"code"}),
    scopes=("openid",),
    callback_urls=(CALLBACK,),
)
MACHINE = AppClient(
    id="machine",
    pool_id="us-east-1_a",
    secret="s3cret",
    flows=frozenset({"client_credentials"}),
    scopes=("smas/a@x", "smas/b@y"),
    callback_urls=(CALLBACK,),
)
IMPLICIT = AppClient(
    id="implicit",
    pool_id="us-east-1_a",
    flows=frozenset({"implicit"}),
    scopes=("openid",),
    callback_urls=(CALLBACK,),
)
NO_OAUTH = AppClient(
    id="no-oauth", pool_id="us-east-1_a", callback_urls=(CALLBACK,), may_refresh=False, may_revoke=False
)
ALL = {client.id: client for client in (PEOPLE, SERVER, ELSEWHERE, MACHINE, IMPLICIT, NO_OAUTH)}
# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@dataclass
class Clock:
    """The time, which stands still unless it is moved."""

    time: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """What time it is."""
        return self.time

    def move(self, **amount: float) -> None:
        """Let time pass."""
        self.time += timedelta(**amount)


@dataclass
class Pool:
    """`Clients`, `People` and `Minter` that spell out what they were asked for."""

    passwords: dict[str, str] = field(
        default_factory=lambda: {"ada": "right", "new": "temporary", "gone": "right"}
    )
    temporary: set[str] = field(default_factory=lambda: {"new"})
    disabled: set[str] = field(default_factory=lambda: {"gone"})
    refresh_tokens: dict[str, tuple[str, Grant]] = field(default_factory=dict)
    second_factors: dict[str, SecondFactor] = field(default_factory=dict)

    def find_client(self, client_id: str) -> AppClient | None:
        """See `Clients`."""
        return ALL.get(client_id)

    def check_password(
        self, _client: AppClient, username: str, password: str
    ) -> SignedIn | NewPasswordRequired | Refused:
        """See `People`."""
        if self.passwords.get(username) != password:
            return Refused("Incorrect username or password.")
        if username in self.disabled:
            return Refused("This user is disabled.")
        return NewPasswordRequired(username) if username in self.temporary else SignedIn(username)

    def replace_temporary_password(self, _client: AppClient, username: str, password: str) -> bool:
        """See `People`."""
        if len(password) < 5:
            raise PasswordRefused("At least 5 characters.")
        if username not in self.temporary:
            return False
        self.temporary.remove(username)
        self.passwords[username] = password
        return True

    def second_factor(self, _client: AppClient, username: str) -> SecondFactor | None:
        """See `People`."""
        return self.second_factors.get(username)

    def may_sign_in(self, _client: AppClient, username: str) -> bool:
        """See `People`."""
        return username in self.passwords and username not in self.disabled

    def for_machine(self, client: AppClient, scopes: tuple[str, ...]) -> Tokens:
        """See `Minter`."""
        return Tokens(f"{client.id}:{' '.join(scopes)}", 3600)

    def for_person(self, client: AppClient, grant: Grant) -> Tokens | None:
        """See `Minter`."""
        if not self.may_sign_in(client, grant.username):
            return None
        self.refresh_tokens["refresh"] = (client.id, grant)
        named = f"{grant.username}:{' '.join(grant.scopes)}"
        return Tokens(f"access:{named}", 3600, f"id:{named}:{grant.nonce}", "refresh")

    def renewed(self, client: AppClient, refresh_token: str) -> Tokens | None:
        """See `Minter`."""
        owner, grant = self.refresh_tokens.get(refresh_token, ("", None))
        if owner != client.id or grant is None:
            return None
        return Tokens(f"renewed:{grant.username}", 3600, f"id:{grant.username}")


class Form(HTMLParser):
    """The one form of a page: where it goes and what it sends; `text` is what the page says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.labelled: set[str] = set()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what matters."""
        self.tags.add(tag)
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action")
        elif tag == "input":
            name = given["name"] or ""
            self.fields[name] = given.get("value") or ""
            self.attributes[name] = given
        elif tag == "label":
            self.labelled.add(given["for"] or "")

    def handle_data(self, data: str) -> None:
        """Collect what is said."""
        self.text += data


@dataclass
class Browser:
    """Keeps cookies and follows nothing by itself."""

    pool: Pool = field(default_factory=Pool)
    clock: Clock = field(default_factory=Clock)
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.codes = AuthorizationCodes(self.clock)
        self.login = ManagedLogin(self.pool, self.pool, self.codes, BrowserSessions(self.clock))

    def authorize(self, query: str) -> PageAnswer:
        """Open `/oauth2/authorize`."""
        return self._kept(self.login.authorize(query, self.cookies))

    def show(self, query: str) -> PageAnswer:
        """Open `/login`."""
        return self._kept(self.login.show(query, self.cookies))

    def logout(self, query: str) -> PageAnswer:
        """Open `/logout`."""
        return self._kept(self.login.logout(query, self.cookies))

    def send(self, page: PageAnswer, **typed: str) -> PageAnswer:
        """Fill in a page's form and send it."""
        form = Form(page.content)
        assert form.action is not None
        path, _, query = form.action.partition("?")
        assert path == "/login"
        return self._kept(self.login.submit(query, urlencode({**form.fields, **typed}), self.cookies))

    def _kept(self, answer: PageAnswer) -> PageAnswer:
        for header in answer.cookies:
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer


def asking(**changed: str | None) -> str:
    """The query of a good request, with some parameters changed; None leaves one out."""
    good = {
        "response_type": "code",
        "client_id": PEOPLE.id,
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "st&te=",
        "nonce": "n0nce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return urlencode({name: value for name, value in {**good, **changed}.items() if value is not None})


def sent_back(answer: PageAnswer, to: str = CALLBACK) -> dict[str, str]:
    """The parameters of a redirect to the app."""
    assert answer.status == 302
    assert answer.location is not None
    assert answer.location.startswith(to + "?")
    assert answer.content == ""
    return dict(parse_qsl(urlsplit(answer.location).query))
