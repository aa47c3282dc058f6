"""Signing in with a browser: what is asked for, what must come back, and whom not to believe."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from smas.errors import NotSignedIn, SmasError, Unavailable
from smas.http import HttpClient
from smas.identity.browser import BrowserSignIn
from smas.identity.discovery import SignInPlace
from smas.retries import Stop

from tests.client.site.answers import Given, gateway_answer, json_answer
from tests.client.site.fixtures import SOON
from tests.client.site.user_pool import PAGE_URL, POOL_URL, TOKEN_URL
from tests.web.conftest import ISSUER, PEOPLE, PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.site.user_pool import UserPool
    from tests.client.site.wire import WsgiTransport

REDIRECT = "http://127.0.0.1:18390/callback"
PLACE = SignInPlace(PUBLIC_URL, ISSUER, PEOPLE, POOL_URL, TOKEN_URL, PAGE_URL)


@pytest.fixture
def http(wire: WsgiTransport) -> HttpClient:
    """Single requests."""
    return HttpClient(wire, SOON, Stop())


@pytest.fixture
def begun() -> BrowserSignIn:
    """A sign-in that has begun."""
    return BrowserSignIn.begin(PLACE, REDIRECT, "the-state")


def query_of(url: str) -> dict[str, str]:
    """Its parameters."""
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def come_back(begun: BrowserSignIn, people: UserPool, name: str = "ds-fraud") -> dict[str, str]:
    """What the browser brings once somebody signed in on the page."""
    return query_of(people.signed_in_with_page(begun.url(), name))


def test_the_page_is_asked_for_a_code_with_a_proof(begun: BrowserSignIn) -> None:
    """Client, redirect, state, nonce, and the hash of what is kept here (RFC 7636)."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=")
    assert begun.url().startswith(PAGE_URL + "?")
    assert query_of(begun.url()) == {
        "response_type": "code",
        "client_id": PEOPLE,
        "redirect_uri": REDIRECT,
        "scope": "openid",
        "state": "the-state",
        "nonce": begun.nonce,
        "code_challenge": digest.decode(),
        "code_challenge_method": "S256",
    }
    assert query_of(begun.url(ask_again=True))["prompt"] == "login"
    assert 43 <= len(begun.verifier) <= 128
    assert begun.verifier not in repr(begun) + begun.url()


def test_a_page_with_a_query_of_its_own_keeps_it() -> None:
    """Its parameters stand before ours."""
    place = SignInPlace(PUBLIC_URL, ISSUER, PEOPLE, POOL_URL, TOKEN_URL, PAGE_URL + "?tenant=x")
    url = BrowserSignIn.begin(place, REDIRECT, "s").url()
    assert url.count("?") == 1
    assert query_of(url)["tenant"] == "x"


def test_no_two_sign_ins_share_a_secret() -> None:
    """Nonce and verifier are new each time, and differ."""
    several = [BrowserSignIn.begin(PLACE, REDIRECT, "s") for _ in range(10)]
    assert len({secret for one in several for secret in (one.nonce, one.verifier)}) == 20


@pytest.mark.parametrize("more", [{}, {"iss": ISSUER}])
def test_the_code_gives_tokens_that_the_store_takes(
    begun: BrowserSignIn, http: HttpClient, people: UserPool, wire: WsgiTransport, more: dict[str, str]
) -> None:
    """With and without RFC 9207's `iss`."""
    granted = begun.finish({**come_back(begun, people), **more}, http)
    who = wire.site.call("GET", "/v1/whoami", granted.access_token).json
    assert who["username"] == "ds-fraud"
    assert granted.refresh_token in people.refresh_tokens
    assert people.asked == ["token authorization_code"]


def test_another_issuer_s_answer_is_not_believed(
    begun: BrowserSignIn, http: HttpClient, people: UserPool, wire: WsgiTransport
) -> None:
    """The code, which may be another pool's, goes nowhere (RFC 9207)."""
    with pytest.raises(NotSignedIn, match="another user pool"):
        begun.finish({**come_back(begun, people), "iss": "https://evil.example"}, http)
    assert wire.sent == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"error": "access_denied"}, "you, or the user pool, refused"),
        ({"error": "invalid_scope", "error_description": "no such scope"}, "(no such scope)"),
        ({"error": "temporarily_unavailable"}, "too busy right now"),
        ({"error": "of_its_own"}, "it says of_its_own"),
        ({"error": "x" * 500, "error_description": "y" * 500}, "x" * 60 + " (" + "y" * 200 + ")"),
    ],
)
def test_a_refusal_is_told_in_words(
    begun: BrowserSignIn, http: HttpClient, answer: dict[str, str], words: str
) -> None:
    """And nothing is asked of the token endpoint."""
    with pytest.raises(NotSignedIn) as told:
        begun.finish(answer, http)
    assert told.value.detail.endswith(words)


@pytest.mark.parametrize(
    ("changed", "told_of"),
    [
        ({"nonce": "another"}, "another sign-in"),
        ({"nonce": ""}, "another sign-in"),
        ({"aud": "another"}, "somebody else's"),
        ({"aud": []}, "somebody else's"),
        ({"iss": "https://evil.example"}, "somebody else's"),
        ({"exp": time.time() - 61}, "expired"),
        ({"exp": "never"}, "can't be read"),
    ],
)
def test_a_wrong_identity_token_is_not_believed(
    begun: BrowserSignIn, http: HttpClient, people: UserPool, changed: dict[str, Any], told_of: str
) -> None:
    """It must be this client's, of this pool, of this sign-in and of now."""
    people.identity = changed
    with pytest.raises(NotSignedIn, match=told_of):
        begun.finish(come_back(begun, people), http)


@pytest.mark.parametrize("changed", [lambda: {"aud": [PEOPLE, "another"]}, lambda: {"exp": time.time() - 1}])
def test_a_right_identity_token_is_believed(
    begun: BrowserSignIn, http: HttpClient, people: UserPool, changed: Callable[[], dict[str, Any]]
) -> None:
    """Several audiences may be named, and clocks may differ a little."""
    people.identity = changed()
    assert begun.finish(come_back(begun, people), http).access_token


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: json_answer(400, {"error": "invalid_grant"}), NotSignedIn),
        (lambda: gateway_answer(403), NotSignedIn),
        (lambda: gateway_answer(503), Unavailable),
        (lambda: Given(200, {}, b"<html>"), SmasError),
        (lambda: json_answer(200, {"access_token": "x"}), SmasError),
        (lambda: json_answer(200, {"access_token": "x", "id_token": "no.token"}), NotSignedIn),
        (lambda: json_answer(200, {"access_token": "x", "id_token": ""}), NotSignedIn),
    ],
)
def test_whatever_the_token_endpoint_answers_no_secret_is_told(
    begun: BrowserSignIn,
    http: HttpClient,
    wire: WsgiTransport,
    answer: Callable[[], Given],
    kind: type[SmasError],
) -> None:
    """An error of the tree, without code, verifier, or the answer's own text."""
    wire.instead("POST", TOKEN_URL, lambda _: answer(), times=10)
    brought = {"code": secrets.token_hex(), "state": "the-state"}
    with pytest.raises(kind) as told:
        begun.finish(brought, http)
    said = "".join(traceback.format_exception(told.value)) + repr(vars(told.value))
    for secret in (brought["code"], begun.verifier, "secret-of-the-gateway"):
        assert secret not in said
