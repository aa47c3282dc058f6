"""Start MiniStack, with three of its answers put right; run by the interpreter of its own environment.

AWS has a payload format version for authorizers that are functions alone; MiniStack gives each one, and the
second plan would never be empty.

Its authorizers ask MiniStack itself for the keys of a user pool, although this one's is elsewhere.

Its functions pull their image from the registry in the image's name, which nobody can reach here. What they
are to run is the image that the engine has built.
"""
# Not installed where types are checked, and publishes none.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import os
from typing import Any, Final

from ministack import app
from ministack.services import apigateway, lambda_svc

# Where the user pools are.
POOLS: Final = "SMAS_REHEARSAL_POOLS"
# The engine's name of the image.
IMAGE: Final = "SMAS_REHEARSAL_IMAGE"


# There is no other place to do it.
_create = apigateway._create_authorizer  # noqa: SLF001
_spawn = lambda_svc._spawn_lambda_container  # noqa: SLF001


def _create_authorizer(api_id: str, data: dict[str, Any]) -> Any:
    if data.get("authorizerType") == "JWT":
        data = {**data, "authorizerPayloadFormatVersion": None}
    return _create(api_id, data)


async def _resolve_jwks_url(authorizer: dict[str, Any]) -> str:
    pool = authorizer["jwtConfiguration"]["issuer"].rpartition("/")[2]
    return f"{os.environ[POOLS]}/{pool}/.well-known/jwks.json"


def _spawn_lambda_container(config: dict[str, Any], *arguments: Any, **named: Any) -> Any:
    return _spawn({**config, "ImageUri": os.environ[IMAGE]}, *arguments, **named)


if __name__ == "__main__":
    apigateway._create_authorizer = _create_authorizer  # noqa: SLF001
    apigateway._resolve_jwks_url = _resolve_jwks_url  # noqa: SLF001
    lambda_svc._spawn_lambda_container = _spawn_lambda_container  # noqa: SLF001
    app.main()
