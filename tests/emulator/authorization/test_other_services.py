"""Calls to services other than S3 and STS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from smas_emulator.authorization.authorizer import Authorizer
from smas_emulator.authorization.requirements import required
from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.principals import ServicePrincipal

from tests.emulator.authorization.account import (
    ACCOUNT,
    BYTES_KEY,
    LOCAL_USER,
    METADATA_KEY,
    QUEUE_URL,
    REGION,
    ROOT,
    FakeAccount,
    call,
    session,
)
from tests.infra.rendering import PLACEHOLDERS

QUEUE = PLACEHOLDERS.events_queue_arn
AUDITOR = session("persona-auditor", tags={})


def needed(service: str, operation: str, principal: Any = LOCAL_USER, **asked: Any) -> list[tuple[str, str]]:
    """Actions and resources that a call needs."""
    found = required(call(principal, operation, service, **asked), FakeAccount())
    return [(each.request.action, each.request.resource) for each in found]


IN_SQS, IN_IAM = f"arn:aws:sqs:{REGION}:{ACCOUNT}", f"arn:aws:iam::{ACCOUNT}"
IN_LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}"
GROUP = f"{IN_LOGS}:log-group:g:log-stream:"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/t"
POOL = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/p"
TOPIC, READ_ONLY = "arn:aws:sns:r:1:known", "arn:aws:iam::aws:policy/ReadOnlyAccess"
APIS = f"arn:aws:apigateway:{REGION}::/apis"
EVENTS = {"logGroupName": "g", "logStreamName": "s"}


@pytest.mark.parametrize(
    ("service", "operation", "asked", "action", "resource"),
    [
        ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE_URL}, "sqs:ReceiveMessage", QUEUE),
        ("sqs", "SendMessageBatch", {"QueueUrl": QUEUE_URL}, "sqs:SendMessage", QUEUE),
        ("sqs", "DeleteMessageBatch", {"QueueUrl": QUEUE_URL}, "sqs:DeleteMessage", QUEUE),
        ("sqs", "CreateQueue", {"QueueName": "new"}, "sqs:CreateQueue", f"{IN_SQS}:new"),
        ("sqs", "DeleteQueue", {"QueueUrl": "http://x/1/none"}, "sqs:DeleteQueue", f"{IN_SQS}:none"),
        ("sqs", "ListQueues", {}, "sqs:ListQueues", "*"),
        ("iam", "GetRole", {"RoleName": "smas-auditor"}, "iam:GetRole", f"{IN_IAM}:role/smas-auditor"),
        ("iam", "CreateRole", {"RoleName": "n", "Path": "/p/"}, "iam:CreateRole", f"{IN_IAM}:role/p/n"),
        ("iam", "DeleteUser", {"UserName": "u"}, "iam:DeleteUser", f"{IN_IAM}:user/u"),
        ("iam", "GetUser", {}, "iam:GetUser", LOCAL_USER.arn),
        ("iam", "GetGroup", {"GroupName": "g"}, "iam:GetGroup", f"{IN_IAM}:group/g"),
        ("iam", "CreatePolicy", {"PolicyName": "p"}, "iam:CreatePolicy", f"{IN_IAM}:policy/p"),
        ("iam", "GetPolicy", {"PolicyArn": READ_ONLY}, "iam:GetPolicy", READ_ONLY),
        ("iam", "ListUsers", {}, "iam:ListUsers", "*"),
        ("logs", "PutLogEvents", EVENTS, "logs:PutLogEvents", f"{IN_LOGS}:log-group:g:log-stream:s"),
        ("logs", "DescribeLogGroups", {}, "logs:DescribeLogGroups", "*"),
        ("logs", "FilterLogEvents", {"logGroupName": "g"}, "logs:FilterLogEvents", GROUP),
        ("logs", "FilterLogEvents", {"logGroupIdentifier": "g"}, "logs:FilterLogEvents", GROUP),
        (
            "logs",
            "FilterLogEvents",
            {"logGroupIdentifier": GROUP.removesuffix(":log-stream:")},
            "logs:FilterLogEvents",
            GROUP,
        ),
        ("sns", "Publish", {"TopicArn": TOPIC}, "sns:Publish", TOPIC),
        ("sns", "PublishBatch", {"TopicArn": "arn:aws:sns:r:1:t"}, "sns:Publish", "arn:aws:sns:r:1:t"),
        ("sns", "CreateTopic", {"Name": "t"}, "sns:CreateTopic", f"arn:aws:sns:{REGION}:{ACCOUNT}:t"),
        ("lambda", "Invoke", {"FunctionName": "f"}, "lambda:InvokeFunction", FUNCTION),
        ("lambda", "GetFunction", {"FunctionName": FUNCTION}, "lambda:GetFunction", FUNCTION),
        ("cloudtrail", "StopLogging", {"Name": "t"}, "cloudtrail:StopLogging", TRAIL),
        ("cloudtrail", "LookupEvents", {}, "cloudtrail:LookupEvents", "*"),
        ("cloudtrail", "ListPublicKeys", {}, "cloudtrail:ListPublicKeys", "*"),
        ("cognito-idp", "AdminGetUser", {"UserPoolId": "p"}, "cognito-idp:AdminGetUser", POOL),
        ("cloudwatch", "PutMetricData", {}, "cloudwatch:PutMetricData", "*"),
        ("events", "PutEvents", {}, "events:PutEvents", "*"),
        ("ssm", "GetParameter", {}, "ssm:GetParameter", "*"),
        ("stepfunctions", "ListStateMachines", {}, "states:ListStateMachines", "*"),
        ("ecr", "GetAuthorizationToken", {}, "ecr:GetAuthorizationToken", "*"),
        ("elbv2", "DescribeRules", {}, "elasticloadbalancing:DescribeRules", "*"),
        ("resourcegroupstaggingapi", "GetResources", {}, "tag:GetResources", "*"),
        ("opensearch", "ListDomainNames", {}, "es:ListDomainNames", "*"),
        ("sesv2", "SendEmail", {}, "ses:SendEmail", "*"),
        ("emr", "ListClusters", {}, "elasticmapreduce:ListClusters", "*"),
        ("apigatewayv2", "GetApis", {"path": "/v2/apis"}, "apigateway:GET", APIS),
        ("made-up", "Do", {}, "made-up:Do", "*"),
    ],
)
def test_a_call_is_named_as_iam_names_it(
    service: str, operation: str, asked: dict[str, Any], action: str, resource: str
) -> None:
    """By the service's prefix, and by the ARN of what it is about where that is simple."""
    assert needed(service, operation, **asked) == [(action, resource)]


def test_tags_of_a_request_are_told() -> None:
    """In whatever shape a service takes them."""
    for service, operation, tags in (
        ("iam", "TagRole", {"Tags": [{"Key": "a", "Value": "1"}]}),
        ("kms", "TagResource", {"Tags": [{"TagKey": "a", "TagValue": "1"}], "KeyId": BYTES_KEY}),
        ("lambda", "TagResource", {"Tags": {"a": "1"}}),
        ("sqs", "CreateQueue", {"tags": {"a": "1"}}),
    ):
        (found,) = required(call(LOCAL_USER, operation, service, **tags), FakeAccount())
        assert found.request.context["aws:TagKeys"] == ("a",)
        assert found.request.context["aws:RequestTag/a"] == "1"
    untagging: dict[str, Any] = {"logGroupName": "g", "tags": ["a"]}
    (found,) = required(call(LOCAL_USER, "UntagLogGroup", "logs", **untagging), FakeAccount())
    assert found.request.context["aws:TagKeys"] == ("a",)


def refusal(
    service: str, operation: str, principal: Any, account: FakeAccount | None = None, **asked: Any
) -> Any:
    """Code, status and message of a refusal; None when the call may be served."""
    try:
        Authorizer(account or FakeAccount()).authorize(call(principal, operation, service, **asked))
    except AwsError as error:
        return error.code, error.status, error.message
    return None


def test_the_worker_takes_messages_and_nobody_else() -> None:
    """And the bucket sends them, by the queue's own policy."""
    worker = session("worker")
    assert refusal("sqs", "ReceiveMessage", worker, QueueUrl=QUEUE_URL) is None
    assert refusal("sqs", "DeleteMessageBatch", worker, QueueUrl=QUEUE_URL) is None
    assert refusal("sqs", "PurgeQueue", worker, QueueUrl=QUEUE_URL) is not None
    assert refusal("sqs", "ReceiveMessage", session("service"), QueueUrl=QUEUE_URL) is not None
    # What S3 sends says for which bucket, which a call of its own does not.
    assert refusal("sqs", "SendMessage", ServicePrincipal("s3.amazonaws.com"), QueueUrl=QUEUE_URL) is not None


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("sqs", "ListQueues", "AccessDenied", 403),
        ("iam", "ListUsers", "AccessDenied", 403),
        ("kms", "ListKeys", "AccessDeniedException", 400),
        ("logs", "DescribeLogGroups", "AccessDeniedException", 400),
        ("cloudtrail", "LookupEvents", "AccessDeniedException", 400),
        ("cognito-idp", "ListUserPools", "AccessDeniedException", 400),
        ("lambda", "ListFunctions", "AccessDeniedException", 403),
        ("sns", "ListTopics", "AuthorizationError", 403),
        ("ec2", "DescribeInstances", "UnauthorizedOperation", 403),
        ("made-up", "Do", "AccessDenied", 403),
    ],
)
def test_a_refusal_has_the_code_of_its_protocol(service: str, operation: str, code: str, status: int) -> None:
    """And says what was missing."""
    found = refusal(service, operation, AUDITOR)
    assert found[:2] == (code, status)
    assert found[2].startswith(f"User: {AUDITOR.arn} is not authorized to perform: ")
    assert found[2].endswith(" action")


def test_root_may_do_anything_else() -> None:
    """No policy limits it."""
    for service, operation in (("iam", "ListUsers"), ("cloudtrail", "DeleteTrail"), ("kms", "CreateKey")):
        assert refusal(service, operation, ROOT) is None
    assert refusal("kms", "Encrypt", ROOT, KeyId=BYTES_KEY) is None


@pytest.mark.parametrize("name", [BYTES_KEY, "bytes", "alias/smas-bytes"])
def test_a_key_is_one_key_however_it_is_named(name: str) -> None:
    """By ARN, id or alias; an alias is told besides."""
    (found,) = required(call(AUDITOR, "Decrypt", "kms", KeyId=name), FakeAccount())
    assert (found.request.action, found.request.resource) == ("kms:Decrypt", BYTES_KEY)
    assert found.delegation_required
    assert found.request.context.get("kms:RequestAlias") == (name if "alias" in name else None)


def test_decrypting_asks_for_the_key_of_the_ciphertext() -> None:
    """Not naming it is no way around its policy; one that names none is nobody's but of whoever may all."""
    assert needed("kms", "Decrypt", CiphertextBlob=b"under-bytes") == [("kms:Decrypt", BYTES_KEY)]
    assert needed("kms", "Decrypt", CiphertextBlob=b"garbage") == [("kms:Decrypt", "*")]
    account = FakeAccount()
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    account.policies["smas-auditor"] = [json.dumps({"Version": "2012-10-17", "Statement": [allow]})]
    found = refusal("kms", "Decrypt", AUDITOR, account, CiphertextBlob=b"under-bytes")
    assert found[2].endswith("with an explicit deny in a resource-based policy")


def test_encrypting_anew_needs_both_keys() -> None:
    """From the one to the other."""
    assert needed("kms", "ReEncrypt", CiphertextBlob=b"under-bytes", DestinationKeyId=METADATA_KEY) == [
        ("kms:ReEncryptFrom", BYTES_KEY),
        ("kms:ReEncryptTo", METADATA_KEY),
    ]


def test_moving_an_alias_needs_every_key_it_touches() -> None:
    """And the alias."""
    alias = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/smas-bytes"
    asked = {"AliasName": "alias/smas-bytes", "TargetKeyId": METADATA_KEY}
    action = "kms:UpdateAlias"
    assert needed("kms", "UpdateAlias", **asked) == [
        (action, alias),
        (action, METADATA_KEY),
        (action, BYTES_KEY),
    ]
    assert needed("kms", "DeleteAlias", AliasName="alias/smas-bytes") == [
        ("kms:DeleteAlias", alias),
        ("kms:DeleteAlias", BYTES_KEY),
    ]


def test_an_encryption_context_is_told() -> None:
    """By its keys and its values."""
    asked = call(AUDITOR, "Decrypt", "kms", KeyId=BYTES_KEY, EncryptionContext={"a": "1"})
    (found,) = required(asked, FakeAccount())
    assert found.request.context["kms:EncryptionContextKeys"] == ("a",)
    assert found.request.context["kms:EncryptionContext:a"] == "1"
    assert "kms:ViaService" not in found.request.context
