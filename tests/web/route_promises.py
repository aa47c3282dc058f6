"""What each role may do through the service: the promise its routes are held to, written by hand.

One table says what a role may do at all, another what each route is for; who may call a route in which team
follows from the two. Neither is read from the service.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

READS = frozenset({"read"})
# By role: what it may do. A role of a team may do so in its own team, any other in all of them.
MAY: dict[str, frozenset[str]] = {
    "data-scientist": READS | {"download", "describe", "upload", "publish", "move aliases"},
    "approver": READS | {"download", "set policy", "move protected aliases"},
    "deployer": READS | {"download"},
    "compliance": READS | {"download", "audit"},
    "auditor": READS | {"audit"},
    "custodian": READS,
}
OF_A_TEAM = frozenset({"data-scientist", "approver", "deployer"})
PUBLIC, SIGNED_IN = "anybody", "anybody signed in"
ORDINARY, PROTECTED = "champion", "production"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one route, and what it is for; ``alias`` where it is about a certain kind of alias."""

    method: str
    rule: str
    purpose: str
    alias: str = ORDINARY

    @property
    def of_a_team(self) -> bool:
        """Whether its path names a team."""
        return "<team>" in self.rule


_MODEL = "/v1/models/<team>/<model>"
ROUTES = (
    Route("GET", "/healthz", PUBLIC),
    Route("GET", "/readyz", PUBLIC),
    Route("GET", "/openapi.json", PUBLIC),
    Route("GET", "/docs", PUBLIC),
    Route("GET", "/.well-known/oauth-protected-resource", PUBLIC),
    Route("GET", "/v1/whoami", SIGNED_IN),
    Route("GET", "/v1/models", "read"),
    Route("GET", "/v1/audit/events", "audit"),
    Route("GET", "/v1/audit/integrity", "audit"),
    Route("GET", _MODEL, "read"),
    Route("PATCH", _MODEL, "describe"),
    Route("GET", f"{_MODEL}/settings", "read"),
    Route("PUT", f"{_MODEL}/settings", "set policy"),
    Route("GET", f"{_MODEL}/uploads", "upload"),
    Route("POST", f"{_MODEL}/uploads", "upload"),
    Route("GET", f"{_MODEL}/uploads/<sha256>/parts", "upload"),
    Route("POST", f"{_MODEL}/uploads/<sha256>/parts", "upload"),
    Route("POST", f"{_MODEL}/uploads/<sha256>/complete", "upload"),
    Route("DELETE", f"{_MODEL}/uploads/<sha256>", "upload"),
    Route("GET", f"{_MODEL}/versions", "read"),
    Route("POST", f"{_MODEL}/versions", "publish"),
    Route("GET", f"{_MODEL}/versions/<ref>", "read"),
    Route("GET", f"{_MODEL}/versions/<ref>/file", "download"),
    Route("GET", f"{_MODEL}/versions/<ref>/files/<path:path>", "download"),
    Route("POST", f"{_MODEL}/versions/<ref>/downloads", "download"),
    Route("GET", f"{_MODEL}/aliases", "read"),
    Route("GET", f"{_MODEL}/aliases/<alias>", "read"),
    Route("GET", f"{_MODEL}/aliases/<alias>/history", "read"),
    Route("PUT", f"{_MODEL}/aliases/<alias>", "move aliases"),
    Route("PUT", f"{_MODEL}/aliases/<alias>", "move protected aliases", PROTECTED),
    Route("DELETE", f"{_MODEL}/aliases/<alias>", "move aliases"),
    Route("DELETE", f"{_MODEL}/aliases/<alias>", "move protected aliases", PROTECTED),
)


class Outcome(StrEnum):
    """What becomes of a call; to whom a team is invisible, all of it is missing."""

    ALLOWED = "allowed"
    UNAUTHENTICATED = "401"
    FORBIDDEN = "403"
    INVISIBLE = "404"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the roles held (in ``team``, where they are of one), or nobody who is signed in."""

    roles: frozenset[str]
    team: str = "fraud"
    signed_in: bool = True


def promised(route: Route, caller: Caller, team: str) -> Outcome:
    """What becomes of the call, about a model of ``team`` where the route names one."""
    if route.purpose == PUBLIC:
        return Outcome.ALLOWED
    if not caller.signed_in:
        return Outcome.UNAUTHENTICATED
    if route.purpose == SIGNED_IN:
        return Outcome.ALLOWED
    reaching = caller.roles
    if route.of_a_team and team != caller.team:
        reaching = caller.roles - OF_A_TEAM
    if route.of_a_team and not reaching:
        return Outcome.INVISIBLE
    return Outcome.ALLOWED if any(route.purpose in MAY[role] for role in reaching) else Outcome.FORBIDDEN
