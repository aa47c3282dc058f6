"""How AWS words a refusal.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html, and for S3
https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import botocore.session
from botocore.exceptions import UnknownServiceError

from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.principals import Anonymous, Principal, ServicePrincipal

if TYPE_CHECKING:
    from smas_emulator.authorization.requirement import Requirement
    from smas_emulator.gateway.calls import Call
    from smas_emulator.iam.evaluation import Decision

_ARTICLES = {"identity-based": "an"}
# Services whose code is not that of their protocol.
_CODES = {
    "cloudwatch": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "s3": ("AccessDenied", 403),
    "s3control": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
}
_CODES_OF_PROTOCOL = {
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
}


def refusal(call: Call, requirement: Requirement, decision: Decision) -> AwsError:
    """The error for a requirement that IAM did not allow.

    The reason is told to callers of the same account only. STS tells it for an explicit deny only: what a
    role trusts is not the caller's business.
    """
    request = requirement.request
    account = getattr(call.principal, "account", requirement.owner)
    if call.service == "s3" and account != requirement.owner:
        return denied(call, "Access Denied")
    resource = f'"{request.resource}"' if request.resource.startswith("arn:aws:s3:") else request.resource
    action = request.action.lower() if call.service == "sqs" else request.action
    message = (
        f"User: {name_of(call.principal)} is not authorized to perform: {action} on resource: {resource}"
    )
    if decision.explicit:
        article = _ARTICLES.get(decision.policy, "a")
        message += f" with an explicit deny in {article} {decision.policy} policy"
    elif call.service != "sts":
        message += f" because no {decision.policy} policy allows the {action} action"
    return denied(call, message)


def denied(call: Call, message: str) -> AwsError:
    """A refusal with the code and the status of the call's service."""
    code, status = _code(call.service)
    return AwsError(code, message, status)


def name_of(principal: Principal) -> str:
    """The caller as refusals name it."""
    if isinstance(principal, Anonymous):
        return "anonymous"
    return principal.name if isinstance(principal, ServicePrincipal) else principal.arn


@lru_cache(maxsize=256)
def _code(service: str) -> tuple[str, int]:
    if service in _CODES:
        return _CODES[service]
    try:
        protocol = botocore.session.get_session().get_service_model(service).protocol
    except UnknownServiceError:
        protocol = "query"
    return _CODES_OF_PROTOCOL.get(protocol, ("AccessDenied", 403))
