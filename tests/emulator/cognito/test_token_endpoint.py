"""The client credentials grant, held against RFC 6749 and what AWS documents of its token endpoint."""

from __future__ import annotations

import base64

import pytest
from smas_emulator.cognito.token_endpoint import Answer, ConfidentialClient, answer_token_request

MACHINE = ConfidentialClient(
    id="machine", secret="s3cret", flows=frozenset({"client_credentials"}), scopes=("smas/a@x", "smas/b@y")
)
PUBLIC = ConfidentialClient(id="public", secret=None, flows=frozenset(), scopes=())
NO_FLOW = ConfidentialClient(id="noflow", secret="s3cret", flows=frozenset({"code"}), scopes=("smas/a@x",))
CLIENTS = {client.id: client for client in (MACHINE, PUBLIC, NO_FLOW)}


def ask(body: str, authorization: str | None = None) -> Answer:
    """Ask for a token that spells out who got which scopes."""
    return answer_token_request(
        body, authorization, CLIENTS.get, lambda client, scopes: (f"{client.id}:{' '.join(scopes)}", 3600)
    )


def basic(client_id: str, secret: str) -> str:
    """The header of HTTP basic authentication."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_basic_credentials_get_a_token_for_all_allowed_scopes() -> None:
    """Without `scope`, a client is granted everything it is allowed."""
    answer = ask("grant_type=client_credentials", basic("machine", "s3cret"))

    assert answer == Answer(
        200, {"access_token": "machine:smas/a@x smas/b@y", "expires_in": 3600, "token_type": "Bearer"}
    )


def test_credentials_in_the_body_get_a_token_for_just_the_asked_scope() -> None:
    """`client_secret_post` works too, and a narrower `scope` is honoured, its `@` percent-encoded or not."""
    answer = ask("grant_type=client_credentials&client_id=machine&client_secret=s3cret&scope=smas%2Fb%40y")

    assert answer.body["access_token"] == "machine:smas/b@y"


@pytest.mark.parametrize(
    ("body", "authorization", "error"),
    [
        ("", None, "invalid_request"),
        ('{"grant_type": "client_credentials"}', basic("machine", "s3cret"), "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", None, "invalid_request"),
        ("grant_type=authorization_code&code=x", basic("machine", "s3cret"), "unsupported_grant_type"),
        ("grant_type=password", None, "unsupported_grant_type"),
        ("grant_type=client_credentials", None, "invalid_client"),
        ("grant_type=client_credentials", basic("machine", "wrong"), "invalid_client"),
        ("grant_type=client_credentials", basic("machine", ""), "invalid_client"),
        ("grant_type=client_credentials", basic("stranger", "s3cret"), "invalid_client"),
        ("grant_type=client_credentials", basic("public", ""), "invalid_client"),
        ("grant_type=client_credentials", "Basic §§", "invalid_client"),
        ("grant_type=client_credentials", "Bearer abc", "invalid_client"),
        ("grant_type=client_credentials&client_id=other", basic("machine", "s3cret"), "invalid_request"),
        ("grant_type=client_credentials", basic("noflow", "s3cret"), "unauthorized_client"),
        ("grant_type=client_credentials&scope=smas/c@z", basic("machine", "s3cret"), "invalid_scope"),
        (
            "grant_type=client_credentials&scope=smas/a@x+smas/c@z",
            basic("machine", "s3cret"),
            "invalid_scope",
        ),
    ],
)
def test_refusals_say_one_error_code_and_nothing_else(
    body: str, authorization: str | None, error: str
) -> None:
    """Whatever is wrong, the answer is 400 with the RFC's code, and no token is made."""
    assert ask(body, authorization) == Answer(400, {"error": error})
