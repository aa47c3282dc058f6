"""Amazon Cognito in LocalStack: moto's, with keys, rules and pages of our own."""
# LocalStack and moto are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator, no-any-return"

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from localstack.aws.api import CommonServiceException
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.http import Request, Response
from localstack.services.edge import ROUTER
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import Service, aws_provider
from moto.cognitoidp.models import CognitoIdpUserPool, cognitoidp_backends

from smas_emulator.cognito import auth_flows, tokens
from smas_emulator.cognito.token_endpoint import ConfidentialClient, answer_token_request

if TYPE_CHECKING:
    from collections.abc import Iterator

# A pool's id in a path; no bucket can have that name, because buckets have no `_`.
_POOL = '<regex("[a-z]{2}(?:-[a-z]+)+-[0-9]_[0-9a-zA-Z]+"):pool_id>'


@aws_provider(api="cognito-idp")
def cognito_idp() -> Service:
    """Cognito user pools: moto's, but for what it gets wrong about signing in."""
    model = load_service("cognito-idp")
    operations: dict[str, Any] = dict.fromkeys(model.operation_names, _proxy_moto)
    operations["InitiateAuth"] = _initiate_auth
    operations["AdminInitiateAuth"] = _initiate_auth
    operations["RevokeToken"] = _revoke_token
    return Service("cognito-idp", skeleton=Skeleton(model, operations))


def make_cognito_keep_its_own_keys() -> None:
    """Give every user pool its own two keys at creation, and take moto's away.

    moto signs the tokens of every pool in the world with one private key that ships in its package: whoever
    has moto could sign in anywhere as anybody. The attribute that held it is deleted, so that nothing can
    fall back on it.
    """
    original_init = CognitoIdpUserPool.__init__

    def init_with_own_keys(pool: Any, *args: Any, **kwargs: Any) -> None:
        original_init(pool, *args, **kwargs)
        del pool.json_web_key
        pool.smas_keys = tokens.PoolKeys.generate()
        pool.smas_auth_times = {}  # by origin_jti: a refreshed token keeps the time of its sign-in

    CognitoIdpUserPool.__init__ = init_with_own_keys
    CognitoIdpUserPool.create_jwt = _create_jwt


def _create_jwt(
    pool: Any,
    client_id: str,
    username: str,
    token_use: str,
    _expires_in: int = tokens.DEFAULT_VALIDITY_SECONDS,
    extra_data: dict[str, Any] | None = None,
) -> tuple[str, int]:
    """Stand in for moto's `CognitoIdpUserPool.create_jwt`: its arguments, Cognito's claims, our key."""
    now = int(time.time())
    attributes = dict(extra_data or {})
    groups = tuple(
        sorted(attributes.pop("cognito:groups", ()))
    )  # moto keeps a set; the same person, the same order
    origin_jti = attributes.pop("origin_jti")
    client = pool.clients[client_id].extended_config
    user = pool._get_user(username)  # noqa: SLF001 - how moto looks up by alias
    sign_in = tokens.SignIn(
        issuer=tokens.issuer(pool.region, pool.id),
        client_id=client_id,
        subject=user.id,
        username=user.username,
        groups=groups,
        origin_jti=origin_jti,
        auth_time=pool.smas_auth_times.setdefault(origin_jti, now),
    )
    if token_use == "access":  # noqa: S105 - a kind of token
        lifetime = tokens.validity_seconds(client, "AccessToken")
        claims = tokens.person_access_claims(sign_in, now=now, lifetime=lifetime)
        return pool.smas_keys.access_token.sign(claims), lifetime
    lifetime = tokens.validity_seconds(client, "IdToken")
    claims = tokens.person_id_claims(sign_in, attributes, now=now, lifetime=lifetime)
    return pool.smas_keys.id_token.sign(claims), lifetime


def _initiate_auth(context: Any, request: dict[str, Any]) -> Any:
    """Refuse a flow that the client does not allow, which moto never looks at; otherwise as moto answers."""
    found = _find_client(request["ClientId"])
    if found is not None:
        _pool, client = found
        if not auth_flows.allows(client.extended_config.get("ExplicitAuthFlows"), request["AuthFlow"]):
            raise CommonServiceException(
                "InvalidParameterException", f"{request['AuthFlow']} flow not enabled for this client"
            )
    return _proxy_moto(context, request)


def _revoke_token(_context: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Make a refresh token useless, which moto can't; as RFC 7009 has it, also one that already is.

    As in AWS, only by the client it was given to, and by a confidential one only with its secret.
    """
    found = _find_client(request["ClientId"])
    if found is None:
        raise CommonServiceException("InvalidParameterException", "Invalid client id", status_code=400)
    pool, client = found
    if client.generate_secret and request.get("ClientSecret") != client.secret:
        raise CommonServiceException("UnauthorizedException", "Invalid client secret", status_code=400)
    granted = pool.refresh_tokens.get(request["Token"])
    if granted is not None and granted[0] == client.id:
        pool.refresh_tokens[request["Token"]] = None
    return {}


def serve_cognito_pages() -> None:
    """Add the pages that Cognito serves beside its API: LocalStack would take their paths for buckets."""
    ROUTER.add(f"/{_POOL}/.well-known/jwks.json", _key_set, methods=["GET"])
    ROUTER.add(f"/{_POOL}/.well-known/openid-configuration", _openid_configuration, methods=["GET"])
    ROUTER.add("/oauth2/token", _token, methods=["POST"])


def _key_set(_request: Request, pool_id: str) -> Response:
    pool = _find_pool(pool_id)
    if pool is None:
        return _no_such_pool(pool_id)
    return _json(200, pool.smas_keys.key_set(), {"Cache-Control": "public, max-age=86400"})


def _openid_configuration(request: Request, pool_id: str) -> Response:
    pool = _find_pool(pool_id)
    if pool is None:
        return _no_such_pool(pool_id)
    served_at = request.host_url.rstrip("/")
    return _json(200, tokens.openid_configuration(tokens.issuer(pool.region, pool.id), served_at, pool.id))


def _token(request: Request) -> Response:
    def find(client_id: str) -> ConfidentialClient | None:
        found = _find_client(client_id)
        if found is None:
            return None
        _pool, client = found
        allowed = client.extended_config
        return ConfidentialClient(
            id=client.id,
            secret=client.secret if client.generate_secret else None,
            # Cognito has no OAuth for a client that does not say AllowedOAuthFlowsUserPoolClient.
            flows=frozenset(allowed.get("AllowedOAuthFlows") or ())
            if allowed.get("AllowedOAuthFlowsUserPoolClient")
            else frozenset(),
            scopes=tuple(allowed.get("AllowedOAuthScopes") or ()),
        )

    def mint(client: ConfidentialClient, scopes: tuple[str, ...]) -> tuple[str, int]:
        found = _find_client(client.id)
        if found is None:
            msg = f"client {client.id} vanished during its request"
            raise LookupError(msg)
        pool, moto_client = found
        lifetime = tokens.validity_seconds(moto_client.extended_config, "AccessToken")
        claims = tokens.machine_access_claims(
            tokens.issuer(pool.region, pool.id), client.id, scopes, now=int(time.time()), lifetime=lifetime
        )
        return pool.smas_keys.access_token.sign(claims), lifetime

    body = request.get_data(as_text=True)
    answer = answer_token_request(body, request.headers.get("Authorization"), find, mint)
    return _json(answer.status, answer.body, {"Cache-Control": "no-store", "Pragma": "no-cache"})


def _pools() -> Iterator[Any]:
    for account in list(cognitoidp_backends.values()):
        for backend in list(account.values()):
            yield from list(backend.user_pools.values())


def _find_pool(pool_id: str) -> Any | None:
    return next((pool for pool in _pools() if pool.id == pool_id), None)


def _find_client(client_id: str) -> tuple[Any, Any] | None:
    """The pool and the app client of this id; ids are unique across pools, as in AWS."""
    for pool in _pools():
        if client_id in pool.clients:
            return pool, pool.clients[client_id]
    return None


def _no_such_pool(pool_id: str) -> Response:
    return _json(404, {"message": f"User pool {pool_id} does not exist."})


def _json(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, {"Content-Type": "application/json", **(headers or {})})
