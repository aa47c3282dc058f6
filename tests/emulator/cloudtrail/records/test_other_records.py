"""Records of services other than S3 against the examples in AWS's guides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from smas_emulator.cloudtrail.records import build_record, event_class, is_recorded
from smas_emulator.gateway.calls import Outcome
from smas_emulator.gateway.principals import Anonymous, IamUser, Root

from tests.emulator.cloudtrail.records.calls import ACCOUNT, SUCCESS, TIME, call

if TYPE_CHECKING:
    from smas_emulator.gateway.calls import Call

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/JohnRole2"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd"
QUEUE = f"http://sqs.us-east-1.localhost:4566/{ACCOUNT}/MyQueue"

ASSUME_ROLE = call(
    "sts",
    "AssumeRole",
    {
        "RoleArn": ROLE,
        "RoleSessionName": "Role2WithTags",
        "SourceIdentity": "ds-fraud",
        "Tags": [{"Key": "Email", "Value": "johndoe@example.com"}],
        "TransitiveTagKeys": ["Email"],
        "DurationSeconds": 3600,
        "TokenCode": "123456",
    },
)
ASSUMED = Outcome(
    200,
    {
        "Credentials": {
            "AccessKeyId": "ASIAI44QH8DHBEXAMPLE",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": TIME,
        },
        "AssumedRoleUser": {"AssumedRoleId": "AROAX:Role2WithTags", "Arn": f"{ROLE}/Role2WithTags"},
        "SourceIdentity": "ds-fraud",
    },
)


def test_a_chained_session_in_full() -> None:
    """The example "role chaining" of the IAM guide, but for the session token, which is hidden here.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
    """
    record = build_record(ASSUME_ROLE, ASSUMED)

    del record["eventID"]
    assert record == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:ds-fraud",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/smas-data-scientist/ds-fraud",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLE",
                    "arn": f"arn:aws:iam::{ACCOUNT}:role/smas/smas-data-scientist",
                    "accountId": ACCOUNT,
                    "userName": "smas-data-scientist",
                },
                "attributes": {"creationDate": "2026-11-24T09:29:15Z", "mfaAuthenticated": "false"},
                "sourceIdentity": "ds-fraud",
            },
        },
        "eventTime": "2026-11-24T09:30:15Z",
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.10",
        "userAgent": "Boto3/1.40.30",
        "requestParameters": {
            "incomingTransitiveTags": {"team": "fraud"},
            "tags": [{"key": "Email", "value": "johndoe@example.com"}],
            "roleArn": ROLE,
            "roleSessionName": "Role2WithTags",
            "sourceIdentity": "ds-fraud",
            "transitiveTagKeys": ["Email"],
            "durationSeconds": 3600,
            "tokenCode": HIDDEN,
        },
        "responseElements": {
            "credentials": {
                "accessKeyId": "ASIAI44QH8DHBEXAMPLE",
                "expiration": "Nov 24, 2026, 9:30:15 AM",
                "sessionToken": HIDDEN,
            },
            "assumedRoleUser": {
                "assumedRoleId": "AROAX:Role2WithTags",
                "arn": f"{ROLE}/Role2WithTags",
            },
            "sourceIdentity": "ds-fraud",
        },
        "requestID": "K5FH04G883381FE1",
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": ROLE}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {"clientProvidedHostHeader": "sts.us-east-1.amazonaws.com"},
    }


# Call, outcome, requestParameters, responseElements, resources.
EXAMPLES: list[Any] = [
    pytest.param(
        call("kms", "Decrypt", {"CiphertextBlob": b"c", "EncryptionContext": {"Project": "Alpha"}}),
        Outcome(200, {"KeyId": KEY, "Plaintext": b"p", "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
        {"encryptionContext": {"Project": "Alpha"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        None,
        [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}],
        # https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html
        id="Decrypt: neither ciphertext nor plaintext",
    ),
    pytest.param(
        call("kms", "GenerateDataKey", {"KeyId": "alias/models", "NumberOfBytes": 32}),
        Outcome(400, error_code="AccessDeniedException", error_message="no"),
        {"keyId": "alias/models", "numberOfBytes": 32},
        None,
        None,
        id="a refused use of an alias: which key it stands for is not told",
    ),
    pytest.param(
        call("kms", "GenerateDataKey", {"KeyId": "1234abcd", "NumberOfBytes": 32}),
        SUCCESS,
        {"keyId": "1234abcd", "numberOfBytes": 32},
        None,
        [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}],
        # https://docs.aws.amazon.com/kms/latest/developerguide/ct-generatedatakey.html
        id="GenerateDataKey",
    ),
    pytest.param(
        call("kms", "CreateGrant", {"KeyId": KEY, "GrantTokens": ["secret"], "Operations": ["Decrypt"]}),
        Outcome(200, {"GrantId": "g", "GrantToken": "secret"}),
        {"keyId": KEY, "operations": ["Decrypt"]},
        {"grantId": "g"},
        [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}],
        id="CreateGrant: no grant token",
    ),
    pytest.param(
        call(
            "sqs",
            "SendMessage",
            {"QueueUrl": QUEUE, "MessageBody": "secret", "MessageGroupId": "g"},
        ),
        Outcome(200, {"MD5OfMessageBody": "9a4e", "MessageId": "m", "SequenceNumber": "1"}),
        {"queueUrl": QUEUE, "messageBody": HIDDEN, "messageGroupId": "g"},
        {"mD5OfMessageBody": "9a4e", "messageId": "m", "sequenceNumber": "1"},
        [
            {
                "accountId": ACCOUNT,
                "type": "AWS::SQS::Queue",
                "ARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:MyQueue",
            }
        ],
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-logging-using-cloudtrail.html
        id="SendMessage",
    ),
    pytest.param(
        call("sqs", "ListQueues", {}),
        Outcome(200, {"QueueUrls": [QUEUE]}),
        None,
        None,
        [{"accountId": ACCOUNT, "type": "AWS::SQS::Queue", "ARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:*"}],
        id="ListQueues acts on all queues, as the same page notes",
    ),
    pytest.param(
        call(
            "sqs",
            "SetQueueAttributes",
            {"QueueUrl": QUEUE, "Attributes": {"DelaySeconds": "0", "Policy": ""}},
        ),
        SUCCESS,
        {"queueUrl": QUEUE, "attributes": {"DelaySeconds": "0", "Policy": ""}},
        None,
        [
            {
                "accountId": ACCOUNT,
                "type": "AWS::SQS::Queue",
                "ARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:MyQueue",
            }
        ],
        id="keys of maps keep their case, as in a real trail of 2025",
    ),
    pytest.param(
        call(
            "sns",
            "Publish",
            {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "Message": "secret", "Subject": "secret"},
        ),
        Outcome(200, {"MessageId": "m"}),
        {"topicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "message": HIDDEN, "subject": HIDDEN},
        {"messageId": "m"},
        [{"accountId": ACCOUNT, "type": "AWS::SNS::Topic", "ARN": f"arn:aws:sns:us-east-1:{ACCOUNT}:t"}],
        # https://docs.aws.amazon.com/sns/latest/dg/logging-using-cloudtrail.html
        id="Publish",
    ),
    pytest.param(
        call(
            "cognito-idp",
            "InitiateAuth",
            {
                "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": {"USERNAME": "ds-fraud", "PASSWORD": "secret"},
                "ClientId": "4u37654rhubj",
            },
            principal=Anonymous(),
            signature=None,
        ),
        Outcome(
            200,
            {
                "ChallengeParameters": {},
                "AuthenticationResult": {
                    "AccessToken": "secret",
                    "ExpiresIn": 3600,
                    "TokenType": "Bearer",
                    "RefreshToken": "secret",
                    "IdToken": "secret",
                },
            },
        ),
        {"authFlow": "USER_PASSWORD_AUTH", "authParameters": HIDDEN, "clientId": "4u37654rhubj"},
        {
            "challengeParameters": HIDDEN,
            "authenticationResult": {
                "accessToken": HIDDEN,
                "expiresIn": 3600,
                "tokenType": "Bearer",
                "refreshToken": HIDDEN,
                "idToken": HIDDEN,
            },
        },
        None,
        # https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html
        id="signing in, as real trails of 2024 and 2025 show it",
    ),
    pytest.param(
        call("cognito-idp", "CreateUserPoolClient", {"UserPoolId": "p", "GenerateSecret": True}),
        Outcome(200, {"UserPoolClient": {"ClientName": "c", "ClientSecret": "secret"}}),
        {"userPoolId": "p", "generateSecret": True},
        {"userPoolClient": {"clientName": "c", "clientSecret": HIDDEN}},
        None,
        id="a client's secret is hidden, not that it was asked for",
    ),
    pytest.param(
        call("iam", "CreateAccessKey", {"UserName": "Bob"}),
        Outcome(
            200,
            {
                "AccessKey": {
                    "UserName": "Bob",
                    "AccessKeyId": "AKIA",
                    "Status": "Active",
                    "SecretAccessKey": "secret",
                }
            },
        ),
        {"userName": "Bob"},
        {"accessKey": {"userName": "Bob", "accessKeyId": "AKIA", "status": "Active"}},
        None,
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
        id="a new access key without its secret",
    ),
    pytest.param(
        call("logs", "CreateExportTask", {"taskName": "t", "from": 0, "to": 123456789012}),
        Outcome(200, {"taskId": "15e5e534"}),
        {"taskName": "t", "from": 0, "to": 123456789012},
        {"taskId": "15e5e534"},
        None,
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/logging_cw_api_calls_cwl.html
        id="CreateExportTask",
    ),
    pytest.param(
        call("cloudtrail", "StopLogging", {"Name": "trail", "Unheard": "of"}),
        Outcome(200, {"ResponseMetadata": {"RequestId": "r"}}),
        {"name": "trail"},
        None,
        None,
        id="what the model does not know is not shown",
    ),
    pytest.param(
        call("nosuchservice", "DoSomething", {"Password": "secret"}),
        SUCCESS,
        None,
        None,
        None,
        id="of an unknown service the call alone is told",
    ),
]


@pytest.mark.parametrize(("made", "outcome", "parameters", "elements", "resources"), EXAMPLES)
def test_members_in_lower_camel_case(
    made: Call,
    outcome: Outcome,
    parameters: dict[str, Any] | None,
    elements: dict[str, Any] | None,
    resources: list[dict[str, str]] | None,
) -> None:
    """Members by their names with a small first letter; secrets hidden or left out as each service does."""
    record = build_record(made, outcome)

    assert record["requestParameters"] == parameters
    assert record["responseElements"] == elements
    assert record.get("resources") == resources
    assert "secret" not in str(record)


@pytest.mark.parametrize(
    ("principal", "identity"),
    [
        (
            IamUser(ACCOUNT, "AKIAX", "Alice", "AIDAX", path="/staff/"),
            {
                "type": "IAMUser",
                "principalId": "AIDAX",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/staff/Alice",
                "accountId": ACCOUNT,
                "accessKeyId": "AKIAX",
                "userName": "Alice",
            },
        ),
        (
            Root(ACCOUNT, "AKIAR"),
            {
                "type": "Root",
                "principalId": ACCOUNT,
                "arn": f"arn:aws:iam::{ACCOUNT}:root",
                "accountId": ACCOUNT,
                "accessKeyId": "AKIAR",
            },
        ),
        (Anonymous(), {"type": "Unknown", "principalId": "Anonymous"}),
    ],
)
def test_who(principal: Any, identity: dict[str, str]) -> None:
    """The `userIdentity` element of each kind of principal.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    assert build_record(call("sqs", "ListQueues", principal=principal), SUCCESS)["userIdentity"] == identity


def test_a_federated_caller_is_who_the_provider_says() -> None:
    """As the example for `AssumeRoleWithWebIdentity` on that page; its token is hidden."""
    record = build_record(
        call(
            "sts",
            "AssumeRoleWithWebIdentity",
            {"RoleArn": ROLE, "RoleSessionName": "s", "WebIdentityToken": "secret"},
            principal=Anonymous(),
            signature=None,
        ),
        Outcome(
            200,
            {
                "SubjectFromWebIdentityToken": "user-id",
                "Provider": "accounts.google.com",
                "Audience": "app-id",
            },
        ),
    )

    assert record["userIdentity"] == {
        "type": "WebIdentityUser",
        "principalId": "accounts.google.com:app-id:user-id",
        "userName": "user-id",
        "identityProvider": "accounts.google.com",
    }
    assert record["requestParameters"]["webIdentityToken"] == HIDDEN


def test_global_services_are_recorded_in_one_region() -> None:
    """IAM is us-east-1's, wherever it was called from; CloudWatch Logs tells its API's version."""
    elsewhere = call("iam", "ListRoles")

    assert build_record(elsewhere, SUCCESS)["awsRegion"] == "us-east-1"
    assert build_record(call("logs", "DescribeLogGroups"), SUCCESS)["apiVersion"] == "20140328"


def test_every_record_has_an_id_of_its_own() -> None:
    """Two records of the same call are told apart."""
    first, second = (build_record(ASSUME_ROLE, ASSUMED) for _ in range(2))

    assert first["eventID"] != second["eventID"]


@pytest.mark.parametrize(
    ("service", "operation", "recorded"),
    [
        ("logs", "PutLogEvents", False),
        ("firehose", "PutRecord", False),
        ("events", "PutEvents", False),
        ("logs", "CreateLogGroup", True),
        ("s3", "GetObject", True),
        ("cognito-idp", "InitiateAuth", True),
    ],
)
def test_what_cloudtrail_has_no_event_for(service: str, operation: str, recorded: bool) -> None:
    """Writing logs and events is not an event."""
    assert is_recorded(call(service, operation)) is recorded
    assert event_class(call(service, operation)) == ("Data" if service == "s3" else "Management")
