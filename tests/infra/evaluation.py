"""What our policies allow, decided by the local AWS's own evaluator."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from smas_emulator.gateway.principals import RoleSession
from smas_emulator.iam.documents import Policy
from smas_emulator.iam.evaluation import Request, decide

from tests.infra.rendering import BUCKET, PLACEHOLDERS, rendered

_NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@cache
def compiled(name: str) -> Policy:
    """A template, rendered and read."""
    return Policy.parse(rendered(name).text)


def role_arn(role: str) -> str:
    """The ARN of a role, by the name of its template."""
    return PLACEHOLDERS.role_prefix + role.removeprefix("persona-")


def session(role: str, *, team: str | None = None, subject: str | None = None) -> RoleSession:
    """A session of a role, with what the service says of it: a person's team and identity."""
    return RoleSession(
        account=PLACEHOLDERS.account,
        access_key_id="ASIAEXAMPLE",
        role_name=role_arn(role).rpartition("/")[2],
        role_id="AROAEXAMPLE",
        name="session",
        created=_NOW,
        expires=_NOW,
        source_identity=subject,
        tags={} if team is None else {"team": team},
    )


def object_request(action: str, key: str, **context: str) -> Request:
    """A request about an object; see `known`."""
    return Request(action, f"arn:aws:s3:::{BUCKET}/{key}", known(**context))


def list_request(action: str, prefix: str | None, **context: str) -> Request:
    """A request for what is under a prefix, None for one without; see `known`."""
    said = {} if prefix is None else {"s3:prefix": prefix}
    return Request(action, f"arn:aws:s3:::{BUCKET}", {**known(**context), **said})


def known(**context: str) -> dict[str, str]:
    """What IAM knows of a request; `__` in names stands for a colon, and `_` for a dash."""
    return {name.replace("__", ":").replace("_", "-"): value for name, value in context.items()}


def allows(
    role: str,
    caller: RoleSession,
    request: Request,
    *,
    resource: str = "bucket",
    delegation_required: bool = False,
) -> bool:
    """Whether the role's policy and that of the thing allow it to a session of the role."""
    return decide(
        request,
        caller,
        identity=[compiled(role)],
        resource=compiled(resource),
        delegation_required=delegation_required,
    ).allowed
