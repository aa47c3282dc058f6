"""Amazon Cognito's API in LocalStack: moto's, but for what it gets wrong about signing in."""
# LocalStack and moto are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator, no-any-return"

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localstack.aws.api import CommonServiceException
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import Service, aws_provider

from smas_emulator.cognito import auth_flows, tokens
from smas_emulator.cognito.app_clients import fault_of_redirect_url
from smas_emulator.localstack_binding.cognito_pages import serve_cognito_pages
from smas_emulator.localstack_binding.cognito_pools import Pools
from smas_emulator.localstack_binding.cognito_tokens import (
    client_of,
    find_pool,
    make_cognito_keep_its_own_keys,
    read_access_token,
    usable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cognito_idp", "make_cognito_keep_its_own_keys", "serve_cognito_pages"]


@aws_provider(api="cognito-idp")
def cognito_idp() -> Service:
    """Cognito user pools: moto's, but for what it gets wrong about signing in."""
    model = load_service("cognito-idp")
    operations: dict[str, Any] = {}
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        of_a_person = shape is not None and "AccessToken" in shape.members
        operations[name] = _with_access_token(_proxy_moto) if of_a_person else _proxy_moto
    operations["InitiateAuth"] = _initiate_auth
    operations["AdminInitiateAuth"] = _initiate_auth
    operations["RevokeToken"] = _revoke_token
    operations["CreateUserPoolClient"] = _change_client
    operations["UpdateUserPoolClient"] = _change_client
    operations["SetRiskConfiguration"] = _set_risk_configuration
    operations["DescribeRiskConfiguration"] = _describe_risk_configuration
    operations["UpdateResourceServer"] = _update_resource_server
    operations["DeleteResourceServer"] = _delete_resource_server
    return Service("cognito-idp", skeleton=Skeleton(model, operations))


def _initiate_auth(context: Any, request: dict[str, Any]) -> Any:
    """Refuse what moto never looks at: flows that the client does not allow, and others' refresh tokens."""
    found = client_of(request["ClientId"])
    if found is None:
        return _proxy_moto(context, request)
    pool, client = found
    flow = request["AuthFlow"]
    if not auth_flows.allows(client.extended_config.get("ExplicitAuthFlows"), flow):
        raise CommonServiceException("InvalidParameterException", f"{flow} flow not enabled for this client")
    if flow in {"REFRESH_TOKEN", "REFRESH_TOKEN_AUTH"}:
        token = (request.get("AuthParameters") or {}).get("REFRESH_TOKEN", "")
        held = usable(pool, client.id, token)
        if held is None:
            reason = (
                "Refresh Token has been revoked" if token in pool.refresh_tokens else "Invalid Refresh Token"
            )
            raise CommonServiceException("NotAuthorizedException", reason)
        user = pool.users.get(held[1])
        if user is None or not user.enabled:
            raise CommonServiceException("NotAuthorizedException", "User is disabled.")
    return _proxy_moto(context, request)


def _revoke_token(_context: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Make a refresh token useless, which moto can't; as RFC 7009 has it, also one that already is.

    As in AWS, only by the client it was given to, and by a confidential one only with its secret.
    """
    pools = Pools()
    client = pools.find_client(request["ClientId"])
    if client is None:
        raise CommonServiceException("InvalidParameterException", "Invalid client id", status_code=400)
    if client.secret is not None and request.get("ClientSecret") != client.secret:
        raise CommonServiceException("UnauthorizedException", "Invalid client secret", status_code=400)
    pools.revoke(client, request["Token"])
    return {}


def _change_client(context: Any, request: dict[str, Any]) -> Any:
    """Refuse a redirect that AWS would not let a client have."""
    for member in ("CallbackURLs", "LogoutURLs"):
        for url in request.get(member) or ():
            if fault := fault_of_redirect_url(url):
                raise CommonServiceException("InvalidParameterException", f"{member}: {url} {fault}")
    return _proxy_moto(context, request)


def _set_risk_configuration(_context: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Keep what is to be done about risky sign-ins, of a pool or of one client, which moto has no place for.

    Nothing acts on it: no sign-in is risky here.
    """
    pool, client_id = _pool_and_client(request)
    now = datetime.now(UTC)
    kept = {name: value for name, value in request.items() if value is not None}
    pool.smas_risks[client_id] = {**kept, "LastModifiedDate": now}
    return {"RiskConfiguration": pool.smas_risks[client_id]}


def _describe_risk_configuration(_context: Any, request: dict[str, Any]) -> dict[str, Any]:
    """A client's own, else its pool's; as in AWS, one that nobody set names only whose it is."""
    pool, client_id = _pool_and_client(request)
    nothing = {name: value for name, value in request.items() if value is not None}
    return {"RiskConfiguration": pool.smas_risks.get(client_id, pool.smas_risks.get(None, nothing))}


def _update_resource_server(_context: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Give it another name and other scopes: those that are left out are gone."""
    pool = _pool_with_server(request)
    server = pool.resource_servers[request["Identifier"]]
    server.name, server.scopes = request["Name"], request.get("Scopes") or []
    return {"ResourceServer": server.to_json()}


def _delete_resource_server(_context: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Take it away with its scopes."""
    del _pool_with_server(request).resource_servers[request["Identifier"]]
    return {}


def _pool_with_server(request: dict[str, Any]) -> Any:
    pool = find_pool(request["UserPoolId"])
    if pool is None or request["Identifier"] not in pool.resource_servers:
        raise CommonServiceException("ResourceNotFoundException", "Resource server does not exist.")
    return pool


def _pool_and_client(request: dict[str, Any]) -> tuple[Any, str | None]:
    pool, client_id = find_pool(request["UserPoolId"]), request.get("ClientId")
    if pool is None or client_id not in {None, *pool.clients}:
        missing = f"User pool {request['UserPoolId']}" if pool is None else f"User pool client {client_id}"
        raise CommonServiceException("ResourceNotFoundException", f"{missing} does not exist.")
    return pool, client_id


def _with_access_token(proceed: Callable[[Any, dict[str, Any]], Any]) -> Callable[..., Any]:
    """Let a person's access token be used for what it was granted, as long as it is good.

    "The access token can be only used against Amazon Cognito User Pools if" it has that scope
    (https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html).
    """

    def checked(context: Any, request: dict[str, Any]) -> Any:
        if "AccessToken" in request:
            claims = read_access_token(request["AccessToken"])
            if claims is None:
                raise CommonServiceException("NotAuthorizedException", "Invalid Access Token")
            if tokens.PASSWORD_SIGN_IN_SCOPE not in claims["scope"].split():
                raise CommonServiceException(
                    "NotAuthorizedException", "Access Token does not have required scopes"
                )
        return proceed(context, request)

    return checked
