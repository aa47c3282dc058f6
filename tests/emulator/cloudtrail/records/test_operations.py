"""Names, kinds and reads of operations, and that each can be recorded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cloudtrail.records import build_record, event_class
from smas_emulator.cloudtrail.records.operations import operation, service_model
from smas_emulator.gateway.calls import Outcome

from tests.emulator.cloudtrail.records.calls import SUCCESS, call
from tests.emulator.cloudtrail.records.shapes import some, whole

SERVICES = ("s3", "sts", "kms", "sqs", "iam", "cognito-idp", "cloudtrail", "logs")


def operations(service: str) -> list[str]:
    """The operations of a service by botocore's model."""
    model = service_model(service)
    assert model is not None
    return list(model.operation_names)


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_can_be_recorded(service: str) -> None:
    """With every member of request and answer there is, and its record says the same of itself throughout."""
    for name in operations(service):
        known = operation(service, name)
        parameters = whole(known.request, lambda member, _: member) if known.request else {}
        answer = whole(known.answer, lambda member, _: member) if known.answer else {}
        made = call(service, name, parameters)

        record = build_record(made, Outcome(200, answer))

        assert json.loads(json.dumps(record, allow_nan=False)) == record
        assert record["managementEvent"] is (event_class(made) == "Management")
        assert record["eventCategory"] == event_class(made)
        assert record["eventSource"] == f"{service}.amazonaws.com"
        if service != "s3" and parameters and known.request:
            shown = set(record["requestParameters"]) - {"incomingTransitiveTags", "encryptionAlgorithm"}
            assert shown <= {member[0].lower() + member[1:] for member in known.request.members}


@pytest.mark.parametrize("service", SERVICES)
@given(data=st.data())
def test_whatever_is_sent_or_answered_makes_a_record(service: str, data: st.DataObject) -> None:
    """No value of a member, present or absent, keeps a call out of the trail."""
    name = data.draw(st.sampled_from(operations(service)))
    known = operation(service, name)
    parameters = data.draw(some(known.request)) if known.request else {}
    answer = data.draw(some(known.answer)) if known.answer else {}
    failed = data.draw(st.booleans())
    outcome = Outcome(400, {}, "ValidationError", data.draw(st.text())) if failed else Outcome(200, answer)

    record = build_record(call(service, name, parameters), outcome)

    assert json.dumps(record, allow_nan=False)
    assert ("errorCode" in record) is failed


READS = {
    "s3": ["GetObject", "HeadObject", "ListObjectsV2", "GetBucketPolicy", "ListParts", "SelectObjectContent"],
    "sts": ["AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity", "GetSessionToken"],
    "kms": ["Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt", "Sign", "DescribeKey", "ListKeys"],
    "sqs": ["ReceiveMessage", "GetQueueUrl"],
    "iam": ["GetRole", "ListRoles", "SimulatePrincipalPolicy"],
    "cognito-idp": ["AdminGetUser", "AdminListGroupsForUser", "ListUsers", "GetUser", "DescribeUserPool"],
    "cloudtrail": ["DescribeTrails", "GetTrailStatus", "LookupEvents", "ListPublicKeys", "ListTags"],
    "logs": ["GetLogEvents", "FilterLogEvents", "TestMetricFilter"],
}
WRITES = {
    "s3": ["PutObject", "DeleteObjects", "CreateMultipartUpload", "UploadPart", "PutBucketPolicy"],
    "kms": ["CreateKey", "PutKeyPolicy", "ScheduleKeyDeletion", "CreateGrant"],
    "sqs": ["SendMessage", "DeleteMessage", "ChangeMessageVisibility", "PurgeQueue"],
    "iam": ["CreateRole", "PutRolePolicy", "UploadServerCertificate"],
    "cognito-idp": ["InitiateAuth", "AdminInitiateAuth", "AdminCreateUser", "VerifyUserAttribute", "SignUp"],
    "cloudtrail": ["CreateTrail", "StopLogging", "PutEventSelectors", "AddTags"],
    "logs": ["CreateLogGroup", "PutRetentionPolicy"],
}


@pytest.mark.parametrize("read_only", [True, False])
def test_reads_are_told_from_writes(read_only: bool) -> None:
    """`readOnly` as AWS's examples have it: using a key or assuming a role only reads, signing in does not.

    https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html,
    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
    """
    for service, names in (READS if read_only else WRITES).items():
        wrong = [
            name for name in names if build_record(call(service, name), SUCCESS)["readOnly"] != read_only
        ]
        assert wrong == []


def test_data_events_of_s3_are_those_about_objects() -> None:
    """The list of https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html."""
    data = """AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload DeleteObject
        DeleteObjectTagging DeleteObjects GetObject GetObjectAcl GetObjectAttributes GetObjectTagging
        HeadBucket HeadObject ListObjectVersions ListObjects ListObjectsV2 ListParts PutObject PutObjectAcl
        PutObjectLegalHold PutObjectRetention PutObjectTagging RestoreObject UploadPart UploadPartCopy"""
    management = """CreateBucket DeleteBucket GetBucketAcl GetBucketLocation GetBucketPolicy ListBuckets
        GetObjectLockConfiguration PutObjectLockConfiguration PutBucketAcl PutBucketEncryption PutBucketPolicy
        PutBucketVersioning PutPublicAccessBlock"""

    assert {event_class(call("s3", name)) for name in data.split()} == {"Data"}
    assert {event_class(call("s3", name)) for name in management.split()} == {"Management"}


@pytest.mark.parametrize("service", ["kms", "cognito-idp", "iam", "sts", "cloudtrail", "logs"])
def test_services_that_only_manage(service: str) -> None:
    """KMS, too, has management events only, however many there are."""
    assert {event_class(call(service, name)) for name in operations(service)} == {"Management"}


def test_data_events_of_queues() -> None:
    """Which operations of SQS are which is in its guide.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-logging-using-cloudtrail.html
    """
    management = {name for name in operations("sqs") if event_class(call("sqs", name)) == "Management"}

    assert management == {
        "AddPermission",
        "CancelMessageMoveTask",
        "CreateQueue",
        "DeleteQueue",
        "ListMessageMoveTasks",
        "PurgeQueue",
        "RemovePermission",
        "SetQueueAttributes",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
    }


@pytest.mark.parametrize(
    ("service", "name", "event"),
    [
        ("s3", "ListObjectsV2", "ListObjects"),
        ("s3", "ListObjectVersions", "ListObjectVersions"),
        ("s3", "PutBucketLifecycleConfiguration", "PutBucketLifecycle"),
        ("s3", "GetBucketNotificationConfiguration", "GetBucketNotification"),
        ("s3", "PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
        ("s3control", "GetPublicAccessBlock", "GetAccountPublicAccessBlock"),
        ("lambda", "CreateFunction", "CreateFunction20150331"),
        ("lambda", "UpdateFunctionCode", "UpdateFunctionCode20150331v2"),
        ("lambda", "PublishLayerVersion", "PublishLayerVersion20181031"),
        ("lambda", "CreateFunctionUrlConfig", "CreateFunctionUrlConfig"),
        ("lambda", "Invoke", "Invoke"),
        ("sts", "AssumeRole", "AssumeRole"),
    ],
)
def test_events_that_are_called_otherwise(service: str, name: str, event: str) -> None:
    """S3's and Lambda's own names for events, as their guides list them."""
    assert build_record(call(service, name), SUCCESS)["eventName"] == event


# The services of LocalStack's community edition whose event source is not their name in botocore.
SOURCES = {
    "apigatewayv2": "apigateway",
    "cloudwatch": "monitoring",
    "dynamodbstreams": "dynamodb",
    "ecr": "ecr",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tagging",
    "s3control": "s3",
    "ses": "ses",
    "stepfunctions": "states",
}
SAME = """acm apigateway cloudformation config dynamodb ec2 es events firehose iam kinesis kms lambda logs
    redshift resource-groups route53 route53resolver s3 scheduler secretsmanager sns sqs ssm sts support
    swf transcribe cloudtrail cognito-idp athena glue"""


@pytest.mark.parametrize(("service", "source"), [*SOURCES.items(), *((name, name) for name in SAME.split())])
def test_event_sources(service: str, source: str) -> None:
    """Mostly the service's name; CloudWatch is `monitoring`.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    name = operations(service)[0]

    assert build_record(call(service, name), SUCCESS)["eventSource"] == f"{source}.amazonaws.com"
