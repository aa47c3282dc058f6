"""What a browser is remembered by between two pages: its sign-in, a new password it owes, its form token.

Cognito's session cookie lasts an hour, during which a person need not give the password again
(https://repost.aws/knowledge-center/cognito-logout-endpoint-globalsignoutapi).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from smas_emulator.cognito.answers import cookie
from smas_emulator.cognito.bounded import Expiring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from smas_emulator.cognito.app_clients import AppClient

SESSION_LIFETIME = timedelta(hours=1)
# AuthSessionValidity: how long Cognito waits for the answer to a challenge, unless told otherwise.
CHALLENGE_LIFETIME = timedelta(minutes=3)
MOST_SESSIONS = 10_000
NEW_PASSWORD, CODE = "new-password", "code"
FORM_COOKIE = "XSRF-TOKEN"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A sign-in that a browser remembers; `auth_time` in Unix seconds."""

    pool_id: str
    username: str
    auth_time: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """Somebody whose password was right at a client's page, in the browser of that form token.

    `owed` is what they must give yet: `NEW_PASSWORD` for a temporary one, or `CODE`, of their authenticator.
    """

    client_id: str
    username: str
    form_secret: str
    owed: str


class BrowserSessions:
    """Sign-ins and challenges by the secrets that browsers hold."""

    def __init__(self, now: Callable[[], datetime], *, cap: int = MOST_SESSIONS) -> None:
        self._now = now
        self._sessions: Expiring[BrowserSession] = Expiring(SESSION_LIFETIME, cap, now)
        self._challenges: Expiring[Challenge] = Expiring(CHALLENGE_LIFETIME, cap, now)
        self._form_key = secrets.token_bytes(32)

    def time(self) -> float:
        """What time it is, in Unix seconds."""
        return self._now().timestamp()

    def find(self, client: AppClient, cookies: Mapping[str, str]) -> BrowserSession | None:
        """The sign-in that the browser remembers for this client's pool."""
        session = self._sessions.get(cookies.get(_cookie_name(client), ""))
        return session if session is not None and session.pool_id == client.pool_id else None

    def begin(
        self, client: AppClient, username: str, cookies: Mapping[str, str]
    ) -> tuple[BrowserSession, str]:
        """A sign-in made just now, and the cookie for it, under a new name (no session fixation)."""
        self._sessions.take(cookies.get(_cookie_name(client), ""))
        session = BrowserSession(client.pool_id, username, int(self._now().timestamp()))
        secret = secrets.token_urlsafe(32)
        self._sessions.put(secret, session)
        return session, cookie(_cookie_name(client), secret, int(SESSION_LIFETIME.total_seconds()))

    def end(self, client: AppClient, cookies: Mapping[str, str]) -> str:
        """Forget the sign-in; the cookie that makes the browser forget it."""
        self._sessions.take(cookies.get(_cookie_name(client), ""))
        return cookie(_cookie_name(client), "", 0)

    def challenge(self, challenge: Challenge) -> str:
        """Remember who owes what; the secret for the form."""
        secret = secrets.token_urlsafe(32)
        self._challenges.put(secret, challenge)
        return secret

    def challenged(self, secret: str, client: AppClient, form_secret: str) -> Challenge | None:
        """Who owes what, if this is the client and the browser it was asked for with."""
        found = self._challenges.get(secret)
        if found is None or (found.client_id, found.form_secret) != (client.id, form_secret):
            return None
        return found

    def settle(self, secret: str) -> bool:
        """The challenge was answered, which counts once."""
        return self._challenges.take(secret) is not None

    # --- forms: what is sent must come from a page that was served to the same browser -------------------

    def form_secret(self, cookies: Mapping[str, str]) -> str:
        """The secret in the browser's cookie, or a new one for it: several open pages share it."""
        held = cookies.get(FORM_COOKIE, "")
        return held if _SECRET.fullmatch(held) else secrets.token_urlsafe(32)

    def form_token(self, form_secret: str) -> str:
        """What a form carries for the browser with this secret."""
        return hmac.new(self._form_key, form_secret.encode(), hashlib.sha256).hexdigest()

    def came_from_our_form(self, cookies: Mapping[str, str], token: str) -> bool:
        """Whether a form's token fits the browser's cookie."""
        held = cookies.get(FORM_COOKIE, "")
        right = self.form_token(held) if _SECRET.fullmatch(held) else ""
        return bool(right) and hmac.compare_digest(right.encode(), token.encode())


def _cookie_name(client: AppClient) -> str:
    """One a pool: in AWS each has its own domain, here all share one."""
    return f"cognito-{client.pool_id}"
