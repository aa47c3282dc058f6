"""The `userIdentity` of a record: who made the call.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.records.times import iso_seconds
from smas_emulator.gateway.principals import Anonymous, IamUser, RoleSession, Root, ServicePrincipal

if TYPE_CHECKING:
    from smas_emulator.gateway.calls import Call, Outcome
    from smas_emulator.gateway.principals import Principal


def user_identity(call: Call, outcome: Outcome) -> dict[str, Any]:
    """The element for any kind of principal; that of a federated caller is taken from what STS answered."""
    if isinstance(call.principal, Anonymous):
        return _nobody_known(call, outcome)
    return _identity(call.principal)


def _identity(principal: Principal) -> dict[str, Any]:
    match principal:
        case RoleSession():
            return _role_session(principal)
        case IamUser():
            return {
                "type": "IAMUser",
                "principalId": principal.user_id,
                "arn": principal.arn,
                "accountId": principal.account,
                "accessKeyId": principal.access_key_id,
                "userName": principal.name,
            }
        case Root():
            return {
                "type": "Root",
                "principalId": principal.account,
                "arn": principal.arn,
                "accountId": principal.account,
                "accessKeyId": principal.access_key_id,
            }
        case ServicePrincipal():
            return {"type": "AWSService", "invokedBy": principal.name}
    msg = f"{type(principal).__name__} is no principal that CloudTrail knows."
    raise TypeError(msg)


def _role_session(session: RoleSession) -> dict[str, Any]:
    context: dict[str, Any] = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": session.role_id,
            "arn": session.role_arn,
            "accountId": session.account,
            "userName": session.role_name,
        },
        "attributes": {"creationDate": iso_seconds(session.created), "mfaAuthenticated": "false"},
    }
    if session.source_identity is not None:
        context["sourceIdentity"] = session.source_identity
    return {
        "type": "AssumedRole",
        "principalId": session.user_id,
        "arn": session.arn,
        "accountId": session.account,
        "accessKeyId": session.access_key_id,
        "sessionContext": context,
    }


def _nobody_known(call: Call, outcome: Outcome) -> dict[str, Any]:
    answer = outcome.response
    if call.operation == "AssumeRoleWithWebIdentity":
        identity = {"type": "WebIdentityUser"}
        if subject := answer.get("SubjectFromWebIdentityToken"):
            provider = str(answer.get("Provider", ""))
            identity |= {
                "principalId": f"{provider}:{answer.get('Audience', '')}:{subject}",
                "userName": subject,
                "identityProvider": provider,
            }
        return identity
    if call.operation == "AssumeRoleWithSAML":
        identity = {"type": "SAMLUser"}
        if subject := answer.get("Subject"):
            qualifier = str(answer.get("NameQualifier", ""))
            identity |= {
                "principalId": f"{qualifier}:{subject}",
                "userName": subject,
                "identityProvider": qualifier,
            }
        return identity
    if call.service == "s3":
        return {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    return {"type": "Unknown", "principalId": "Anonymous"}
