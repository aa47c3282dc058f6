"""How IAM names what is asked of services other than S3 and STS: actions, ARNs, policies of the things.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.exceptions import UnknownServiceError

from smas_emulator.authorization.refusals import name_of
from smas_emulator.gateway.principals import PARTITION, IamUser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smas_emulator.authorization.ports import AccountFacts
    from smas_emulator.gateway.calls import Call

# Where the name that signatures have is not IAM's prefix.
_PREFIXES = {"cloudwatch": "cloudwatch", "resourcegroupstaggingapi": "tag"}
_ACTIONS = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
    ("sns", "PublishBatch"): "Publish",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "SendMessageBatch"): "SendMessage",
}

_IAM_NAMES = (
    ("RoleName", "role"),
    ("UserName", "user"),
    ("GroupName", "group"),
    ("InstanceProfileName", "instance-profile"),
    ("PolicyArn", None),
    ("PolicyName", "policy"),
)


@lru_cache(maxsize=256)
def iam_prefix(service: str) -> str:
    """IAM's prefix of a service by botocore's name: `states` for `stepfunctions`."""
    if service in _PREFIXES:
        return _PREFIXES[service]
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return service
    return str(model.signing_name)


def action(call: Call) -> str:
    """IAM's name of what a call does; API Gateway's actions are HTTP's methods."""
    prefix = iam_prefix(call.service)
    if prefix == "apigateway":
        return f"apigateway:{call.http.method}"
    return f"{prefix}:{_ACTIONS.get((call.service, call.operation), call.operation)}"


def resource(call: Call, facts: AccountFacts) -> tuple[str, str | None]:
    """The ARN of what a call is about and that thing's policy as JSON; `*` and None where not derived."""
    derive = _DERIVED.get(call.service)
    return ("*", None) if derive is None else derive(call, facts)


def _arn(call: Call, service: str, rest: str) -> str:
    return f"arn:{PARTITION}:{service}:{call.region}:{call.account}:{rest}"


def _first(parameters: Mapping[str, Any], *names: str) -> str | None:
    return next((str(parameters[name]) for name in names if parameters.get(name)), None)


def _named(call: Call, service: str, kind: str, name: str | None, separator: str) -> tuple[str, str | None]:
    if name is None:
        return "*", None
    return (name if name.startswith("arn:") else _arn(call, service, f"{kind}{separator}{name}")), None


def _queue(call: Call, facts: AccountFacts) -> tuple[str, str | None]:
    url = call.parameters.get("QueueUrl")
    if url:
        found = facts.queue(str(url))
        if found is not None:
            return found.arn, found.policy
        name: str | None = str(url).rpartition("/")[2]
    else:
        name = _first(call.parameters, "QueueName", "SourceArn")
    if name is None:
        return "*", None
    return (name if name.startswith("arn:") else _arn(call, "sqs", name)), None


def _topic(call: Call, facts: AccountFacts) -> tuple[str, str | None]:
    arn = _first(call.parameters, "TopicArn", "TargetArn", "ResourceArn")
    if arn is None:
        name = _first(call.parameters, "Name")
        return ("*" if name is None else _arn(call, "sns", name)), None
    found = facts.topic(arn)
    return arn, (None if found is None else found.policy)


def _iam(call: Call, facts: AccountFacts) -> tuple[str, str | None]:
    """A role by its own path, the caller by theirs; anything else by the path the call names."""
    parameters, prefix = call.parameters, f"arn:{PARTITION}:iam::{call.account}:"
    path = _first(parameters, "Path") or "/"
    role_name = _first(parameters, "RoleName")
    role = facts.role(call.account, role_name) if role_name else None
    if role is not None:
        return role.arn, None
    for member, kind in _IAM_NAMES:
        name = _first(parameters, member)
        if name is not None:
            return (name if kind is None else f"{prefix}{kind}{path}{name}"), None
    own = isinstance(call.principal, IamUser) and "User" in call.operation and "Users" not in call.operation
    return (name_of(call.principal) if own else "*"), None


def _logs(call: Call, _facts: AccountFacts) -> tuple[str, str | None]:
    """Log groups are asked for with a stream, which may be empty; so policies name them with `:*`.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    group = _first(call.parameters, "logGroupName", "logGroupIdentifier")
    if group is None:
        return "*", None
    stream = _first(call.parameters, "logStreamName") or ""
    arn = group if group.startswith("arn:") else _arn(call, "logs", f"log-group:{group}")
    return f"{arn}:log-stream:{stream}", None


def _trail(call: Call, _facts: AccountFacts) -> tuple[str, str | None]:
    name = _first(call.parameters, "Name", "TrailName", "TrailARN", "ResourceId")
    return _named(call, "cloudtrail", "trail", name, "/")


def _pool(call: Call, _facts: AccountFacts) -> tuple[str, str | None]:
    return _named(call, "cognito-idp", "userpool", _first(call.parameters, "UserPoolId"), "/")


def _function(call: Call, _facts: AccountFacts) -> tuple[str, str | None]:
    return _named(call, "lambda", "function", _first(call.parameters, "FunctionName"), ":")


def _api(call: Call, _facts: AccountFacts) -> tuple[str, str | None]:
    path = call.http.path.removeprefix("/v2") or "/"
    return f"arn:{PARTITION}:apigateway:{call.region}::{path}", None


_DERIVED: dict[str, Callable[[Call, AccountFacts], tuple[str, str | None]]] = {
    "apigateway": _api,
    "apigatewayv2": _api,
    "cloudtrail": _trail,
    "cognito-idp": _pool,
    "iam": _iam,
    "lambda": _function,
    "logs": _logs,
    "sns": _topic,
    "sqs": _queue,
}
