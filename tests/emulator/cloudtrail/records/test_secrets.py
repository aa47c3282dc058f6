"""No record holds a secret, wherever in a call it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cloudtrail.records import build_record, secondary_records
from smas_emulator.cloudtrail.records.operations import operation, service_model
from smas_emulator.gateway.calls import Outcome

from tests.emulator.cloudtrail.records.calls import PRESIGNED, SIGNED, call
from tests.emulator.cloudtrail.records.shapes import whole

if TYPE_CHECKING:
    from botocore.model import Shape

# Long enough that no other text contains it by chance.
MARKERS = st.text("ABCDEFabcdef0123456789", min_size=24, max_size=40).map("Qz{}".format)

HEADERS = (
    "authorization",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-server-side-encryption-context",
    "x-amz-mfa",
    "x-amz-meta-note",
    "x-amz-unheard-of",
    "cookie",
    "x-custom-header",
)
QUERY = (
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "x-amz-security-token",
    "X-Amz-Credential",
    "Signature",
    "AWSAccessKeyId",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-MD5",
    "x-amz-meta-note",
    "x-my-token",
    "x-my-secret",
    "token",
)


@given(
    marker=MARKERS,
    headers=st.sets(st.sampled_from(HEADERS)),
    query=st.sets(st.sampled_from(QUERY)),
    name=st.sampled_from(
        ["GetObject", "PutObject", "UploadPart", "CopyObject", "PutBucketPolicy", "PostObject"]
    ),
    error=st.sampled_from([None, "refused"]),
    presigned=st.booleans(),
)
def test_how_a_call_to_s3_was_signed_is_never_shown(
    marker: str, headers: set[str], query: set[str], name: str, error: str | None, presigned: bool
) -> None:
    """Signature, token and customers' keys, in headers or query, of calls served and refused."""
    made = call(
        "s3",
        name,
        {
            "Bucket": "models",
            "Key": "a",
            "Body": marker.encode(),
            "SSECustomerKey": marker,
            "CopySourceSSECustomerKey": marker,
            "SSEKMSEncryptionContext": marker,
            "MFA": marker,
        },
        headers={
            each: f"AWS4-HMAC-SHA256 Credential=A, Signature={marker}" if each == "authorization" else marker
            for each in headers
        },
        query=[(each, marker) for each in query],
        signature=PRESIGNED if presigned else SIGNED,
    )
    outcome = Outcome(
        403 if error else 200,
        {"Body": marker.encode(), "SSEKMSEncryptionContext": marker},
        error,
        error,
        headers={"set-cookie": marker, "x-amz-server-side-encryption-context": marker},
    )

    written = json.dumps([build_record(made, outcome), *secondary_records(made, outcome)])

    assert marker not in written


# Where secrets are that botocore's models declare, or fail to.
MEMBERS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "sts",
        "AssumeRole",
        {"RoleArn": "r", "TokenCode": "@"},
        {"Credentials": {"SecretAccessKey": "@", "SessionToken": "@"}},
    ),
    ("sts", "GetSessionToken", {"TokenCode": "@"}, {"Credentials": {"SecretAccessKey": "@"}}),
    ("sts", "AssumeRoleWithWebIdentity", {"WebIdentityToken": "@"}, {"Credentials": {"SessionToken": "@"}}),
    ("sts", "AssumeRoleWithSAML", {"SAMLAssertion": "@"}, {"Credentials": {"SessionToken": "@"}}),
    ("iam", "CreateLoginProfile", {"UserName": "u", "Password": "@"}, {}),
    ("iam", "ChangePassword", {"OldPassword": "@", "NewPassword": "@"}, {}),
    ("iam", "CreateAccessKey", {}, {"AccessKey": {"SecretAccessKey": "@"}}),
    ("iam", "UploadServerCertificate", {"PrivateKey": "@"}, {}),
    ("iam", "EnableMFADevice", {"AuthenticationCode1": "@", "AuthenticationCode2": "@"}, {}),
    (
        "iam",
        "CreateVirtualMFADevice",
        {},
        {"VirtualMFADevice": {"Base32StringSeed": b"@", "QRCodePNG": b"@"}},
    ),
    ("kms", "Encrypt", {"Plaintext": b"@", "GrantTokens": ["@"]}, {"CiphertextBlob": b"@"}),
    ("kms", "Decrypt", {"CiphertextBlob": b"@"}, {"Plaintext": b"@"}),
    ("kms", "GenerateDataKey", {}, {"Plaintext": b"@", "CiphertextBlob": b"@"}),
    ("kms", "CreateGrant", {}, {"GrantToken": "@"}),
    ("kms", "ImportKeyMaterial", {"ImportToken": b"@", "EncryptedKeyMaterial": b"@"}, {}),
    ("kms", "CreateCustomKeyStore", {"KeyStorePassword": "@"}, {}),
    (
        "sqs",
        "SendMessage",
        {
            "MessageBody": "@",
            "MessageAttributes": {"a": {"StringValue": "@", "DataType": "String"}},
            "MessageSystemAttributes": {"AWSTraceHeader": {"StringValue": "@", "DataType": "String"}},
        },
        {},
    ),
    ("sqs", "SendMessageBatch", {"Entries": [{"Id": "1", "MessageBody": "@"}]}, {}),
    ("sqs", "ReceiveMessage", {}, {"Messages": [{"Body": "@", "MessageId": "m"}]}),
    ("sns", "Publish", {"Message": "@", "Subject": "@"}, {}),
    ("sns", "PublishBatch", {"PublishBatchRequestEntries": [{"Id": "1", "Message": "@"}]}, {}),
    (
        "cognito-idp",
        "InitiateAuth",
        {"AuthParameters": {"PASSWORD": "@", "REFRESH_TOKEN": "@", "SECRET_HASH": "@"}},
        {"AuthenticationResult": {"AccessToken": "@", "IdToken": "@", "RefreshToken": "@"}, "Session": "@"},
    ),
    (
        "cognito-idp",
        "RespondToAuthChallenge",
        {"ChallengeResponses": {"NEW_PASSWORD": "@"}, "Session": "@"},
        {},
    ),
    ("cognito-idp", "AdminCreateUser", {"TemporaryPassword": "@", "Username": "@"}, {}),
    ("cognito-idp", "AdminSetUserPassword", {"Password": "@"}, {}),
    (
        "cognito-idp",
        "ConfirmForgotPassword",
        {"ConfirmationCode": "@", "Password": "@", "SecretHash": "@"},
        {},
    ),
    (
        "cognito-idp",
        "ChangePassword",
        {"PreviousPassword": "@", "ProposedPassword": "@", "AccessToken": "@"},
        {},
    ),
    ("cognito-idp", "RevokeToken", {"Token": "@", "ClientSecret": "@"}, {}),
    ("cognito-idp", "CreateUserPoolClient", {}, {"UserPoolClient": {"ClientSecret": "@"}}),
    ("cognito-idp", "AssociateSoftwareToken", {"Session": "@"}, {"SecretCode": "@", "Session": "@"}),
    ("cognito-idp", "VerifySoftwareToken", {"UserCode": "@"}, {}),
    (
        "cognito-idp",
        "CreateIdentityProvider",
        {"ProviderDetails": {"client_id": "c", "client_secret": "@"}},
        {"IdentityProvider": {"ProviderDetails": {"client_secret": "@"}}},
    ),
    ("sns", "CreatePlatformApplication", {"Attributes": {"PlatformCredential": "@"}}, {}),
    ("cloudformation", "CreateStack", {"Parameters": [{"ParameterKey": "k", "ParameterValue": "@"}]}, {}),
    ("ec2", "RunInstances", {"UserData": "@"}, {}),
    ("redshift", "CreateCluster", {"MasterUserPassword": "@"}, {}),
    ("secretsmanager", "CreateSecret", {"SecretString": "@", "SecretBinary": b"@"}, {}),
    ("ssm", "PutParameter", {"Name": "n", "Value": "@"}, {}),
    ("lambda", "Invoke", {"Payload": b"@"}, {"Payload": b"@"}),
    (
        "lambda",
        "CreateFunction",
        {"Environment": {"Variables": {"PASSWORD": "@"}}, "Code": {"ZipFile": b"@"}},
        {},
    ),
    ("dynamodb", "PutItem", {"TableName": "t", "Item": {"a": {"S": "@"}}}, {}),
    (
        "dynamodb",
        "BatchWriteItem",
        {"RequestItems": {"t": [{"PutRequest": {"Item": {"a": {"S": "@"}}}}]}},
        {},
    ),
    ("kinesis", "PutRecord", {"Data": b"@"}, {}),
    ("logs", "PutLogEvents", {"logEvents": [{"message": "@"}]}, {}),
    ("logs", "TestMetricFilter", {"logEventMessages": ["@"]}, {}),
    ("events", "PutEvents", {"Entries": [{"Detail": "@"}]}, {}),
    ("stepfunctions", "StartExecution", {"input": "@"}, {}),
    ("ses", "SendEmail", {"Message": {"Body": {"Text": {"Data": "@"}}}}, {}),
]


def marked(value: Any, marker: str) -> Any:
    """The value with the marker wherever it has an `@`."""
    if isinstance(value, dict):
        return {key: marked(each, marker) for key, each in value.items()}
    if isinstance(value, list):
        return [marked(each, marker) for each in value]
    if isinstance(value, bytes):
        return marker.encode() if value == b"@" else value
    return marker if value == "@" else value


@pytest.mark.parametrize(
    ("service", "name", "parameters", "answer"), MEMBERS, ids=[f"{each[0]}-{each[1]}" for each in MEMBERS]
)
@given(marker=MARKERS, failed=st.booleans(), text=st.sampled_from(["", "Value '{}' at 'x' is invalid", "{}"]))
def test_secrets_among_members_are_never_shown(
    service: str,
    name: str,
    parameters: dict[str, Any],
    answer: dict[str, Any],
    marker: str,
    failed: bool,
    text: str,
) -> None:
    """Passwords, tokens, keys, codes and bodies: neither where they belong nor quoted in an error."""
    headers = {"authorization": marker, "x-amz-security-token": marker}
    made = call(service, name, marked(parameters, marker), headers=headers)
    outcome = (
        Outcome(400, {}, "ValidationException", text.format(marker))
        if failed
        else Outcome(200, marked(answer, marker))
    )

    written = json.dumps(build_record(made, outcome))

    assert marker not in written
    assert marker.encode().hex() not in written


@pytest.mark.parametrize("service", ["sts", "kms", "sqs", "iam", "cognito-idp", "cloudtrail", "logs", "ssm"])
def test_what_a_model_calls_sensitive_is_never_shown(service: str) -> None:
    """Nor a blob: in whatever depth, in every operation; but a Cognito client's id, as AWS shows it."""
    marker = "Qz0123456789abcdef0123456789"

    def text(name: str, shape: Shape) -> str:
        secret = shape.metadata.get("sensitive") or shape.type_name == "blob"
        return marker if secret and name != "ClientId" else "harmless"

    model = service_model(service)
    assert model is not None
    for name in model.operation_names:
        known = operation(service, name)
        parameters = whole(known.request, text) if known.request else {}
        answer = whole(known.answer, text) if known.answer else {}

        record = build_record(call(service, name, parameters), Outcome(200, answer))

        assert marker not in json.dumps(record), name


def test_an_error_keeps_what_it_says_besides_the_secret() -> None:
    """Only the secret goes from a message; what was wrong stays."""
    made = call("cognito-idp", "SignUp", {"ClientId": "c", "Password": "hunter2222"})
    outcome = Outcome(400, {}, "InvalidParameterException", "Value 'hunter2222' at 'password' is too short.")

    message = build_record(made, outcome)["errorMessage"]

    assert message == "Value 'HIDDEN_DUE_TO_SECURITY_REASONS' at 'password' is too short."
