"""Whom a resource's policy names, and whether that is the caller.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from smas_emulator.gateway.principals import (
    PARTITION,
    Anonymous,
    IamUser,
    Principal,
    RoleSession,
    Root,
    ServicePrincipal,
)

EVERYBODY = "*"


class Named(IntEnum):
    """How closely a caller is named, the closest last."""

    NOT = 0
    BY_ACCOUNT = 1  # which may give leave by policies of its own
    BY_ROLE = 2  # within what the session's policy allows
    ITSELF = 3


@dataclass(frozen=True, slots=True)
class NamedPrincipals:
    """The principals of one statement, as written; federated ones are nobody here.

    `negated` is `NotPrincipal`: everybody is meant but whoever is named in full, that is with account, role
    and session (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html).
    """

    negated: bool
    aws: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    def named(self, principal: Principal) -> Named:
        """How closely the statement names a caller.

        `*` is everybody, services of AWS too, and names the very session: what it gives is not limited by a
        session's policy.
        """
        if self.negated:
            return Named.NOT if self._spares(principal) else Named.ITSELF
        if EVERYBODY in self.aws or self._names_itself(principal):
            return Named.ITSELF
        if isinstance(principal, RoleSession) and principal.role_arn in self.aws:
            return Named.BY_ROLE
        by_account = isinstance(principal, IamUser | RoleSession) and self._names_account(principal.account)
        return Named.BY_ACCOUNT if by_account else Named.NOT

    def _names_itself(self, principal: Principal) -> bool:
        match principal:
            case Anonymous():
                return False
            case ServicePrincipal(name):
                return name in self.services
            case Root():
                return self._names_account(principal.account)
            case IamUser() | RoleSession():
                return principal.arn in self.aws

    def _spares(self, principal: Principal) -> bool:
        if EVERYBODY in self.aws:
            return True
        match principal:
            case Anonymous():
                return False
            case ServicePrincipal(name):
                return name in self.services
            case Root():
                in_full = True
            case IamUser():
                in_full = principal.arn in self.aws
            case RoleSession():
                in_full = {principal.arn, principal.role_arn} <= self.aws
        return in_full and self._names_account(principal.account)

    def _names_account(self, account: str) -> bool:
        return account in self.aws or f"arn:{PARTITION}:iam::{account}:root" in self.aws
