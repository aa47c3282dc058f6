"""The condition keys that a caller brings along."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from smas_emulator.gateway.principals import Anonymous, IamUser, RoleSession, Root, ServicePrincipal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.gateway.principals import Principal

Keys = dict[str, str | tuple[str, ...]]


def principal_context(principal: Principal) -> Keys:
    """What the caller is: id, name, ARN, tags, source identity, and since when the session is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html; which kind of
    caller has which is in https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html.
    """
    match principal:
        case Anonymous():
            return {"aws:PrincipalType": "Anonymous", "aws:userid": "anonymous"}
        case ServicePrincipal(name):
            return {
                "aws:PrincipalIsAWSService": "true",
                "aws:PrincipalServiceName": name,
                "aws:PrincipalServiceNamesList": (name,),
            }
        case Root():
            return _signed(principal, "Account", principal.arn)
        case IamUser():
            return {
                **_signed(principal, "User", principal.arn),
                "aws:username": principal.name,
                **_tags(principal.tags),
            }
        case RoleSession():
            keys = {
                **_signed(principal, "AssumedRole", principal.role_arn),
                "aws:TokenIssueTime": f"{principal.created.astimezone(UTC).isoformat()[:19]}Z",
                "aws:MultiFactorAuthPresent": "false",
                **_tags(principal.tags),
            }
            if principal.source_identity is not None:
                keys["aws:SourceIdentity"] = principal.source_identity
            return keys


def _signed(principal: Root | IamUser | RoleSession, kind: str, arn: str) -> Keys:
    return {
        "aws:PrincipalType": kind,
        "aws:PrincipalArn": arn,
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalIsAWSService": "false",
        "aws:userid": principal.user_id,
    }


def _tags(tags: Mapping[str, str]) -> Keys:
    return {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}
