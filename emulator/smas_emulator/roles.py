"""Provisions IAM: one user for this machine, and the roles that the store's processes act in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from smas_emulator import seed
from smas_emulator.trail import log_group_arn

if TYPE_CHECKING:
    from smas_emulator.policies import PolicyTemplates

PERSONA_SESSION_SECONDS = 3600  # role chaining caps a session at one hour anyway


@dataclass(frozen=True, slots=True)
class AccessKey:
    """The long-lived key of the local IAM user, which may only assume the roles of processes here."""

    id: str
    secret: str = field(repr=False)


def role_arn(name: str) -> str:
    """The ARN of the role `smas-<name>`."""
    return f"{seed.ROLE_PREFIX}{name}"


def provision_roles(iam: Any, templates: PolicyTemplates, known: AccessKey | None) -> AccessKey:
    """Make sure user and roles exist with the rendered policies; return a key of the user.

    `known` is the key written at an earlier start: it is kept if the user still has it, so that running
    processes keep working.
    """
    key = _provision_user(iam, known)
    trust = json.dumps(_trust_of_local_user())
    for name in ("service", "worker"):
        _provision_role(iam, name, trust, templates.render(name))
    for name in seed.PERSONAS:
        policy = templates.render(f"persona-{name}")
        _provision_role(iam, name, templates.render("trust-persona"), policy)
        iam.put_role_policy(
            RoleName=f"smas-{name}", PolicyName="barred", PolicyDocument=templates.render("barred")
        )
    for name in seed.VERIFIERS:
        policy = templates.render(f"verifier-{name}")
        _provision_role(iam, f"verifier-{name}", templates.render("trust-verifier"), policy)
    _provision_role(iam, "watch", templates.render("trust-verifier"), templates.render("watch"))
    _provision_role(iam, "shipper", trust, json.dumps(_shipping()))
    return key


def _provision_user(iam: Any, known: AccessKey | None) -> AccessKey:
    user = seed.LOCAL_IAM_USER
    if user not in {entry["UserName"] for entry in iam.list_users()["Users"]}:
        iam.create_user(UserName=user)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": [role_arn("service"), role_arn("worker"), role_arn("shipper")],
            }
        ],
    }
    iam.put_user_policy(UserName=user, PolicyName="assume-own-roles", PolicyDocument=json.dumps(policy))
    held = {entry["AccessKeyId"] for entry in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}
    if known is not None and known.id in held:
        return known
    for key_id in held:  # their secrets are lost: IAM shows a secret once
        iam.delete_access_key(UserName=user, AccessKeyId=key_id)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    return AccessKey(id=made["AccessKeyId"], secret=made["SecretAccessKey"])


def _trust_of_local_user() -> dict[str, Any]:
    """In AWS the Lambda service assumes these two roles; here it is this machine's IAM user."""
    user_arn = f"arn:{seed.PARTITION}:iam::{seed.ACCOUNT}:user/{seed.LOCAL_IAM_USER}"
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": user_arn}, "Action": "sts:AssumeRole"}],
    }


def _shipping() -> dict[str, Any]:
    """Only here does a process of its own ship logs; in AWS Lambda does, by the function's execution role.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaBasicExecutionRole.html
    """
    groups = [log_group_arn(seed.SERVICE_LOG_GROUP), log_group_arn(seed.WORKER_LOG_GROUP)]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": [f"{group}:*" for group in groups],
            }
        ],
    }


def _provision_role(iam: Any, name: str, trust: str, policy: str) -> None:
    role = f"smas-{name}"
    present = {
        entry["RoleName"] for page in iam.get_paginator("list_roles").paginate() for entry in page["Roles"]
    }
    if role in present:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
        iam.update_role(RoleName=role, MaxSessionDuration=PERSONA_SESSION_SECONDS)
    else:
        iam.create_role(
            RoleName=role, AssumeRolePolicyDocument=trust, MaxSessionDuration=PERSONA_SESSION_SECONDS
        )
    iam.put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=policy)
