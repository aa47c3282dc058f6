"""Who may do what: roles, permissions, and the people and machines that hold them.

This is the service's own layer, which gives the clear error; the IAM policies of the personas in
``infra/policies`` are the second, independent one.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from service.domain.names import TEAM

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

SCOPE_PREFIX: Final = "smas/"
# What AWS takes as a source identity (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
# Above all no slash: in a key, "x/me" would end like mine and name another.
_SUBJECT: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


def is_subject(text: str) -> bool:
    """Whether ``text`` can be somebody's stable identity."""
    return bool(_SUBJECT.fullmatch(text))


class Permission(StrEnum):
    """What a route may ask for, as ``resource:action``."""

    MODEL_READ = "model:read"
    MODEL_WRITE = "model:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    UPLOAD_WRITE = "upload:write"
    VERSION_PUBLISH = "version:publish"
    VERSION_READ = "version:read"
    VERSION_DOWNLOAD = "version:download"
    ALIAS_READ = "alias:read"
    ALIAS_WRITE = "alias:write"
    ALIAS_PROTECT = "alias:protect"
    AUDIT_READ = "audit:read"


class Role(StrEnum):
    """The roles of the store; each is a persona in IAM.

    The order is the order of preference when several of a caller's roles allow the same thing: the
    team's own roles before those that see every team, and the narrowest reader last.
    """

    DATA_SCIENTIST = "data-scientist"
    APPROVER = "approver"
    COMPLIANCE = "compliance"
    AUDITOR = "auditor"
    CUSTODIAN = "custodian"
    DEPLOYER = "deployer"

    @property
    def of_a_team(self) -> bool:
        """Whether the role is held in one team, rather than over all of them."""
        return self in {Role.DATA_SCIENTIST, Role.APPROVER, Role.DEPLOYER}


_READ_RECORDS: Final = frozenset(
    {Permission.MODEL_READ, Permission.SETTINGS_READ, Permission.VERSION_READ, Permission.ALIAS_READ}
)

ALLOWED: Final[dict[Role, frozenset[Permission]]] = {
    Role.DATA_SCIENTIST: _READ_RECORDS
    | {
        Permission.MODEL_WRITE,
        Permission.UPLOAD_WRITE,
        Permission.VERSION_PUBLISH,
        Permission.VERSION_DOWNLOAD,
        Permission.ALIAS_WRITE,
    },
    Role.APPROVER: _READ_RECORDS
    | {Permission.SETTINGS_WRITE, Permission.VERSION_DOWNLOAD, Permission.ALIAS_PROTECT},
    Role.COMPLIANCE: _READ_RECORDS | {Permission.VERSION_DOWNLOAD, Permission.AUDIT_READ},
    Role.AUDITOR: _READ_RECORDS | {Permission.AUDIT_READ},
    Role.CUSTODIAN: _READ_RECORDS,
    # A deployer's downloads are narrowed further to released versions: service.registry.downloads.
    Role.DEPLOYER: _READ_RECORDS | {Permission.VERSION_DOWNLOAD},
}


class Grant(msgspec.Struct, frozen=True):
    """A role as held: in one team, or (``team`` is None) over all of them."""

    role: Role
    team: str | None

    def covers(self, team: str) -> bool:
        """Whether the grant reaches into ``team``."""
        return self.team is None or self.team == team


class Principal(msgspec.Struct, frozen=True):
    """An authenticated caller.

    ``subject`` is the stable identity (Cognito's ``sub``; a machine's client id), ``username`` the name
    a person signs in with (None for machines), ``token_id`` the token's ``jti``.
    """

    subject: str
    username: str | None
    client_id: str
    token_id: str
    expires_at: datetime
    grants: tuple[Grant, ...] = ()

    @property
    def name(self) -> str:
        """What the store shows as this caller's name."""
        return self.username or self.subject

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """Everything some grant allows, in a stable order."""
        return tuple(sorted(frozenset().union(*(ALLOWED[grant.role] for grant in self.grants))))

    def sees(self, team: str) -> bool:
        """Whether any grant reaches into ``team``; if none does, the team does not exist for the caller."""
        return any(grant.covers(team) for grant in self.grants)

    def grant_for(self, permission: Permission, team: str) -> Grant | None:
        """The preferred grant that allows ``permission`` in ``team``, or None."""
        return next(
            (grant for grant in self.grants if grant.covers(team) and permission in ALLOWED[grant.role]),
            None,
        )

    def grants_for(self, permission: Permission) -> tuple[Grant, ...]:
        """The grants that together reach every team where ``permission`` is allowed, without overlap.

        One grant over all teams makes the others superfluous; otherwise one grant a team.
        """
        holding = [grant for grant in self.grants if permission in ALLOWED[grant.role]]
        everywhere = next((grant for grant in holding if grant.team is None), None)
        if everywhere:
            return (everywhere,)
        by_team: dict[str, Grant] = {}
        for grant in holding:
            by_team.setdefault(str(grant.team), grant)
        return tuple(by_team[team] for team in sorted(by_team))


def parse_grant(text: str) -> Grant | None:
    """A grant from its written form, ``role@team`` or ``role``; None for anything else.

    Pools hold groups that mean nothing here, so an unknown one grants nothing instead of failing.
    """
    name, at, team = text.partition("@")
    if name not in set(Role):
        return None
    role = Role(name)
    if role.of_a_team:
        return Grant(role, team) if TEAM.fullmatch(team) else None
    return None if at else Grant(role, None)


def grants_of(groups: Iterable[str], scopes: Iterable[str], *, machine: bool) -> tuple[Grant, ...]:
    """The grants a token carries: a person's from groups, a machine's from ``smas/`` scopes.

    The two never mix: what a person's client may request as a scope must not become a role.
    """
    if machine:
        written = (scope.removeprefix(SCOPE_PREFIX) for scope in scopes if scope.startswith(SCOPE_PREFIX))
    else:
        written = (group for group in groups)
    order = list(Role)
    grants = {grant for grant in map(parse_grant, written) if grant}
    return tuple(sorted(grants, key=lambda grant: (order.index(grant.role), grant.team or "")))
