"""IAM's decision about one request within one account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smas_emulator.gateway.principals import Anonymous, Root, ServicePrincipal
from smas_emulator.iam.context import Context
from smas_emulator.iam.named_principals import Named
from smas_emulator.iam.principal_keys import principal_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smas_emulator.gateway.principals import Principal
    from smas_emulator.iam.documents import Policy
    from smas_emulator.iam.statements import Statement

__all__ = ["Decision", "Request", "consulted", "decide", "principal_context"]

IDENTITY, SESSION, RESOURCE = "identity-based", "session", "resource-based"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done (`s3:GetObject`), to what (an ARN), and what else is known: keys, in any case."""

    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision.

    Of a refusal, `policy` is the kind of policy that decided it ("identity-based", "session" or
    "resource-based"): the one that denies, `explicit`, with its statement's `sid` if that has one, or else
    the one that does not allow. Where it is allowed, `policy` is "".
    """

    allowed: bool
    explicit: bool = False
    policy: str = ""
    sid: str | None = None


def decide(
    request: Request,
    principal: Principal,
    *,
    identity: Iterable[Policy] = (),
    session: Policy | None = None,
    resource: Policy | None = None,
    delegation_required: bool = False,
) -> Decision:
    """Whether `principal` may do what is asked.

    A Deny anywhere decides. Otherwise the caller's policies or the resource's must allow it. The session's
    policy limits what the caller's policies give, and what the resource's gives to the role, but not what
    that gives to the very session
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session). An account that
    the resource's policy names still has to allow it by the caller's policies. Root needs none.

    With `delegation_required`, as for keys (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html)
    and roles, nobody gets anything, root included, unless the resource's policy names them or the account.
    """
    context = Context(request.context, lambda: principal_context(principal))
    own = tuple(identity)
    limits = () if session is None else (session,)
    for kind, policies in ((IDENTITY, own), (SESSION, limits)):
        denying = _denying(policies, request, context)
        if denying is not None:
            return _denied(kind, denying)
    named = Named.NOT
    if resource is not None:
        denying, named = consulted(resource, request, principal, context)
        if denying is not None:
            return _denied(RESOURCE, denying)
    if named is Named.ITSELF:
        return Decision(allowed=True)
    missing = ""
    if named is Named.NOT and (delegation_required or isinstance(principal, ServicePrincipal | Anonymous)):
        missing = RESOURCE
    elif named is not Named.BY_ROLE and not isinstance(principal, Root) and not _allow(own, request, context):
        missing = IDENTITY
    elif session is not None and not _allow(limits, request, context):
        missing = SESSION
    return Decision(allowed=not missing, policy=missing)


def consulted(
    resource: Policy, request: Request, principal: Principal, context: Context
) -> tuple[Statement | None, Named]:
    """The statement of a resource's policy that denies, or how closely those that allow name the caller.

    A Deny that names nobody is for everybody. Anonymous callers are allowed nothing, not even by `*`, as S3's
    Block Public Access has it, which is on by default
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html).
    """
    denials, permissions = resource.concerning(request.action)
    for statement in denials:
        principals = statement.principals
        if principals is not None and principals.named(principal) is Named.NOT:
            continue
        if statement.applies(request.resource, context):
            return statement, Named.NOT
    closest = Named.NOT
    if isinstance(principal, Anonymous):
        return None, closest
    for statement in permissions:
        principals = statement.principals
        named = Named.NOT if principals is None else principals.named(principal)
        if named > closest and statement.applies(request.resource, context):
            closest = named
    return None, closest


def _denying(policies: Iterable[Policy], request: Request, context: Context) -> Statement | None:
    for policy in policies:
        for statement in policy.concerning(request.action)[0]:
            if statement.applies(request.resource, context):
                return statement
    return None


def _allow(policies: Iterable[Policy], request: Request, context: Context) -> bool:
    """Whether a caller's policies allow it; a statement that belongs to a resource's policy does not."""
    for policy in policies:
        for statement in policy.concerning(request.action)[1]:
            if statement.principals is not None or statement.resources is None:
                continue
            if statement.applies(request.resource, context):
                return True
    return False


def _denied(kind: str, statement: Statement) -> Decision:
    return Decision(allowed=False, explicit=True, policy=kind, sid=statement.sid)
