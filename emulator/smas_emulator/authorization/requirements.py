"""The permissions that a call needs, whatever its service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator.authorization.global_keys import global_keys, request_tags, tag_keys
from smas_emulator.authorization.kms_requirements import kms_requirements
from smas_emulator.authorization.requirement import Requirement
from smas_emulator.authorization.s3_requirements import s3_requirements
from smas_emulator.authorization.services import action, resource
from smas_emulator.authorization.sts_requirements import sts_requirements
from smas_emulator.iam.evaluation import Request

if TYPE_CHECKING:
    from smas_emulator.authorization.ports import AccountFacts
    from smas_emulator.gateway.calls import Call


def required(call: Call, facts: AccountFacts) -> tuple[Requirement, ...]:
    """What IAM must allow, all of it, in the order in which AWS would refuse; empty for what anybody may.

    Raises `AwsError` for an operation of S3 or STS that is not known.
    """
    match call.service:
        case "s3":
            return s3_requirements(call, facts)
        case "sts":
            return sts_requirements(call, facts)
        case "kms":
            return kms_requirements(call, facts)
    arn, policy = resource(call, facts)
    owner = arn.split(":")[4] if arn.count(":") > 4 else ""  # noqa: PLR2004 - where an ARN has its account
    context = {**global_keys(call, owner or call.account), **tag_keys(request_tags(call.parameters))}
    return (Requirement(Request(action(call), arn, context), owner or call.account, policy),)
