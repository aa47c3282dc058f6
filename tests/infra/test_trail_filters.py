"""What the metric filters over the trail count, tried on events in CloudTrail's own shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from smas_emulator.gateway.calls import Outcome
from smas_emulator.logs.filter_patterns import LONGEST_PATTERN, matcher

from deployment.canary import GROUP
from tests.emulator.cloudtrail.records.calls import ACCOUNT
from tests.infra.trail_filters import (
    ADMIN,
    BUCKET,
    DENIED,
    FOLDER,
    PERSONA,
    ROOT,
    TRAIL,
    counting,
    described,
    event,
    sign_in,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# What CIS AWS Foundations v5 names in 4.4 to 4.9, in its order, in which auditors' tools look for them.
CIS_EVENTS = {
    "iam-changes": [
        "DeleteGroupPolicy",
        "DeleteRolePolicy",
        "DeleteUserPolicy",
        "PutGroupPolicy",
        "PutRolePolicy",
        "PutUserPolicy",
        "CreatePolicy",
        "DeletePolicy",
        "CreatePolicyVersion",
        "DeletePolicyVersion",
        "AttachRolePolicy",
        "DetachRolePolicy",
        "AttachUserPolicy",
        "DetachUserPolicy",
        "AttachGroupPolicy",
        "DetachGroupPolicy",
    ],
    "trail-changes": ["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"],
    "key-losses": ["DisableKey", "ScheduleKeyDeletion"],
    "bucket-policy-changes": [
        "PutBucketAcl",
        "PutBucketPolicy",
        "PutBucketCors",
        "PutBucketLifecycle",
        "PutBucketReplication",
        "DeleteBucketPolicy",
        "DeleteBucketCors",
        "DeleteBucketLifecycle",
        "DeleteBucketReplication",
    ],
    "config-changes": [
        "StopConfigurationRecorder",
        "DeleteDeliveryChannel",
        "PutDeliveryChannel",
        "PutConfigurationRecorder",
    ],
}
SOURCES = {
    "iam-changes": "iam.amazonaws.com",
    "trail-changes": "cloudtrail.amazonaws.com",
    "key-losses": "kms.amazonaws.com",
    "bucket-policy-changes": "s3.amazonaws.com",
    "config-changes": "config.amazonaws.com",
}
TRAIL_NAME = {"Name": "smas"}
ROLE = {"RoleName": "smas-approver"}
KEY = {"KeyId": "11112222-3333-4444-5555-666677778888"}
MODELS = {"Bucket": BUCKET}
OBJECT = {"Bucket": BUCKET, "Key": "blobs/fraud/m/a1"}
TOPIC = f"arn:aws:sns:eu-central-1:{ACCOUNT}:smas-alarms"
FUNCTION = {"FunctionName": "smas-api"}
POOL = {"UserPoolId": "eu-central-1_pool"}
USER = {**POOL, "Username": "u"}
BYPASS = {"x-amz-bypass-governance-retention": "true"}


@pytest.mark.parametrize(("name", "operation"), [(n, o) for n, all_ in CIS_EVENTS.items() for o in all_])
def test_each_event_of_the_benchmark_is_counted(name: str, operation: str) -> None:
    """CIS 4.4, 4.5, 4.7, 4.8 and 4.9: every event that they name, by the filter that is theirs."""
    found = {
        "eventSource": SOURCES[name],
        "eventName": operation,
        "userIdentity": {"type": "AssumedRole"},
        "readOnly": False,
    }

    assert name in counting(found)
    assert name not in counting(found | {"eventName": "Get" + operation})


@pytest.mark.parametrize("name", sorted(CIS_EVENTS))
def test_the_benchmarks_events_stand_in_its_order(name: str) -> None:
    """Tools that audit an account look for the names in this order, and for no other."""
    pattern = TRAIL[name]["pattern"]
    said = [word.split('"')[1] for word in pattern.split("$.eventName = ")[1:]]

    assert said == CIS_EVENTS[name]


COUNTED: list[tuple[str, str, Mapping[str, Any], str]] = [
    # The trail and what watches it.
    ("cloudtrail", "StopLogging", TRAIL_NAME, "trail-changes"),
    ("cloudtrail", "StopLogging", TRAIL_NAME, "watch-changes"),
    ("cloudtrail", "DeleteTrail", TRAIL_NAME, "trail-changes"),
    ("cloudtrail", "UpdateTrail", TRAIL_NAME, "trail-changes"),
    ("cloudtrail", "PutEventSelectors", {"TrailName": "smas"}, "watch-changes"),
    ("logs", "DeleteLogGroup", {"logGroupName": "/smas/trail"}, "watch-changes"),
    (
        "logs",
        "DeleteMetricFilter",
        {"logGroupName": "/smas/trail", "filterName": "root-use"},
        "watch-changes",
    ),
    (
        "logs",
        "PutRetentionPolicy",
        {"logGroupName": "/smas/service", "retentionInDays": 1},
        "watch-changes",
    ),
    ("cloudwatch", "DeleteAlarms", {"AlarmNames": ["other", "smas-root-use"]}, "watch-changes"),
    ("cloudwatch", "DisableAlarmActions", {"AlarmNames": ["smas-root-use"]}, "watch-changes"),
    ("cloudwatch", "PutMetricAlarm", {"AlarmName": "smas-root-use", "Threshold": 9.0}, "watch-changes"),
    ("sns", "DeleteTopic", {"TopicArn": TOPIC}, "watch-changes"),
    ("sns", "SetTopicAttributes", {"TopicArn": TOPIC, "AttributeName": "Policy"}, "watch-changes"),
    ("sns", "Unsubscribe", {"SubscriptionArn": f"{TOPIC}:0f"}, "watch-changes"),
    # Keys.
    ("kms", "DisableKey", KEY, "key-losses"),
    ("kms", "ScheduleKeyDeletion", KEY, "key-losses"),
    ("kms", "PutKeyPolicy", {**KEY, "PolicyName": "default", "Policy": "{}"}, "key-changes"),
    ("kms", "DisableKeyRotation", KEY, "key-changes"),
    ("kms", "CreateGrant", {**KEY, "GranteePrincipal": "x", "Operations": ["Decrypt"]}, "key-changes"),
    # Buckets.
    ("s3", "PutBucketPolicy", {**MODELS, "Policy": "{}"}, "bucket-policy-changes"),
    ("s3", "PutBucketPolicy", {**MODELS, "Policy": "{}"}, "bucket-changes"),
    ("s3", "DeleteBucketPolicy", MODELS, "bucket-changes"),
    ("s3", "PutPublicAccessBlock", MODELS, "bucket-changes"),
    ("s3", "DeletePublicAccessBlock", MODELS, "bucket-changes"),
    ("s3", "PutBucketVersioning", MODELS, "bucket-changes"),
    ("s3", "PutBucketLifecycleConfiguration", MODELS, "bucket-changes"),
    ("s3", "PutBucketReplication", MODELS, "bucket-changes"),
    ("s3", "PutBucketEncryption", MODELS, "bucket-changes"),
    ("s3", "DeleteBucketEncryption", MODELS, "bucket-changes"),
    ("s3", "PutBucketLogging", MODELS, "bucket-changes"),
    ("s3", "PutBucketNotificationConfiguration", MODELS, "bucket-changes"),
    ("s3", "PutObjectLockConfiguration", MODELS, "bucket-changes"),
    ("s3", "PutObjectLockConfiguration", MODELS, "object-lock-changes"),
    ("s3", "PutObjectRetention", OBJECT, "object-lock-changes"),
    ("s3", "PutObjectLegalHold", OBJECT, "object-lock-changes"),
    ("s3control", "PutPublicAccessBlock", {"AccountId": ACCOUNT}, "bucket-changes"),
    # Roles, functions, people.
    ("iam", "PutRolePolicy", {**ROLE, "PolicyName": "p", "PolicyDocument": "{}"}, "iam-changes"),
    ("iam", "PutRolePolicy", {**ROLE, "PolicyName": "p", "PolicyDocument": "{}"}, "role-changes"),
    ("iam", "UpdateAssumeRolePolicy", {**ROLE, "PolicyDocument": "{}"}, "role-changes"),
    (
        "iam",
        "AttachRolePolicy",
        {**ROLE, "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        "role-changes",
    ),
    ("iam", "DeleteRolePermissionsBoundary", ROLE, "role-changes"),
    ("lambda", "UpdateFunctionCode", {**FUNCTION, "ImageUri": "x"}, "function-changes"),
    ("lambda", "UpdateFunctionConfiguration", FUNCTION, "function-changes"),
    ("lambda", "AddPermission", {**FUNCTION, "StatementId": "x"}, "function-changes"),
    ("cognito-idp", "SetUserPoolMfaConfig", {**POOL, "MfaConfiguration": "OFF"}, "user-pool-changes"),
    ("cognito-idp", "UpdateUserPoolClient", {**POOL, "ClientId": "c"}, "user-pool-changes"),
    ("cognito-idp", "CreateIdentityProvider", {**POOL, "ProviderName": "p"}, "user-pool-changes"),
    ("cognito-idp", "SetRiskConfiguration", POOL, "user-pool-changes"),
    ("cognito-idp", "AddUserPoolClientSecret", {**POOL, "ClientId": "c"}, "user-pool-changes"),
    ("cognito-idp", "DeleteUserPoolClientSecret", {**POOL, "ClientId": "c"}, "user-pool-changes"),
    ("cognito-idp", "AdminAddUserToGroup", {**USER, "GroupName": "auditor"}, "user-pool-changes"),
    ("cognito-idp", "AdminAddUserToGroup", {**USER, "GroupName": "approver@canary"}, "user-pool-changes"),
    ("cognito-idp", "AdminSetUserPassword", USER, "user-pool-changes"),
    ("cognito-idp", "AdminUpdateUserAttributes", USER, "user-pool-changes"),
    # What `python -m deployment bar` and `unbar` call.
    ("cognito-idp", "AdminDisableUser", USER, "user-pool-changes"),
    ("cognito-idp", "AdminEnableUser", USER, "user-pool-changes"),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "name"), COUNTED)
def test_a_change_of_what_protects_is_counted(
    service: str, operation: str, parameters: Mapping[str, Any], name: str
) -> None:
    """Whoever makes it, and however it ends: an attempt that was refused counts as well."""
    assert name in counting(event(service, operation, parameters))
    assert name in counting(event(service, operation, parameters, outcome=DENIED))


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("cloudtrail", "GetTrailStatus", TRAIL_NAME),
        ("cloudtrail", "LookupEvents", {}),
        ("logs", "CreateLogStream", {"logGroupName": "/smas/service", "logStreamName": "x"}),
        ("logs", "DeleteLogGroup", {"logGroupName": "/other/service"}),
        ("cloudwatch", "PutMetricAlarm", {"AlarmName": "TargetTracking-function:smas-api:live-AlarmHigh"}),
        ("kms", "Decrypt", {"KeyId": KEY["KeyId"]}),
        ("kms", "GenerateDataKey", KEY),
        ("s3", "PutBucketVersioning", {"Bucket": "another-bucket"}),
        ("s3", "GetBucketPolicy", MODELS),
        ("s3", "PutObject", OBJECT),
        ("s3", "GetObject", OBJECT),
        ("s3", "DeleteObject", OBJECT),
        ("iam", "GetRolePolicy", {**ROLE, "PolicyName": "p"}),
        ("iam", "UpdateAssumeRolePolicy", {"RoleName": "another", "PolicyDocument": "{}"}),
        ("lambda", "GetFunction", FUNCTION),
        ("lambda", "UpdateFunctionCode", {"FunctionName": "another"}),
        ("lambda", "PutProvisionedConcurrencyConfig", {**FUNCTION, "Qualifier": "live"}),
        ("cognito-idp", "AdminGetUser", USER),
        ("cognito-idp", "ListUserPoolClientSecrets", {**POOL, "ClientId": "c"}),
        ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::1:role/x", "RoleSessionName": "s"}),
    ],
)
def test_everyday_calls_and_those_of_others_are_not(
    service: str, operation: str, parameters: Mapping[str, Any]
) -> None:
    """No filter counts reading, work with models, what AWS does for us, or another application's things."""
    assert counting(event(service, operation, parameters)) == set()


def test_deletion_past_a_lock_is_counted() -> None:
    """The bypass of governance mode is in the request's headers, refused or not."""
    for outcome in (Outcome(204), DENIED):
        found = event("s3", "DeleteObject", OBJECT, headers=BYPASS, outcome=outcome)
        assert "object-lock-changes" in counting(found)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("AdminCreateUser", {"MessageAction": "SUPPRESS"}),
        ("AdminAddUserToGroup", {"GroupName": GROUP}),
        ("AdminInitiateAuth", {"ClientId": "c", "AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}),
        ("AdminRespondToAuthChallenge", {"ClientId": "c", "ChallengeName": "NEW_PASSWORD_REQUIRED"}),
        ("AdminDeleteUser", {}),
    ],
)
def test_a_smoke_test_is_no_alarm(operation: str, parameters: Mapping[str, Any]) -> None:
    """What a deployment does with its canary user: its group gives nobody a model of another team."""
    assert counting(event("cognito-idp", operation, {**USER, **parameters})) == set()


def test_a_group_that_the_trail_hides_is_counted() -> None:
    """What nobody can tell from the smoke test's group is taken for another."""
    added = event("cognito-idp", "AdminAddUserToGroup", {**USER, "GroupName": GROUP})
    for shown in ({}, {"groupName": "HIDDEN_DUE_TO_SECURITY_REASONS"}):
        assert "user-pool-changes" in counting(added | {"requestParameters": shown})
    assert "user-pool-changes" in counting(added | {"requestParameters": None})


def test_what_aws_does_for_us_with_keys_is_not_counted() -> None:
    """Lambda grants itself the use of a key for each function; a person's grant counts."""
    grant = event("kms", "CreateGrant", {**KEY, "GranteePrincipal": "x", "Operations": ["Decrypt"]})
    grant["userIdentity"]["invokedBy"] = "lambda.amazonaws.com"

    assert counting(grant) == set()


def test_a_denied_call_of_a_person_is_counted() -> None:
    """By a role of the store; of other roles only the account-wide filter counts it."""
    assert counting(event("s3", "GetObject", OBJECT, who=PERSONA, outcome=DENIED)) == {
        "denied-calls",
        "unauthorized-calls",
    }
    assert counting(event("s3", "GetObject", OBJECT, who=ADMIN, outcome=DENIED)) == {"unauthorized-calls"}
    assert counting(event("s3", "GetObject", OBJECT, who=PERSONA)) == set()


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"])
def test_every_word_for_denied_is_counted(code: str) -> None:
    """CIS 4.1: services differ in it. S3's own look at a bucket before it answers does not count."""
    refused = Outcome(403, error_code=code, error_message="no")
    assert "unauthorized-calls" in counting(event("s3", "ListBuckets", {}, outcome=refused))
    assert "denied-calls" in counting(event("s3", "ListBuckets", {}, outcome=refused, who=PERSONA))
    assert counting(event("s3", "HeadBucket", MODELS, outcome=refused)) == set()


def test_use_of_root_is_counted() -> None:
    """CIS 4.3: whatever root does; not what AWS does in the account's name."""
    used = event("s3", "ListBuckets", {}, who=ROOT)
    assert counting(used) == {"root-use"}

    used["userIdentity"]["invokedBy"] = "support.amazonaws.com"
    assert counting(used) == set()


def test_sign_ins_to_the_console_are_counted() -> None:
    """CIS 4.2 and 4.6: those without a second factor, and those that failed."""
    assert counting(sign_in()) == set()
    assert counting(sign_in(mfa=False)) == {"console-sign-ins-without-mfa"}
    assert counting(sign_in(failed=True)) == {"console-sign-in-failures"}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_each_file_is_one_filter_that_cloudwatch_takes(file: Any) -> None:
    """Named as its file, a pattern within CloudWatch's limits, one count a match and 0 without one."""
    found = described(file)

    assert found["name"] == file.stem
    assert found["log_group"] in {"service", "worker", "trail", "api_gateway"}
    assert (found["namespace"], found["value"], found["default"]) == ("SMAS", 1, 0)
    assert "${" not in found["pattern"]
    assert len(found["pattern"]) <= LONGEST_PATTERN
    assert not matcher(found["pattern"])(json.dumps({"message": "request"}))


def test_no_two_filters_count_into_one_metric() -> None:
    """An alarm's metric names its filter."""
    metrics = [described(file)["metric"] for file in FOLDER.glob("*.json")]

    assert len(metrics) == len(set(metrics))
