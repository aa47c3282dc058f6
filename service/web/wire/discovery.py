"""Bodies of what anybody may ask, and of who one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from service.domain.times import written
from service.web.wire.base import Given, Time

if TYPE_CHECKING:
    from service.domain.access import Principal


class HeldRole(Given):
    """A role as held: in a team, or over all of them."""

    role: str
    team: str | None


class WhoAmI(Given):
    """The caller as the store sees it."""

    subject: str
    username: str | None
    client_id: str
    roles: list[HeldRole]
    permissions: list[str]
    expires_at: Time

    @classmethod
    def of(cls, principal: Principal) -> WhoAmI:
        """The principal, rendered."""
        return cls(
            subject=principal.subject,
            username=principal.username,
            client_id=principal.client_id,
            roles=[HeldRole(grant.role.value, grant.team) for grant in principal.grants],
            permissions=[permission.value for permission in principal.permissions],
            expires_at=written(principal.expires_at),
        )


class Health(Given):
    """The process runs."""

    status: str


class Readiness(Given):
    """Whether requests can be served; failing names each dependency that does not answer, and why."""

    status: str
    failing: dict[str, str]


class ProtectedResource(Given):
    """How to sign in, for a client that knows only this address (RFC 9728)."""

    resource: str
    authorization_servers: list[str]
    bearer_methods_supported: list[str]
    scopes_supported: list[str]
    client_id: Annotated[str, msgspec.Meta(description="the client that people sign in with")]
    openid_configuration_uri: Annotated[
        str,
        msgspec.Meta(
            description="the issuer's OpenID configuration, where it is really served: the local stack's"
            " issuer has an address in AWS as its name"
        ),
    ]
