"""Who the owner of an access token is, as far as its scopes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cognito.user_info import TokenOwner, answer_user_info_request, visible_attributes

ATTRIBUTES = {
    "name": "Ada",
    "email": "ada@example.com",
    "email_verified": "true",
    "phone_number": "+441234",
    "custom:team": "x",
    "address": "London",
}


@pytest.mark.parametrize(
    ("scopes", "visible"),
    [
        ({"openid"}, set(ATTRIBUTES)),
        ({"openid", "profile"}, {"name", "custom:team"}),
        ({"openid", "email"}, {"email", "email_verified"}),
        ({"openid", "phone"}, {"phone_number"}),
        ({"openid", "email", "phone"}, {"email", "email_verified", "phone_number"}),
        ({"openid", "smas/a@x"}, set(ATTRIBUTES)),
        ({"profile"}, set()),
        (set(), set()),
    ],
)
def test_scopes_decide_what_is_seen(scopes: set[str], visible: set[str]) -> None:
    """As AWS's table of scopes and answers has it."""
    assert set(visible_attributes(ATTRIBUTES, scopes)) == visible


@given(st.sets(st.sampled_from(["openid", "profile", "email", "phone", "x/y"])))
def test_nothing_is_seen_that_is_not_there(scopes: set[str]) -> None:
    """Whatever is shown is an attribute, unchanged."""
    assert visible_attributes(ATTRIBUTES, scopes).items() <= ATTRIBUTES.items()


def owner(*scopes: str) -> TokenOwner:
    """Ada."""
    return TokenOwner(
        "sub-of-ada", "ada", frozenset(scopes), {**ATTRIBUTES, "username": "other", "sub": "other"}
    )


def test_the_owner_is_told() -> None:
    """`sub` and `username` are the pool's, whatever attributes say; the scheme's case does not matter."""
    answer = answer_user_info_request("bearer good", {"good": owner("openid", "email")}.get)
    assert answer.status == 200
    assert answer.body == {
        "sub": "sub-of-ada",
        "username": "ada",
        "email": "ada@example.com",
        "email_verified": "true",
    }


@pytest.mark.parametrize(
    ("authorization", "status", "error"),
    [
        (None, 400, "invalid_request"),
        ("", 400, "invalid_request"),
        ("Bearer", 400, "invalid_request"),
        ("Bearer  ", 400, "invalid_request"),
        ("Basic Z29vZA==", 400, "invalid_request"),
        ("Bearer bad", 401, "invalid_token"),
        ("Bearer password-sign-in", 401, "invalid_token"),
    ],
)
def test_refusals_are_told_in_body_and_header(authorization: str | None, status: int, error: str) -> None:
    """A token without `openid`, as of a sign-in by password, is none for this endpoint."""
    owners = {"password-sign-in": owner("aws.cognito.signin.user.admin")}
    answer = answer_user_info_request(authorization, owners.get)
    assert answer.status == status
    assert (answer.body or {})["error"] == error
    assert dict(answer.headers)["WWW-Authenticate"].startswith(f'Bearer error="{error}"')
