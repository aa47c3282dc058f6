"""May this caller do this? Asked once for every request, before anything of it is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import g

from service.domain.access import Permission
from service.domain.names import ModelId, parse_model_id
from service.errors import Forbidden, Invisible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from service.audit.ports import AuditWorkspace, AuditWorkspaces
    from service.domain.access import Grant, Principal
    from service.ports import Workspace, Workspaces
    from service.web.bulkhead import Bulkhead


class Access(msgspec.Struct, frozen=True):
    """The rule of a route: open to all, to anybody signed in, or to holders of one of ``permissions``."""

    needs_token: bool = True
    permissions: tuple[Permission, ...] = ()


PUBLIC: Final = Access(needs_token=False)
SIGNED_IN: Final = Access()


def needs(*permissions: Permission) -> Access:
    """Open to callers whom some role allows one of ``permissions`` (in the route's team, if it has one)."""
    return Access(permissions=permissions)


class Gate(msgspec.Struct, frozen=True):
    """What deciding needs of the application; ``authenticate`` reads the current request's token."""

    authenticate: Callable[[], Principal]
    workspaces: Workspaces
    audit: AuditWorkspaces
    clock: Callable[[], datetime]
    bulkhead: Bulkhead


class Call(msgspec.Struct):
    """One request, decided: who calls, on what, with which body; the stores in the caller's name."""

    gate: Gate
    path: Mapping[str, str]
    caller: Principal | None = None
    grant: Grant | None = None
    named: ModelId | None = None
    body: Any = None
    _opened: dict[Grant, Workspace] = msgspec.field(default_factory=dict)

    @property
    def principal(self) -> Principal:
        """The caller; public routes have none."""
        if self.caller is None:
            message = "a public route has no caller"
            raise RuntimeError(message)
        return self.caller

    @property
    def model(self) -> ModelId:
        """The model the route names."""
        if self.named is None:
            message = "this route names no model"
            raise RuntimeError(message)
        return self.named

    @property
    def workspace(self) -> Workspace:
        """The stores under the grant that the decision found."""
        if self.grant is None:
            message = "this route was decided without a grant"
            raise RuntimeError(message)
        return self.under(self.grant)

    @property
    def audit(self) -> AuditWorkspace:
        """What is recorded, as the caller may read it. Raises ``Forbidden``."""
        grant = next(iter(self.principal.grants_for(Permission.AUDIT_READ)), None)
        if grant is None:
            raise _forbidden(self.principal, (Permission.AUDIT_READ,), None)
        g.role = grant.role.value
        return self.gate.audit.open(self.principal, grant)

    @property
    def now(self) -> datetime:
        """The time of this request."""
        return self.gate.clock()

    def under(self, grant: Grant) -> Workspace:
        """The stores under one of the caller's grants."""
        g.role = grant.role.value
        if grant not in self._opened:
            self._opened[grant] = self.gate.workspaces.open(self.principal, grant)
        return self._opened[grant]

    def narrowed_to(self, permission: Permission) -> Workspace:
        """The stores under a grant for ``permission``, where the route's own rule was wider.

        Raises ``Forbidden``.
        """
        grant = self.principal.grant_for(permission, self.model.team)
        if grant is None:
            raise _forbidden(self.principal, (permission,), self.model.team)
        return self.under(grant)


def decide(gate: Gate, access: Access, path: Mapping[str, str]) -> Call:
    """The call, if ``access`` lets the caller of the current request make it.

    Raises ``Unauthenticated``; ``Invisible`` for a team the caller may not see; ``Forbidden``;
    ``ValidationFailed`` for names that cannot be.
    """
    if not access.needs_token:
        return Call(gate, path)
    principal = gate.authenticate()
    g.principal = principal
    call = Call(gate, path, caller=principal)
    if "team" in path:
        call.named = parse_model_id(path["team"], path["model"])
        g.model = str(call.named)
    if not access.permissions:
        return call
    if call.named is None:
        if not any(principal.grants_for(permission) for permission in access.permissions):
            raise _forbidden(principal, access.permissions, None)
        return call
    team = call.named.team
    if not principal.sees(team):
        message = f"no model {call.named}"
        raise Invisible(message)
    grants = (principal.grant_for(permission, team) for permission in access.permissions)
    call.grant = next((grant for grant in grants if grant), None)
    if call.grant is None:
        raise _forbidden(principal, access.permissions, team)
    return call


def _forbidden(principal: Principal, permissions: tuple[Permission, ...], team: str | None) -> Forbidden:
    needed = " or ".join(permissions)
    where = f" in team {team}" if team else ""
    held = ", ".join(
        f"{grant.role}@{grant.team}" if grant.team else grant.role.value for grant in principal.grants
    )
    return Forbidden(f"this needs {needed}{where}; {principal.name} holds {held or 'no role'}")
