"""A case of AWS's documentation: who asks for what under which policies, and what IAM decides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from smas_emulator.gateway.principals import IamUser, RoleSession, Root
from smas_emulator.iam.documents import Policy
from smas_emulator.iam.evaluation import Decision, Request, decide

if TYPE_CHECKING:
    from smas_emulator.gateway.principals import Principal

ACCOUNT = "111122223333"
CREATED = datetime(2026, 11, 24, 9, tzinfo=UTC)
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"
OBJECT = f"{BUCKET}/object"
JSON = dict[str, Any]
Values = dict[str, str | tuple[str, ...]]


def user(name: str = "Bob", account: str = ACCOUNT, **tags: str) -> IamUser:
    """An IAM user with these tags."""
    return IamUser(account, "AKIAUSER", name, "AIDACKCEVSQ6C2EXAMPLE", tags=tags)


def session(role: str = "examplerole", name: str = "examplesession", **changed: Any) -> RoleSession:
    """A session of a role, changed."""
    made = RoleSession(ACCOUNT, "ASIASESSION", role, "AROADBQP57FF2AEXAMPLE", name, CREATED, CREATED)
    return replace(made, **changed)


USER, SESSION, ROOT = user(), session(), Root(ACCOUNT, "AKIAROOT")


def allow(
    action: str | list[str] | None = "s3:GetObject", resource: str | list[str] | None = "*", **more: Any
) -> JSON:
    """An Allow, with more elements; one that is None is left out."""
    return _statement("Allow", action, resource, more)


def deny(
    action: str | list[str] | None = "s3:GetObject", resource: str | list[str] | None = "*", **more: Any
) -> JSON:
    """A Deny, likewise."""
    return _statement("Deny", action, resource, more)


def _statement(effect: str, action: Any, resource: Any, more: JSON) -> JSON:
    written = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {name: value for name, value in written.items() if value is not None}


def policy(*statements: JSON, version: str | None = "2012-10-17") -> Policy:
    """A policy of these statements."""
    head = {} if version is None else {"Version": version}
    return Policy.parse({**head, "Statement": list(statements)})


def to(*names: str) -> JSON:
    """Principals of AWS."""
    return {"AWS": list(names)}


@dataclass(frozen=True)
class Case:
    """What the page at `url` says in its own words, told in ours, and what follows for one request."""

    url: str
    says: str
    allowed: bool
    identity: tuple[JSON, ...] = ()
    session: tuple[JSON, ...] | None = None
    resource: tuple[JSON, ...] | None = None
    principal: Principal = USER
    action: str = "s3:GetObject"
    on: str = OBJECT
    context: Values = field(default_factory=dict)
    delegation_required: bool = False
    version: str | None = "2012-10-17"

    def decision(self) -> Decision:
        """What is decided."""
        return decide(
            Request(self.action, self.on, self.context),
            self.principal,
            identity=[policy(*self.identity, version=self.version)] if self.identity else [],
            session=None if self.session is None else policy(*self.session),
            resource=None if self.resource is None else policy(*self.resource),
            delegation_required=self.delegation_required,
        )
