"""The `resources` of a record: what a call was about, for services other than S3.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from smas_emulator.gateway.calls import Call, Outcome

Resource = dict[str, str]


def resources(call: Call, outcome: Outcome) -> list[Resource] | None:
    """The resources as ARNs with their owners; None where the service names none, or none can be told."""
    find = _FINDERS.get(call.service)
    arn = find(call, outcome) if find else None
    if arn is None:
        return None
    owner = arn.split(":", 5)[4] if arn.count(":") >= 5 else ""  # noqa: PLR2004 - the parts of an ARN
    return [{"accountId": owner or call.account, "type": _TYPES[call.service], "ARN": arn}]


def _role(call: Call, _outcome: Outcome) -> str | None:
    return _text(call.parameters.get("RoleArn"))


def _key(call: Call, outcome: Outcome) -> str | None:
    """The key's ARN; an alias is resolved by the answer, if at all."""
    created = outcome.response.get("KeyMetadata")
    candidates = (
        outcome.response.get("KeyId"),
        created.get("Arn") if isinstance(created, dict) else None,
        call.parameters.get("KeyId"),
    )
    names = [name for name in map(_text, candidates) if name and "alias/" not in name]
    for name in names:
        if name.startswith("arn:"):
            return name
    return f"arn:aws:kms:{call.region}:{call.account}:key/{names[0]}" if names else None


def _queue(call: Call, outcome: Outcome) -> str | None:
    url = _text(call.parameters.get("QueueUrl")) or _text(outcome.response.get("QueueUrl"))
    account, name = call.account, _text(call.parameters.get("QueueName"))
    if url and url.count("/") >= 4:  # noqa: PLR2004 - scheme, host, account, name
        account, name = url.rstrip("/").split("/")[-2:]
    if call.operation == "ListQueues":
        name = "*"
    return f"arn:aws:sqs:{call.region}:{account}:{name}" if name else None


def _named_or_arn(service: str, kind: str, *members: str) -> Callable[[Call, Outcome], str | None]:
    """Looks for a member that is the ARN, or the name that ends it."""

    def find(call: Call, _outcome: Outcome) -> str | None:
        for member in members:
            name = _text(call.parameters.get(member))
            if name:
                return (
                    name
                    if name.startswith("arn:")
                    else f"arn:aws:{service}:{call.region}:{call.account}:{kind}{name}"
                )
        return None

    return find


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


_FINDERS: dict[str, Callable[[Call, Outcome], str | None]] = {
    "dynamodb": _named_or_arn("dynamodb", "table/", "TableName"),
    "kinesis": _named_or_arn("kinesis", "stream/", "StreamARN", "StreamName"),
    "kms": _key,
    "lambda": _named_or_arn("lambda", "function:", "FunctionName"),
    "sns": _named_or_arn("sns", "", "TopicArn", "TargetArn"),
    "sqs": _queue,
    "sts": _role,
}
_TYPES = {
    "dynamodb": "AWS::DynamoDB::Table",
    "kinesis": "AWS::Kinesis::Stream",
    "kms": "AWS::KMS::Key",
    "lambda": "AWS::Lambda::Function",
    "sns": "AWS::SNS::Topic",
    "sqs": "AWS::SQS::Queue",
    "sts": "AWS::IAM::Role",
}
