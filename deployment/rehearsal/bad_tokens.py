"""Tokens that an authorizer has to refuse, each with one thing wrong."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from deployment import http
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLIENT: Final = "rehearsal-of-a-stranger"


def changed(token: str) -> dict[str, str]:
    """By what is wrong with them: tokens made of a good one, whose signature is then another's."""
    header, claims, signature = token.split(".")
    said, known = _read(claims), _read(header)
    return {
        "what is no token": "not-a-token",
        "a token whose claims were changed": ".".join(
            [header, _write({**said, "sub": "another"}), signature]
        ),
        "a token signed with a key that is not the pool's": ".".join(
            [_write({**known, "kid": "unknown"}), claims, signature]
        ),
        "an unsigned token": ".".join([_write({**known, "alg": "none"}), claims, ""]),
    }


@contextmanager
def of_another_client(cognito: Any, ours: str, pool: str) -> Iterator[str]:
    """While inside: a token that the pool itself signed, for a client that the store does not know."""
    servers = cognito.list_resource_servers(UserPoolId=pool, MaxResults=1)["ResourceServers"]
    scope = f"{servers[0]['Identifier']}/{servers[0]['Scopes'][0]['ScopeName']}"
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName=_CLIENT,
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=[scope],
    )["UserPoolClient"]
    try:
        yield _granted(f"{ours}/oauth2/token", client, scope)
    finally:
        cognito.delete_user_pool_client(UserPoolId=pool, ClientId=client["ClientId"])


def _granted(url: str, client: dict[str, Any], scope: str) -> str:
    secret = base64.b64encode(f"{client['ClientId']}:{client['ClientSecret']}".encode()).decode()
    answer = http.request(
        "POST",
        url,
        data=urlencode({"grant_type": "client_credentials", "scope": scope}).encode(),
        headers={"Authorization": f"Basic {secret}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    if answer.status != 200:  # noqa: PLR2004
        message = f"A client of the pool's got no token: {answer.words}."
        raise DeploymentError(message)
    return str(answer.json()["access_token"])


def _read(part: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def _write(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
