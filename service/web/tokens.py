"""Who is calling: Cognito access tokens, checked claim by claim.

A Cognito access token has no ``aud``: ``client_id`` and ``token_use`` take its place
(https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import jwt
from flask import request
from flask_jwt_extended import JWTManager, verify_jwt_in_request
from flask_jwt_extended.exceptions import InvalidHeaderError, JWTExtendedException, NoAuthorizationError

from service.domain.access import Principal, grants_of
from service.errors import Unauthenticated
from service.web.problems import NO_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from flask import Flask

LEEWAY_SECONDS: Final = 10


class Keys(Protocol):
    """Public keys by id; raises ``Unauthenticated``, ``Unavailable``."""

    def key(self, kid: str | None) -> RSAPublicKey:
        """The public key of that id."""


class Tokens:
    """Turns the request's bearer token into a principal."""

    def __init__(self, app: Flask, keys: Keys, issuer: str, client_ids: frozenset[str]) -> None:
        self._client_ids = client_ids
        app.config.update(
            # Naming it here and not only as accepted: else the default, HS256, is accepted beside it.
            JWT_ALGORITHM="RS256",
            JWT_DECODE_ALGORITHMS=["RS256"],
            JWT_DECODE_ISSUER=issuer,
            JWT_DECODE_AUDIENCE=None,
            JWT_DECODE_LEEWAY=LEEWAY_SECONDS,
            JWT_TOKEN_LOCATION=["headers"],
        )
        manager = JWTManager(app)

        @manager.decode_key_loader
        def key_for(header: Mapping[str, Any], _claims: Mapping[str, Any]) -> RSAPublicKey:
            kid = header.get("kid")
            return keys.key(kid if isinstance(kid, str) else None)

    def principal(self) -> Principal:
        """The caller of the current request. Raises ``Unauthenticated``, ``Unavailable``."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":  # RFC 9110: schemes are case-insensitive; the extension's check is not
            request.environ["HTTP_AUTHORIZATION"] = f"Bearer {credentials}"
        try:
            verified = verify_jwt_in_request()
        except (NoAuthorizationError, InvalidHeaderError) as error:
            raise Unauthenticated(NO_TOKEN) from error
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("the token has expired") from error
        except jwt.InvalidIssuerError as error:
            raise Unauthenticated("the token is from another issuer") from error
        except jwt.InvalidAlgorithmError as error:
            raise Unauthenticated("the token is not signed with RS256") from error
        except jwt.InvalidSignatureError as error:
            raise Unauthenticated("the token's signature is wrong") from error
        except jwt.ImmatureSignatureError as error:
            raise Unauthenticated("the token is not valid yet") from error
        except (jwt.PyJWTError, JWTExtendedException, ValueError) as error:
            raise Unauthenticated("the token is malformed or lacks a claim") from error
        if verified is None:
            raise Unauthenticated(NO_TOKEN)
        return _principal(verified[1], self._client_ids)


def _principal(claims: Mapping[str, Any], client_ids: frozenset[str]) -> Principal:
    if claims.get("token_use") != "access":
        raise Unauthenticated("the token is not an access token")
    if claims.get("client_id") not in client_ids:
        raise Unauthenticated("the token was issued to another client")
    expires = claims.get("exp")
    if not isinstance(expires, int | float):
        raise Unauthenticated("the token does not say when it expires")
    username = _name(claims, "username") if "username" in claims else None
    return Principal(
        subject=_name(claims, "sub"),
        username=username,
        client_id=claims["client_id"],
        token_id=_name(claims, "jti"),
        expires_at=datetime.fromtimestamp(expires, UTC),
        grants=grants_of(_texts(claims.get("cognito:groups")), _scopes(claims), machine=username is None),
    )


def _name(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise Unauthenticated("the token is malformed or lacks a claim")
    return value


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    scope = claims.get("scope")
    return scope.split() if isinstance(scope, str) else []
