"""Provisions the Cognito user pool: clients, scopes, groups and the people of the local stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from smas_emulator import seed

PASSWORD_POLICY = {
    "MinimumLength": 12,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 1,
}
_PAGE = 60  # the most Cognito lists at once; the local pool has fewer of everything
# Where `smas login` waits for the browser, on the first of these ports that is free. Cognito compares
# callback URLs to the letter, ports included, and takes http for loopback addresses alone (API reference,
# CreateUserPoolClient, CallbackURLs). 127.0.0.1 and not localhost, which may be ::1 (RFC 8252, section 8.3).
SIGN_IN_CALLBACKS = tuple(f"http://127.0.0.1:{port}/callback" for port in (18390, 18391, 18392))


@dataclass(frozen=True, slots=True)
class UserPool:
    """The pool and its clients."""

    id: str
    people_client_id: str
    machine_client_id: str
    machine_client_secret: str = field(repr=False)


def provision_user_pool(cognito: Any) -> UserPool:
    """Make sure pool, clients, resource server, groups and users exist.

    Clients are brought to what they should be; whatever else exists stays as it is.
    """
    pool_id = _provision_pool(cognito)
    _provision_resource_server(cognito, pool_id)
    people = _provision_client(
        cognito,
        pool_id,
        seed.PEOPLE_CLIENT,
        GenerateSecret=False,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "profile", "email"],
        CallbackURLs=list(SIGN_IN_CALLBACKS),
        SupportedIdentityProviders=["COGNITO"],
    )
    machine = _provision_client(
        cognito,
        pool_id,
        seed.MACHINE_CLIENT,
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],  # an empty list would mean Cognito's defaults
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=list(seed.MACHINE_SCOPES),
    )
    _provision_groups(cognito, pool_id)
    provision_users(cognito, pool_id)
    return UserPool(
        id=pool_id,
        people_client_id=people["ClientId"],
        machine_client_id=machine["ClientId"],
        machine_client_secret=machine["ClientSecret"],
    )


def _provision_pool(cognito: Any) -> str:
    for pool in cognito.list_user_pools(MaxResults=_PAGE)["UserPools"]:
        if pool["Name"] == seed.POOL:
            return str(pool["Id"])
    made = cognito.create_user_pool(
        PoolName=seed.POOL,
        Policies={"PasswordPolicy": PASSWORD_POLICY},
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
    )
    return str(made["UserPool"]["Id"])


def _provision_resource_server(cognito: Any, pool_id: str) -> None:
    # A scope name may hold any of [\x21\x23-\x2E\x30-\x5B\x5D-\x7E], so `@` too, but no `/` (API reference,
    # ResourceServerScopeType).
    scopes = [{"ScopeName": scope, "ScopeDescription": f"act as {scope}"} for scope in seed.machine_scopes()]
    servers = cognito.list_resource_servers(UserPoolId=pool_id, MaxResults=50)["ResourceServers"]
    wanted = {"Identifier": seed.RESOURCE_SERVER, "Name": seed.RESOURCE_SERVER, "Scopes": scopes}
    if seed.RESOURCE_SERVER not in {server["Identifier"] for server in servers}:
        cognito.create_resource_server(UserPoolId=pool_id, **wanted)


def _provision_client(cognito: Any, pool_id: str, name: str, **configuration: Any) -> dict[str, Any]:
    """Return the client's description, with its secret where it has one; one that differs is changed."""
    clients = cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=_PAGE)["UserPoolClients"]
    client_id = next((client["ClientId"] for client in clients if client["ClientName"] == name), None)
    if client_id is None:
        created = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName=name, **configuration)
        client_id = created["UserPoolClient"]["ClientId"]
    described = cognito.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id)["UserPoolClient"]
    # Whether there is a secret is decided when a client is made.
    wanted = {member: value for member, value in configuration.items() if member != "GenerateSecret"}
    if any(described.get(member) != value for member, value in wanted.items()):
        # What is left out here would fall back to Cognito's defaults (API reference, UpdateUserPoolClient).
        cognito.update_user_pool_client(UserPoolId=pool_id, ClientId=client_id, ClientName=name, **wanted)
    return dict(described)


def _provision_groups(cognito: Any, pool_id: str) -> None:
    present = {group["GroupName"] for group in cognito.list_groups(UserPoolId=pool_id, Limit=_PAGE)["Groups"]}
    for group in seed.groups():
        if group not in present:
            cognito.create_group(UserPoolId=pool_id, GroupName=group)


def provision_users(cognito: Any, pool_id: str) -> None:
    """Make sure that the local users exist, in their groups; who exists stays as they are."""
    present = {user["Username"] for user in cognito.list_users(UserPoolId=pool_id, Limit=_PAGE)["Users"]}
    for user in seed.LOCAL_USERS:
        if user.name in present:
            continue
        cognito.admin_create_user(UserPoolId=pool_id, Username=user.name, MessageAction="SUPPRESS")
        # Permanent, or the first sign-in would be a challenge to choose a new one.
        cognito.admin_set_user_password(
            UserPoolId=pool_id, Username=user.name, Password=seed.LOCAL_PASSWORD, Permanent=True
        )
        for group in user.groups:
            cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=user.name, GroupName=group)
