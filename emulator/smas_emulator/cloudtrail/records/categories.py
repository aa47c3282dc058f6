"""Which operations read, and which are data events rather than management events.

Data events of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html,
of the others: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
and for SQS
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-logging-using-cloudtrail.html.
KMS and Cognito user pools have management events only.
"""

from __future__ import annotations

# Bucket operations that are logged with the objects they tell of.
_S3_ABOUT_OBJECTS = frozenset(
    {
        "CreateSession",
        "DeleteObjects",
        "HeadBucket",
        "ListMultipartUploads",
        "ListObjectVersions",
        "ListObjects",
        "ListObjectsV2",
        "PostObject",
    }
)
_DATA_EVENTS = {
    "cloudwatch": frozenset(
        {"GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage", "PutMetricData"}
    ),
    "dynamodb": frozenset(
        {
            "BatchExecuteStatement",
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "ExecuteStatement",
            "ExecuteTransaction",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        }
    ),
    "dynamodbstreams": frozenset({"GetRecords", "GetShardIterator"}),
    "kinesis": frozenset({"GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"}),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "ses": frozenset(
        {"SendBounce", "SendBulkTemplatedEmail", "SendEmail", "SendRawEmail", "SendTemplatedEmail"}
    ),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "sqs": frozenset(
        {
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "DeleteMessageBatch",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListDeadLetterSourceQueues",
            "ListQueueTags",
            "ListQueues",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        }
    ),
}
_READING_VERBS = (
    "BatchGet",
    "Check",
    "Describe",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Select",
    "Simulate",
    "Test",
    "TransactGet",
    "Validate",
)
# Reads that don't say so by their verb. In KMS that is whatever uses a key without changing it
# (https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html), in STS whatever
# gives out credentials (https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html).
_READS_TOO = {
    "iam": frozenset({"GenerateCredentialReport", "GenerateServiceLastAccessedDetails"}),
    "kms": frozenset(
        {
            "Decrypt",
            "DeriveSharedSecret",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateMac",
            "GenerateRandom",
            "ReEncrypt",
            "Sign",
            "Verify",
            "VerifyMac",
        }
    ),
    "logs": frozenset({"StartLiveTail", "StartQuery", "StopQuery"}),
    "s3": frozenset({"CreateSession"}),
    "sqs": frozenset({"ReceiveMessage"}),
    "sts": frozenset(
        {
            "AssumeRole",
            "AssumeRoleWithSAML",
            "AssumeRoleWithWebIdentity",
            "AssumeRoot",
            "DecodeAuthorizationMessage",
        }
    ),
}
# Reads whose answers are recorded: the sessions of STS.
_RETURNS_ITS_ANSWER = {
    "sts": frozenset(
        {
            "AssumeRole",
            "AssumeRoleWithSAML",
            "AssumeRoleWithWebIdentity",
            "AssumeRoot",
            "GetFederationToken",
            "GetSessionToken",
        }
    )
}


def is_data_event(service: str, operation: str, path: str) -> bool:
    """Whether events of the operation are data events; `path` is its request URI in botocore's model."""
    if service == "s3":
        return "{Key" in path or operation in _S3_ABOUT_OBJECTS
    return operation in _DATA_EVENTS.get(service, ())


def is_read_only(service: str, operation: str) -> bool:
    """The event's `readOnly`."""
    verb = operation.removeprefix("Admin") if service == "cognito-idp" else operation
    return verb.startswith(_READING_VERBS) or operation in _READS_TOO.get(service, ())


def returns_its_answer(service: str, operation: str) -> bool:
    """Whether the event shows an answer although the operation only reads."""
    return operation in _RETURNS_ITS_ANSWER.get(service, ())
