"""What must not be read in a record: which members are hidden, which left out.

CloudTrail writes `HIDDEN_DUE_TO_SECURITY_REASONS` for members its services declare sensitive: in Cognito
names, passwords, tokens and attributes, in SQS and SNS the messages
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-logging-using-cloudtrail.html).
Botocore's models carry the same declarations; the tables here add what they lack. KMS leaves plaintext and
ciphertext out (https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html), and every service
leaves out secret access keys. Other than AWS, session tokens are hidden here: a record holds no secret.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import Shape

    from smas_emulator.gateway.calls import HttpRequest

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

# Names that promise a secret, in whatever service; the models of botocore do not declare all of them.
_SECRET_NAME = re.compile(
    r"(password|passphrase|passcode|secret|secret(hash|string|binary|code|value)|private[-_]?key|assertion"
    r"|(access|refresh|id|session|security|auth|authorization|identity|bearer|grant|secret)[-_]?token"
    r"|signature|credential|(customer|secret|access)[-_]?key[-_]?(secret|md5)?|mfa|(token|mfa|confirmation)[-_]?code)s?$",
    re.IGNORECASE,
)
_LEFT_OUT = frozenset({"SecretAccessKey", "RawSecretAccessKey"})

_ATTRIBUTE_VALUES = frozenset(
    {
        "Item",
        "Expected",
        "AttributeUpdates",
        "ExpressionAttributeValues",
        "RequestItems",
        "TransactItems",
        "KeyConditions",
        "QueryFilter",
        "ScanFilter",
        "ExclusiveStartKey",
        "Parameters",
        "Statement",
        "Statements",
        "TransactStatements",
        "Attributes",
        "UnprocessedItems",
        "ItemCollectionMetrics",
    }
)
# Bodies and secrets that the models do not declare sensitive.
_HIDDEN_TOO = {
    "apigateway": frozenset({"value"}),
    "cloudformation": frozenset({"ParameterValue"}),
    "cognito-idp": frozenset(
        {
            "AnalyticsMetadata",
            "AuthParameters",
            "ChallengeParameters",
            "ChallengeResponses",
            "ClientMetadata",
            "ContextData",
            "Session",
            "UserCode",
        }
    ),
    "dynamodb": _ATTRIBUTE_VALUES,
    "ec2": frozenset({"UserData"}),
    "events": frozenset({"Detail", "Event", "AuthParameters"}),
    "iam": frozenset({"AuthenticationCode1", "AuthenticationCode2"}),
    "kms": frozenset({"GrantToken", "GrantTokens", "TrustAnchorCertificate"}),
    "logs": frozenset({"logEvents", "logEventMessages", "message", "events"}),
    "scheduler": frozenset({"Input"}),
    "secretsmanager": frozenset({"SecretString", "SecretBinary"}),
    "ses": frozenset({"Message", "RawMessage", "TemplateData", "DefaultTemplateData", "Destinations"}),
    "sns": frozenset({"Message", "Subject", "MessageAttributes", "PublishBatchRequestEntries", "Token"}),
    "sqs": frozenset({"MessageBody", "MessageAttributes", "MessageSystemAttributes", "Body", "Messages"}),
    "ssm": frozenset({"Value"}),
    "stepfunctions": frozenset({"input", "output", "cause", "taskToken"}),
    "sts": frozenset({"TokenCode", "TradeInToken"}),
    "swf": frozenset({"input", "details", "result", "taskToken", "control"}),
}
# Declared sensitive, yet CloudTrail shows them.
_SHOWN_ALL_THE_SAME = {
    "cognito-idp": frozenset({"ClientId"}),
    "s3": frozenset({"KMSMasterKeyID", "KMSKeyId", "KMSKeyArn", "KeyId"}),
}
_SECRETS_LEFT_OUT = frozenset({"kms"})
_NO_SECRET_ITSELF = frozenset({"boolean", "integer", "long", "float", "double", "timestamp", "structure"})


class Showing(Enum):
    """What becomes of a member."""

    SHOWN = auto()
    HIDDEN = auto()
    LEFT_OUT = auto()


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether a member, header or query parameter of this name holds a secret by all appearances."""
    return _SECRET_NAME.search(name) is not None


def secrets_sent(http: HttpRequest) -> Iterator[str]:
    """What a request carried besides its members that nobody may read: signature, token, customers' keys."""
    for name, value in (*http.query, *http.headers.items()):
        if names_secret(name) or name == "authorization":
            yield value
            yield value.rpartition("Signature=")[2]


def showing(service: str, name: str, shape: Shape) -> Showing:
    """How a record shows the member `name` of a structure in `service`'s model."""
    if name in _LEFT_OUT or shape.serialization.get("eventstream"):
        return Showing.LEFT_OUT
    if name in _SHOWN_ALL_THE_SAME.get(service, ()):
        return Showing.SHOWN
    declared = shape.type_name == "blob" or shape.metadata.get("sensitive")
    if declared or name in _HIDDEN_TOO.get(service, ()):
        return Showing.LEFT_OUT if service in _SECRETS_LEFT_OUT else Showing.HIDDEN
    # A structure named for credentials shows whose they are; its own members are judged one by one.
    if shape.type_name not in _NO_SECRET_ITSELF and names_secret(name):
        return Showing.HIDDEN
    return Showing.SHOWN


def texts_in(value: Any) -> Iterator[str]:
    """Every text somewhere in a value: what an error message must not repeat."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray):
        yield bytes(value).decode("utf-8", "replace")
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)
