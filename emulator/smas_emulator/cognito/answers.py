"""What the OAuth endpoints answer, without any web framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
# `same-origin` and not `no-referrer`: with the latter browsers send a form with `Origin: null`, by which
# nobody can tell our own page from another.
_CAREFUL = (
    *NO_STORE,
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """An answer to a program."""

    status: int
    body: dict[str, Any] | None = field(default=None, repr=False)  # it may hold tokens
    more_headers: Headers = ()

    @property
    def headers(self) -> Headers:
        """All its headers."""
        return (("Content-Type", "application/json"), *NO_STORE, *self.more_headers)

    @property
    def content(self) -> str:
        """Its body as sent; a body of None is empty."""
        return "" if self.body is None else json.dumps(self.body)


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """An answer to a browser: a page, or a redirect to `location`; `cookies` are `Set-Cookie` values."""

    status: int
    content: str = field(default="", repr=False)
    location: str | None = field(default=None, repr=False)
    policy: str = "default-src 'none'; frame-ancestors 'none'"
    cookies: tuple[str, ...] = field(default=(), repr=False)

    @property
    def headers(self) -> Headers:
        """All its headers."""
        return (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", self.policy),
            *_CAREFUL,
            *((("Location", self.location),) if self.location is not None else ()),
            *(("Set-Cookie", cookie) for cookie in self.cookies),
        )


def redirect(location: str, *cookies: str) -> PageAnswer:
    """Send the browser elsewhere."""
    return PageAnswer(302, location=location, cookies=cookies)


def cookie(name: str, value: str, seconds: int) -> str:
    """A cookie for the sign-in page alone: no script sees it, and no other site's form sends it.

    Cognito's are `Secure` too; here pages come over plain HTTP, from this very machine.
    """
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
