"""Revocation, held against RFC 7009 and what AWS documents of its endpoint."""

from __future__ import annotations

import pytest
from smas_emulator.cognito.answers import JsonAnswer
from smas_emulator.cognito.revocation_endpoint import answer_revocation_request

from tests.emulator.cognito.doubles import Pool
from tests.emulator.cognito.test_token_endpoint import basic


def ask(body: str, authorization: str | None = None) -> tuple[JsonAnswer, list[tuple[str, str]]]:
    """The answer, and what was revoked for whom."""
    revoked: list[tuple[str, str]] = []
    answer = answer_revocation_request(
        body, authorization, Pool(), lambda client, token: revoked.append((client.id, token))
    )
    return answer, revoked


@pytest.mark.parametrize(
    ("body", "authorization", "client"),
    [
        ("token=abc&client_id=people", None, "people"),
        ("token=abc", basic("server", "s3cret"), "server"),
        ("token=abc&client_id=server&client_secret=s3cret", None, "server"),
    ],
)
def test_a_token_is_revoked_for_its_client(body: str, authorization: str | None, client: str) -> None:
    """200 with an empty body, whether there was such a token or not."""
    answer, revoked = ask(body, authorization)
    assert (answer.status, answer.content) == (200, "")
    assert revoked == [(client, "abc")]


@pytest.mark.parametrize(
    ("body", "authorization", "status", "error"),
    [
        ("client_id=people", None, 400, "invalid_request"),
        ("token=a&token=b&client_id=people", None, 400, "invalid_request"),
        ("token=a&client_id=no-oauth", None, 400, "invalid_request"),
        ("token=a.b.c&client_id=people", None, 400, "unsupported_token_type"),
        ("token=abc", None, 401, "invalid_client"),
        ("token=abc&client_id=stranger", None, 401, "invalid_client"),
        ("token=abc&client_id=server", None, 401, "invalid_client"),
        ("token=abc", basic("server", "wrong"), 401, "invalid_client"),
        ("token=abc&client_id=people&client_secret=x", None, 401, "invalid_client"),
    ],
)
def test_refusals_revoke_nothing(body: str, authorization: str | None, status: int, error: str) -> None:
    """Each with AWS's status and code."""
    answer, revoked = ask(body, authorization)
    assert answer == JsonAnswer(status, {"error": error})
    assert revoked == []
