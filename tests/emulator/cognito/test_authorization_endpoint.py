"""Requests to sign in: what is granted, what the client is told, and what only a page may tell."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from smas_emulator.cognito.authorization_endpoint import (
    MOST_CHARACTERS,
    NotRedirected,
    SentBack,
    read_authorization_request,
    redirect_back,
)

from tests.emulator.cognito.doubles import CALLBACK, CHALLENGE, PEOPLE, Pool, asking

POOL = Pool()


def test_a_good_request_is_read_as_a_whole() -> None:
    """Client, redirect, scopes, state, nonce and challenge."""
    asked = read_authorization_request(asking(prompt="login"), POOL)
    assert (asked.client, asked.redirect_uri, asked.scopes) == (PEOPLE, CALLBACK, ("openid", "profile"))
    assert (asked.state, asked.nonce, asked.code_challenge) == ("st&te=", "n0nce", CHALLENGE)
    assert asked.asks_anyway


@pytest.mark.parametrize("prompt", [None, "consent", "none"])
def test_the_browser_s_memory_is_enough_unless_the_app_says_otherwise(prompt: str | None) -> None:
    """Only `login` and `select_account` ask again."""
    assert not read_authorization_request(asking(prompt=prompt), POOL).asks_anyway


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        (None, PEOPLE.scopes),
        ("openid", ("openid",)),
        ("email openid email", ("email", "openid")),
        ("smas/x@y", ("smas/x@y",)),
    ],
)
def test_scopes_are_those_asked_for_or_all(scope: str | None, granted: tuple[str, ...]) -> None:
    """Each once, in the order asked; without any, all that the client has."""
    assert read_authorization_request(asking(scope=scope), POOL).scopes == granted


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": None}, "invalid_request"),
        ({"client_id": "stranger"}, "invalid_client"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.example"}, "redirect_mismatch"),
        ({"client_id": "no-oauth"}, "unauthorized_client"),
    ],
)
def test_a_wrong_client_or_redirect_is_never_redirected(changed: dict[str, str | None], error: str) -> None:
    """There is nobody to be told but the person (RFC 6749, section 4.1.2.1)."""
    with pytest.raises(NotRedirected) as told:
        read_authorization_request(asking(**changed), POOL)
    assert told.value.error == error


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_two_clients_or_redirects_are_none(name: str) -> None:
    """Nobody can tell which of them is meant."""
    with pytest.raises(NotRedirected):
        read_authorization_request(f"{asking()}&{name}={quote(CALLBACK)}", POOL)


@given(st.text(min_size=1))
def test_a_redirect_matches_to_the_letter(more: str) -> None:
    """Nothing may be added to a registered redirect, before or after it."""
    for redirect_uri in (CALLBACK + more, more + CALLBACK):
        assume(redirect_uri not in PEOPLE.callback_urls)
        with pytest.raises(NotRedirected):
            read_authorization_request(asking(redirect_uri=redirect_uri), POOL)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:18390/Callback",
        "http://127.0.0.1:18390/callback/",
        "http://127.0.0.1:18391/callback",
        "http://localhost:18390/callback",
        "http://127.0.0.1:18390/callback?x",
        "http://127.0.0.1:18390/x/../callback",
    ],
)
def test_what_is_nearly_a_redirect_is_none(redirect_uri: str) -> None:
    """Case, slash, port, another name for this machine, a query: each is another URL."""
    with pytest.raises(NotRedirected) as told:
        read_authorization_request(asking(redirect_uri=redirect_uri), POOL)
    assert told.value.error == "redirect_mismatch"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "id_token"}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"client_id": "machine", "scope": None}, "unauthorized_client"),
        ({"client_id": "implicit", "scope": None}, "unauthorized_client"),
        ({"client_id": "implicit", "response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "openid smas/other"}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": " "}, "invalid_scope"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"nonce": "n" * (MOST_CHARACTERS + 1)}, "invalid_request"),
    ],
)
def test_every_other_fault_is_told_to_the_client(changed: dict[str, str | None], error: str) -> None:
    """With its state, at its redirect."""
    with pytest.raises(SentBack) as told:
        read_authorization_request(asking(**changed), POOL)
    assert told.value.location.startswith(CALLBACK + "?")
    parameters = dict(parse_qsl(urlsplit(told.value.location).query))
    assert (parameters["error"], parameters["state"]) == (error, "st&te=")


@pytest.mark.parametrize("name", ["state", "scope", "code_challenge", "unknown"])
def test_a_parameter_twice_is_refused(name: str) -> None:
    """RFC 6749, section 3.1."""
    with pytest.raises(SentBack) as told:
        read_authorization_request(f"{asking(unknown='x')}&{name}=again", POOL)
    assert told.value.error == "invalid_request"


def test_a_state_that_is_too_long_is_not_repeated() -> None:
    """At the limit it comes back, one longer it does not."""
    longest = "s" * MOST_CHARACTERS
    assert read_authorization_request(asking(state=longest), POOL).state == longest
    with pytest.raises(SentBack) as told:
        read_authorization_request(asking(state=longest + "s"), POOL)
    assert "state" not in dict(parse_qsl(urlsplit(told.value.location).query))


@given(st.text(min_size=1), st.text(min_size=1))
def test_what_goes_back_comes_through(code: str, state: str) -> None:
    """Code and state arrive as they are, beside what the redirect has of its own, and nowhere else."""
    assume(not any("\ud800" <= character <= "\udfff" for character in code + state))
    for redirect_uri in PEOPLE.callback_urls:
        parts = urlsplit(redirect_back(redirect_uri, state, code=code))
        base = urlsplit(redirect_uri)
        assert (parts.scheme, parts.netloc, parts.path) == (base.scheme, base.netloc, base.path)
        assert parts.fragment == ""
        given_back = parse_qsl(parts.query, keep_blank_values=True)
        assert given_back == [*parse_qsl(base.query), ("code", code), ("state", state)]
