"""A browser for tests: keeps cookies, follows redirects on this machine, fills in the form of a page."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from email.message import Message

_SECONDS: Final = 30


class _Stay(urllib.request.HTTPRedirectHandler):
    """Tests decide whether a redirect is followed."""

    def redirect_request(self, *_: Any) -> None:
        """Never."""


@dataclass(frozen=True)
class Seen:
    """An answer: where it came from, its status, headers and text; `location` is whole."""

    url: str
    status: int
    headers: Message = field(repr=False)
    text: str = field(repr=False)

    @property
    def location(self) -> str:
        """Where it leads, "" if nowhere."""
        named = self.headers["Location"]
        return urllib.parse.urljoin(self.url, named) if named else ""

    @property
    def brought(self) -> dict[str, str]:
        """The parameters of where it leads."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.location).query))

    @property
    def fields(self) -> dict[str, str]:
        """The page's fields with their values."""
        inputs = re.findall(r"<input\b[^>]*>", self.text)
        named = [(re.search(r'name="([^"]*)"', one), re.search(r'value="([^"]*)"', one)) for one in inputs]
        return {name[1]: html.unescape(value[1]) if value else "" for name, value in named if name}


class OAuthBrowser:
    """One person's browser."""

    def __init__(self) -> None:
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), _Stay()
        )

    def open(self, url: str, form: dict[str, str] | None = None, **headers: str) -> Seen:
        """One request, answered; redirects are not followed."""
        body = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(url, body, headers)
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                return Seen(url, response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Seen(url, error.code, error.headers, error.read().decode())

    def follow(self, url: str) -> Seen:
        """The page that a URL leads to on the same host, or the redirect that leaves it."""
        seen = self.open(url)
        host = urllib.parse.urlsplit(url).netloc
        while seen.location and urllib.parse.urlsplit(seen.location).netloc == host:
            seen = self.open(seen.location)
        return seen

    def send(self, page: Seen, **typed: str) -> Seen:
        """Fill in a page's form and send it, as browsers do: with its origin."""
        action = re.search(r'<form method="post" action="([^"]*)"', page.text)
        assert action, page.text
        parts = urllib.parse.urlsplit(page.url)
        url = urllib.parse.urljoin(page.url, html.unescape(action[1]))
        return self.open(
            url, {**page.fields, **typed}, Origin=f"{parts.scheme}://{parts.netloc}", Referer=page.url
        )
