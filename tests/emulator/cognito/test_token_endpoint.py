"""The grants, held against RFC 6749, RFC 7636 and what AWS documents of its token endpoint."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cognito.answers import JsonAnswer
from smas_emulator.cognito.authorization_codes import AuthorizationCodes, Grant
from smas_emulator.cognito.forms import MOST_CHARACTERS
from smas_emulator.cognito.token_endpoint import answer_token_request

from tests.emulator.cognito.doubles import (
    CALLBACK,
    CHALLENGE,
    ELSEWHERE,
    PEOPLE,
    SERVER,
    VERIFIER,
    Clock,
    Pool,
)


class Endpoint:
    """The endpoint with a pool and codes of its own."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.clock = Clock()
        self.codes = AuthorizationCodes(self.clock)

    def ask(self, body: str, authorization: str | None = None) -> JsonAnswer:
        """One request."""
        return answer_token_request(body, authorization, self.pool, self.codes, self.pool)

    def code(self, **changed: Any) -> str:
        """A code for ada."""
        grant = Grant(PEOPLE.id, CALLBACK, ("openid",), "ada", 1, "n0nce", CHALLENGE)
        return self.codes.issue(replace(grant, **changed))

    def exchange(self, code: str, authorization: str | None = None, **changed: str | None) -> JsonAnswer:
        """Exchange a code; None leaves a parameter out."""
        good = {
            "grant_type": "authorization_code",
            "client_id": PEOPLE.id,
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        form = {name: value for name, value in {**good, **changed}.items() if value is not None}
        return self.ask(urlencode(form), authorization)


@pytest.fixture
def endpoint() -> Endpoint:
    """The endpoint."""
    return Endpoint()


def basic(client_id: str, secret: str) -> str:
    """The header of HTTP basic authentication."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_basic_credentials_get_a_token_for_all_allowed_scopes(endpoint: Endpoint) -> None:
    """Without `scope`, a client is granted everything it is allowed."""
    answer = endpoint.ask("grant_type=client_credentials", basic("machine", "s3cret"))

    assert answer == JsonAnswer(
        200, {"access_token": "machine:smas/a@x smas/b@y", "expires_in": 3600, "token_type": "Bearer"}
    )
    assert ("Cache-Control", "no-store") in answer.headers
    assert "machine:" not in repr(answer)


def test_credentials_in_the_body_get_a_token_for_just_the_asked_scope(endpoint: Endpoint) -> None:
    """`client_secret_post` works too, and a narrower `scope` is honoured, its `@` percent-encoded or not."""
    answer = endpoint.ask(
        "grant_type=client_credentials&client_id=machine&client_secret=s3cret&scope=smas%2Fb%40y"
    )

    assert (answer.body or {})["access_token"] == "machine:smas/b@y"


@pytest.mark.parametrize(
    ("body", "authorization", "error"),
    [
        ("", None, "invalid_request"),
        ('{"grant_type": "client_credentials"}', basic("machine", "s3cret"), "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", None, "invalid_request"),
        ("grant_type=authorization_code&code=x", basic("machine", "s3cret"), "unauthorized_client"),
        ("grant_type=password", None, "unsupported_grant_type"),
        ("grant_type=client_credentials", None, "invalid_client"),
        ("grant_type=client_credentials", basic("machine", "wrong"), "invalid_client"),
        ("grant_type=client_credentials", basic("machine", ""), "invalid_client"),
        ("grant_type=client_credentials", basic("stranger", "s3cret"), "invalid_client"),
        ("grant_type=client_credentials", basic("people", ""), "invalid_client"),
        ("grant_type=client_credentials&client_id=machine", None, "invalid_client"),
        ("grant_type=client_credentials&client_id=people", None, "unauthorized_client"),
        ("grant_type=client_credentials", "Basic §§", "invalid_client"),
        ("grant_type=client_credentials", "Bearer abc", "invalid_client"),
        ("grant_type=client_credentials&client_id=other", basic("machine", "s3cret"), "invalid_request"),
        ("grant_type=client_credentials", basic("server", "s3cret"), "unauthorized_client"),
        ("grant_type=client_credentials&scope=smas/c@z", basic("machine", "s3cret"), "invalid_scope"),
        (
            "grant_type=client_credentials&scope=smas/a@x+smas/c@z",
            basic("machine", "s3cret"),
            "invalid_scope",
        ),
        ("grant_type=authorization_code&code=x&client_id=no-oauth", None, "unauthorized_client"),
        ("grant_type=authorization_code&code=x&client_id=people", None, "invalid_request"),
        ("grant_type=authorization_code&redirect_uri=x&client_id=people", None, "invalid_request"),
        ("grant_type=refresh_token&client_id=people", None, "invalid_request"),
        ("grant_type=refresh_token&client_id=people&refresh_token=x", None, "invalid_grant"),
        ("grant_type=refresh_token&client_id=no-oauth&refresh_token=x", None, "unauthorized_client"),
        ("grant_type=refresh_token&refresh_token=x", None, "invalid_client"),
    ],
)
def test_refusals_say_one_error_code_and_nothing_else(
    endpoint: Endpoint, body: str, authorization: str | None, error: str
) -> None:
    """Whatever is wrong, the answer is 400 with the RFC's code, and no token is made."""
    assert endpoint.ask(body, authorization) == JsonAnswer(400, {"error": error})


def test_a_code_is_exchanged_for_all_three_tokens(endpoint: Endpoint) -> None:
    """For what was granted, with the nonce; a public client needs no secret."""
    assert endpoint.exchange(endpoint.code()) == JsonAnswer(
        200,
        {
            "access_token": "access:ada:openid",
            "id_token": "id:ada:openid:n0nce",
            "refresh_token": "refresh",
            "expires_in": 3600,
            "token_type": "Bearer",
        },
    )


def test_a_code_is_good_once(endpoint: Endpoint) -> None:
    """The second exchange is refused, and so is the first after one that failed."""
    code = endpoint.code()
    assert endpoint.exchange(code).status == 200
    assert endpoint.exchange(code).body == {"error": "invalid_grant"}
    code = endpoint.code()
    assert endpoint.exchange(code, code_verifier="a" * 43).body == {"error": "invalid_grant"}
    assert endpoint.exchange(code).body == {"error": "invalid_grant"}


@pytest.mark.parametrize(("seconds", "status"), [(299, 200), (300, 400)])
def test_a_code_is_good_for_five_minutes(endpoint: Endpoint, seconds: int, status: int) -> None:
    """Not a second longer."""
    code = endpoint.code()
    endpoint.clock.move(seconds=seconds)
    assert endpoint.exchange(code).status == status


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "00000000-0000-4000-8000-000000000000"},
        {"client_id": ELSEWHERE.id},
        {"redirect_uri": CALLBACK + "/"},
        {"code_verifier": None},
        {"code_verifier": VERIFIER[:-1] + "l"},
        {"code_verifier": CHALLENGE},
    ],
)
def test_a_code_is_bound_to_client_redirect_and_verifier(
    endpoint: Endpoint, changed: dict[str, str | None]
) -> None:
    """Whoever has the code alone gets nothing for it."""
    changed = dict(changed)
    code = changed.pop("code", endpoint.code()) or ""
    assert endpoint.exchange(code, **changed) == JsonAnswer(400, {"error": "invalid_grant"})
    assert endpoint.pool.refresh_tokens == {}


def test_a_code_without_a_challenge_is_not_given_for_a_verifier(endpoint: Endpoint) -> None:
    """Somebody took the challenge out of the request; without either it is as RFC 6749 has it."""
    refused = endpoint.exchange(endpoint.code(code_challenge=None))
    assert refused.body == {"error": "invalid_grant"}
    assert endpoint.exchange(endpoint.code(code_challenge=None), code_verifier=None).status == 200


def test_a_confidential_client_proves_itself(endpoint: Endpoint) -> None:
    """A code of its own is not enough, a wrong secret neither; and an attempt without does not use it up."""
    redirect_uri = SERVER.callback_urls[0]
    code = endpoint.code(client_id=SERVER.id, redirect_uri=redirect_uri)
    for authorization in (None, basic("server", "wrong")):
        refused = endpoint.exchange(code, authorization, client_id="server", redirect_uri=redirect_uri)
        assert refused.body == {"error": "invalid_client"}
    done = endpoint.exchange(code, basic("server", "s3cret"), client_id=None, redirect_uri=redirect_uri)
    assert done.status == 200


def test_somebody_who_is_gone_gets_no_tokens(endpoint: Endpoint) -> None:
    """Even with a good code."""
    refused = endpoint.exchange(endpoint.code(username="gone"))
    assert refused.body == {"error": "invalid_grant"}


def test_a_refresh_token_gives_other_tokens_to_its_client_alone(endpoint: Endpoint) -> None:
    """No other refresh token comes with them, and no other client may use it."""
    endpoint.exchange(endpoint.code())
    renewed = endpoint.ask("grant_type=refresh_token&client_id=people&refresh_token=refresh")
    assert renewed.body == {
        "access_token": "renewed:ada",
        "id_token": "id:ada",
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    stolen = endpoint.ask("grant_type=refresh_token&client_id=elsewhere&refresh_token=refresh")
    assert stolen.body == {"error": "invalid_grant"}


def test_a_request_that_is_too_long_is_not_read(endpoint: Endpoint) -> None:
    """At the limit it is, beyond it it is not."""
    start = "grant_type=refresh_token&client_id=people&refresh_token="
    at_limit = start + "x" * (MOST_CHARACTERS - len(start))
    assert endpoint.ask(at_limit).body == {"error": "invalid_grant"}
    assert endpoint.ask(at_limit + "x").body == {"error": "invalid_request"}


@given(st.text(), st.none() | st.text())
def test_whatever_is_sent_is_answered(body: str, authorization: str | None) -> None:
    """No form and no header breaks the endpoint, and none of them is granted anything."""
    assert Endpoint().ask(body, authorization).status == 400


def test_codes_make_room_for_new_ones() -> None:
    """A loop of sign-ins does not fill the memory: beyond the cap the oldest code goes."""
    codes = AuthorizationCodes(Clock(), cap=2)
    grant = Grant("people", CALLBACK, ("openid",), "ada", 1)
    first, second, third = (codes.issue(grant) for _ in range(3))
    assert [codes.redeem(code) for code in (first, second, third)] == [None, grant, grant]
