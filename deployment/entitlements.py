"""Who holds which role, read from where it is decided: the user pool, its clients, the roles' trust policies.

A group is read with all its members, so that there are as many calls as there are pages, not as there are
users. Roles are written as groups and scopes are: `data-scientist@fraud`, `auditor`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from deployment.store import Store

TEAM_ROLES: Final = ("data-scientist", "approver", "deployer")
GLOBAL_ROLES: Final = ("auditor", "compliance", "custodian")
# What the store's processes act in; whoever could assume these would be more than any person.
OWN_ROLES: Final = ("service", "worker", "verifier-scanning", "verifier-tagging", "watch")
# Those that only Terraform makes, and the one that is there with a copy.
_DEPLOYED: Final = ("token-groups", "trail-log-group")
_COPYING: Final = "replication"
# Which service of AWS may take one up.
_SERVICES: Final = {
    "service": "lambda.amazonaws.com",
    "worker": "lambda.amazonaws.com",
    "token-groups": "lambda.amazonaws.com",
    "trail-log-group": "cloudtrail.amazonaws.com",
    _COPYING: "s3.amazonaws.com",
}
_ASSUMING: Final = ("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity")
_FEDERATED: Final = "EXTERNAL_PROVIDER"
_GROUPS_ATTRIBUTE: Final = "custom:groups"
_PAGE: Final = 60  # the most that Cognito lists at once


@dataclass(frozen=True, slots=True)
class Entitlement:
    """That somebody holds a role; without a role: that somebody is there and holds none.

    `kind` is person, machine or iam; `identity` is the source identity of the sessions, where one person or
    machine has it; `through` says what gives the role.
    """

    kind: str
    who: str
    identity: str
    role: str
    team: str
    through: str
    enabled: bool
    status: str = ""
    mfa: str = ""
    email: str = ""
    created: datetime | None = None
    changed: datetime | None = None
    remarks: tuple[str, ...] = ()


def role_of(text: str) -> tuple[str, str] | None:
    """Role and team of a group's or scope's name, None for one that gives none."""
    role, at, team = text.partition("@")
    if role in TEAM_ROLES and team:
        return role, team
    return (role, "") if role in GLOBAL_ROLES and not at else None


def people(
    cognito: Any, store: Store, *, barred: frozenset[str] = frozenset(), each_device: bool = False
) -> Iterator[Entitlement]:
    """Every user of the pool, once a role, or once without.

    `each_device` asks for everybody's second factor by name, which is one call a user.
    """
    pool = store.user_pool_id
    required = cognito.get_user_pool_mfa_config(UserPoolId=pool).get("MfaConfiguration", "OFF")
    members = _members(cognito, pool)
    for page in cognito.get_paginator("list_users").paginate(
        UserPoolId=pool, PaginationConfig={"PageSize": _PAGE}
    ):
        for user in page["Users"]:
            mfa = _factors(cognito, pool, user) if each_device else _factor_by_rule(user, required)
            groups = members.get(user["Username"], ())
            yield from _of_user(user, groups, store.provider_groups, mfa, barred)


def _members(cognito: Any, pool: str) -> dict[str, list[str]]:
    """The groups of each user that give a role."""
    found: dict[str, list[str]] = defaultdict(list)
    for page in cognito.get_paginator("list_groups").paginate(UserPoolId=pool):
        for group in page["Groups"]:
            name = group["GroupName"]
            if role_of(name) is None:
                continue
            pages = cognito.get_paginator("list_users_in_group").paginate(
                UserPoolId=pool, GroupName=name, PaginationConfig={"PageSize": _PAGE}
            )
            for users in pages:
                for user in users["Users"]:
                    found[user["Username"]].append(name)
    return found


def _factor_by_rule(user: Mapping[str, Any], required: str) -> str:
    if user["UserStatus"] == _FEDERATED:
        return "by the provider"
    return {"ON": "required", "OPTIONAL": "optional"}.get(required, "off")


def _factors(cognito: Any, pool: str, user: Mapping[str, Any]) -> str:
    if user["UserStatus"] == _FEDERATED:
        return "by the provider"
    found = cognito.admin_get_user(UserPoolId=pool, Username=user["Username"])
    return ", ".join(found.get("UserMFASettingList", ())) or "none"


def _of_user(
    user: Mapping[str, Any],
    groups: Sequence[str],
    provider_groups: Mapping[str, Mapping[str, Sequence[str]]],
    mfa: str,
    barred: frozenset[str],
) -> Iterator[Entitlement]:
    attributes = {each["Name"]: each["Value"] for each in user.get("Attributes", ())}
    identity = attributes.get("sub", "")
    providers = [each["providerName"] for each in json.loads(attributes.get("identities") or "[]")]
    federated = user["UserStatus"] == _FEDERATED or bool(providers)
    held = (
        provided(attributes.get(_GROUPS_ATTRIBUTE, ""), providers, user["UserStatus"], provider_groups)
        if federated
        else {name: f"group {name}" for name in groups}
    )
    template = Entitlement(
        kind="person",
        who=user["Username"],
        identity=identity,
        role="",
        team="",
        through="",
        enabled=user["Enabled"],
        status=user["UserStatus"],
        mfa=mfa,
        email=attributes.get("email", ""),
        created=user.get("UserCreateDate"),
        changed=user.get("UserLastModifiedDate"),
    )
    always = _remarks(template, held, barred)
    if federated and groups:
        always = (*always, "groups of the pool do not count for people of a provider")
    if not held:
        yield replace(template, remarks=("no role", *always))
    for name, through in sorted(held.items()):
        role, team = role_of(name) or ("", "")
        both = role in {"data-scientist", "approver"} and {
            f"data-scientist@{team}",
            f"approver@{team}",
        } <= set(held)
        remarks = (*always, f"publishes and approves in {team}") if both else always
        yield replace(template, role=role, team=team, through=through, remarks=remarks)


def _remarks(person: Entitlement, held: Iterable[str], barred: frozenset[str]) -> tuple[str, ...]:
    """What whoever reviews should look at."""
    found = []
    if person.identity in barred:
        found.append("barred")
    if not person.enabled and held:
        found.append("disabled, still holds the role")
    if person.status == "FORCE_CHANGE_PASSWORD":
        found.append("never signed in")
    if person.mfa in {"off", "none", "optional"}:
        found.append("second factor not required" if person.mfa != "none" else "no second factor")
    return tuple(found)


def provided(
    said: str,
    providers: Sequence[str],
    status: str,
    provider_groups: Mapping[str, Mapping[str, Sequence[str]]],
) -> dict[str, str]:
    """The roles that an identity provider's word gives, each with what gave it: as at the next sign-in.

    The same rule as the pool's trigger has (service/aws_lambda/token_groups.py).
    """
    if status != _FEDERATED or len(providers) != 1:
        return {}
    meant = provider_groups.get(providers[0], {})
    return {
        role: f"{providers[0]}'s group {name}"
        for name in reversed(_names(said))
        for role in meant.get(name, ())
    }


def _names(said: str) -> list[str]:
    """The names in an attribute that is a list as JSON, or names with commas between, in brackets or not."""
    text = said.strip()
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return [name for each in inside.split(",") if (name := each.strip())]


def machines(cognito: Any, store: Store, *, barred: frozenset[str] = frozenset()) -> Iterator[Entitlement]:
    """Every client of the pool that has a token of its own, once a scope; one call a client."""
    pool = store.user_pool_id
    for page in cognito.get_paginator("list_user_pool_clients").paginate(UserPoolId=pool):
        for listed in page["UserPoolClients"]:
            client = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=listed["ClientId"])[
                "UserPoolClient"
            ]
            if "client_credentials" not in client.get("AllowedOAuthFlows", ()):
                continue
            for scope in client.get("AllowedOAuthScopes", ()):
                role, team = role_of(scope.removeprefix("smas/")) or ("", "")
                yield Entitlement(
                    kind="machine",
                    who=client["ClientName"],
                    identity=client["ClientId"],
                    role=role,
                    team=team,
                    through=f"scope {scope}",
                    enabled=True,
                    status="CLIENT",
                    created=client.get("CreationDate"),
                    changed=client.get("LastModifiedDate"),
                    remarks=("barred",) if client["ClientId"] in barred else (),
                )


def principals(iam: Any, store: Store) -> Iterator[Entitlement]:
    """Whoever may assume a role of the store, by its trust policy; one call a role."""
    expected = f"arn:{store.partition}:iam::{store.account}:role/{store.name}-"
    own = _own_roles(store)
    for role in (*TEAM_ROLES, *GLOBAL_ROLES, *own):
        found = iam.get_role(RoleName=store.role(role))["Role"]
        for statement in _listed(found["AssumeRolePolicyDocument"]["Statement"]):
            if not _lets_in(statement):
                continue
            # NotPrincipal names those few whom it does not let in.
            principal = statement.get("Principal", "*")
            named = {"AWS": principal} if isinstance(principal, str) else principal
            for who in (each for several in named.values() for each in _listed(several)):
                yield Entitlement(
                    kind="iam",
                    who=who,
                    identity="",
                    role=role,
                    team="",
                    through=f"trust policy, {statement.get('Sid', 'a statement without a name')}",
                    enabled=True,
                    created=found.get("CreateDate"),
                    remarks=_of_principal(who, expected, _SERVICES.get(role), own=role in own),
                )


def _own_roles(store: Store) -> tuple[str, ...]:
    """What the store's processes act in, and AWS's services for it; the local stack has fewer."""
    if store.infra is None:
        return OWN_ROLES
    return (*OWN_ROLES, *_DEPLOYED, *([_COPYING] if store.copy is not None else []))


def _lets_in(statement: Mapping[str, Any]) -> bool:
    """Whether a statement lets somebody take up the role: in any case and with wildcards, as IAM reads it."""
    if statement["Effect"] != "Allow":
        return False
    # NotAction names those few that it does not allow.
    patterns = [pattern.lower() for pattern in _listed(statement.get("Action", "*"))]
    return any(fnmatchcase(action, pattern) for action in _ASSUMING for pattern in patterns)


def _of_principal(who: str, expected: str, service: str | None, *, own: bool) -> tuple[str, ...]:
    if "*" in who or who.endswith(":root") or who.isdigit():
        return ("anybody there",)
    if own and not who.startswith(expected) and who != service:
        return ("not a part of the store",)
    if not who.startswith("arn:") and not who.endswith(".amazonaws.com"):
        return ("a principal that has been deleted",)  # IAM shows its unique id then
    return ()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
