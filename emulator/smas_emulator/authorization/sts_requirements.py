"""The permissions that a call to STS needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator.authorization.global_keys import Context, global_keys, tag_keys
from smas_emulator.authorization.requirement import Requirement, UnknownOperation
from smas_emulator.authorization.sts_validation import inherited_tags, session_tags
from smas_emulator.gateway.principals import RoleSession
from smas_emulator.iam.evaluation import Request

if TYPE_CHECKING:
    from smas_emulator.authorization.ports import AccountFacts, RoleFacts
    from smas_emulator.gateway.calls import Call

# Needs no permission (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
_FREE = frozenset({"GetCallerIdentity"})
_ON_ANYTHING = frozenset({"DecodeAuthorizationMessage", "GetAccessKeyInfo"})


def sts_requirements(call: Call, facts: AccountFacts) -> tuple[Requirement, ...]:
    """What IAM must allow. Raises `UnknownOperation` for sessions other than those of `AssumeRole`."""
    if call.operation in _FREE:
        return ()
    if call.operation == "AssumeRole":
        return _assume_role(call, role_to_assume(call, facts))
    if call.operation in _ON_ANYTHING:
        context = global_keys(call, call.account)
        return (Requirement(Request(f"sts:{call.operation}", "*", context), call.account),)
    raise UnknownOperation("sts", call.operation)


def role_to_assume(call: Call, facts: AccountFacts) -> RoleFacts | None:
    """The role of an AssumeRole; None when there is none with exactly that ARN."""
    arn = str(call.parameters["RoleArn"])
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    role = facts.role(account, name)
    return role if role is not None and role.arn == arn else None


def _assume_role(call: Call, role: RoleFacts | None) -> tuple[Requirement, ...]:
    """The trust policy decides; a role that does not exist trusts nobody, and STS answers no differently.

    Within an account the caller's own policies need not allow it where the trust policy names the caller
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html).
    What a session inherits has to be allowed as if it were asked for.
    """
    arn = str(call.parameters["RoleArn"])
    owner = arn.split(":")[4]
    trust = None if role is None else role.trust
    tags = {**inherited_tags(call), **session_tags(call.parameters)}
    identity = _source_identity(call)
    context = _keys(call, owner, tags, identity)
    if role is not None:
        for key, value in role.tags.items():
            context[f"aws:ResourceTag/{key}"] = value
            context[f"iam:ResourceTag/{key}"] = value
    actions = []
    if identity is not None:
        actions.append("sts:SetSourceIdentity")
    if tags:
        actions.append("sts:TagSession")
    actions.append("sts:AssumeRole")
    return tuple(
        Requirement(Request(action, arn, context), owner, trust, delegation_required=True)
        for action in actions
    )


def _source_identity(call: Call) -> str | None:
    asked: str | None = call.parameters.get("SourceIdentity")
    if asked is None and isinstance(call.principal, RoleSession):
        return call.principal.source_identity
    return asked


def _keys(call: Call, owner: str, tags: dict[str, str], identity: str | None) -> Context:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html."""
    parameters = call.parameters
    context: Context = {
        **global_keys(call, owner),
        **tag_keys(tags),
        "sts:RoleSessionName": parameters["RoleSessionName"],
    }
    if identity is not None:
        context["sts:SourceIdentity"] = identity
    if parameters.get("ExternalId") is not None:
        context["sts:ExternalId"] = parameters["ExternalId"]
    if parameters.get("TransitiveTagKeys"):
        context["sts:TransitiveTagKeys"] = tuple(parameters["TransitiveTagKeys"])
    return context
