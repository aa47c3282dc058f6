"""The names that services and operations have in CloudTrail."""

from __future__ import annotations

import re

# The endpoint's name is the event source's, but for these
# (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-aws-service-specific-topics.html).
_SOURCES = {
    "dynamodbstreams": "dynamodb",
    "s3control": "s3",
    "ses": "ses",
    "sesv2": "ses",
}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
_S3 = {
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "ListObjectsV2": "ListObjects",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
_S3_CONTROL = {
    "DeletePublicAccessBlock": "DeleteAccountPublicAccessBlock",
    "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
}
# Lambda's first operations carry the version of their API, some of them its second edition
# (https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html).
_DATED_PATH = re.compile(r"/(20\d\d)-(\d\d)-(\d\d)/")
_LAST_DATED = "20181031"
_SECOND_EDITION = frozenset(
    {
        "AddPermission",
        "GetFunction",
        "GetFunctionConfiguration",
        "GetPolicy",
        "RemovePermission",
        "TagResource",
        "UntagResource",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    }
)


def event_source(service: str, endpoint_prefix: str) -> str:
    """`monitoring.amazonaws.com` for CloudWatch: the endpoint's name, without what only routes to it."""
    name = _SOURCES.get(service) or endpoint_prefix.removeprefix("api.")
    return f"{name}.amazonaws.com"


def event_name(service: str, operation: str, path: str) -> str:
    """The operation's name in events; `path` is its request URI in botocore's model."""
    if service == "s3":
        return _S3.get(operation, operation)
    if service == "s3control":
        return _S3_CONTROL.get(operation, operation)
    if service == "lambda" and not operation.startswith("Invoke"):
        dated = _DATED_PATH.search(path)
        version = "".join(dated.groups()) if dated else _LAST_DATED + "x"
        if version <= _LAST_DATED:
            return operation + version + ("v2" if operation in _SECOND_EDITION else "")
    return operation
