"""Whoever only reads changes nothing: each operation that could is asked for, of each service that matters.

The operations are those of botocore's own models, each asked with the least it can be called with about what
is really there; so a new one is tried as soon as botocore knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.infra.policy_rules import KINDS
from tests.stack.least_requests import changing, least, members
from tests.stack.sessions import REFUSED, SUBJECT, VERIFIER, session
from tests.stack.stored_models import BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.stack.stored_models import StoredModels

READERS = ("persona-compliance", "persona-auditor", "persona-custodian", "watch")
ARN = "arn:aws:{}:us-east-1:000000000000:{}"
# What is there, by the names that members of requests have for it.
THERE: dict[str, dict[str, Any]] = {
    "cloudtrail": {
        "Name": "smas",
        "TrailName": "smas",
        "ResourceId": ARN.format("cloudtrail", "trail/smas"),
        "S3BucketName": "smas-trail",
        "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False}],
    },
    "logs": {
        "logGroupName": "/smas/service",
        "logStreamName": "matrix",
        "logGroupIdentifier": "/smas/service",
        "resourceArn": ARN.format("logs", "log-group:/smas/service"),
        "filterName": "matrix",
        "retentionInDays": 1,
    },
    "iam": {
        "RoleName": "smas-service",
        "UserName": "smas-local",
        "PolicyName": "smas-service",
        "PolicyDocument": '{"Version": "2012-10-17", "Statement": []}',
        "AssumeRolePolicyDocument": '{"Version": "2012-10-17", "Statement": []}',
        "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
        "PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess",
    },
}


def refused(client: Any, operation: str, known: dict[str, Any]) -> bool:
    """Whether IAM refuses an operation; one that the local AWS does not even know is not there to be used."""
    asked = least(client.meta.service_model.service_name, operation, known)
    try:
        answer = getattr(client, xform_name(operation))(**asked)
    except ClientError as error:
        told = error.response["Error"]
        return told["Code"] in REFUSED or "with unknown operation" in told["Message"]
    # `DeleteObjects` answers key by key.
    return {error["Code"] for error in answer.get("Errors", ())} == {"AccessDenied"}


def passed(
    models: StoredModels, role: str, service: str, operations: Iterable[str], known: dict[str, Any]
) -> list[str]:
    """The operations of a service that the role is not refused."""
    client = session(models.account, role).client(models.account, service)
    return [each for each in operations if not refused(client, each, known)]


@pytest.fixture
def unchanged(models: StoredModels) -> Iterator[None]:
    """Holds the store to being what it was before: every version of every object, and the trail."""
    cloudtrail = models.account.root_client("cloudtrail")

    def seen() -> Any:
        selectors = cloudtrail.get_event_selectors(TrailName="smas")["AdvancedEventSelectors"]
        status = cloudtrail.get_trail_status(Name="smas")["IsLogging"]
        return models.everything(), status, selectors

    before = seen()
    yield
    assert seen() == before


def operations_of_s3(*, on_objects: bool) -> list[str]:
    """S3's operations that change something, on an object or on a bucket."""
    return [
        name
        for name in changing("s3")
        if name != "WriteGetObjectResponse"  # asks nothing of a bucket: it answers to a Lambda
        if ("Key" in members("s3", name) or name == "DeleteObjects") is on_objects
    ]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("role", READERS)
def test_a_reader_changes_no_object(models: StoredModels, role: str) -> None:
    """Of any kind, in its current or in a named version, and none of the trail's files."""
    trail = models.account.root_client("s3").list_objects_v2(Bucket="smas-trail", MaxKeys=1)["Contents"]
    places = [models.place(kind) for kind in sorted(KINDS)]
    places.append({"Bucket": "smas-trail", "Key": trail[0]["Key"]})
    s3 = session(models.account, role).client(models.account, "s3")
    on_objects = operations_of_s3(on_objects=True)
    on_versions = [name for name in on_objects if "VersionId" in members("s3", name)]
    for place in [*places, *(models.version(kind) for kind in sorted(KINDS))]:
        target = {name: place[name] for name in place if name != "Bucket"}
        known = {
            **place,
            "Delete": {"Objects": [target]},
            "CopySource": models.place("cards"),
            "Body": BYTES,
            "ACL": "private",
            "UploadId": "none",
        }
        asked = [*on_versions, "DeleteObjects"] if "VersionId" in place else on_objects
        assert [each for each in asked if not refused(s3, each, known)] == [], place


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("bucket", ["smas-models", "smas-trail"])
@pytest.mark.parametrize("role", READERS)
def test_a_reader_configures_no_bucket(models: StoredModels, role: str, bucket: str) -> None:
    """Neither policy nor lock nor lifecycle nor anything else of the two buckets, nor makes another."""
    assert passed(models, role, "s3", operations_of_s3(on_objects=False), {"Bucket": bucket}) == []


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("service", sorted(THERE))
@pytest.mark.parametrize("role", READERS)
def test_a_reader_changes_neither_trail_nor_log_nor_roles(
    models: StoredModels, role: str, service: str
) -> None:
    """Above all: the trail is neither stopped nor deleted nor narrowed, and no line of the log is removed."""
    assert passed(models, role, service, changing(service), THERE[service]) == []


@pytest.mark.parametrize("key", ["bytes_key_arn", "metadata_key_arn", "logs_key_arn"])
@pytest.mark.parametrize("role", READERS)
def test_a_reader_changes_no_key(models: StoredModels, role: str, key: str) -> None:
    """Neither disabled nor scheduled to be deleted nor given to others; nothing is encrypted or signed."""
    known = {"KeyId": models.account.stack[key], "TargetKeyId": models.account.stack[key]}
    assert passed(models, role, "kms", changing("kms"), known) == []


@pytest.mark.parametrize("role", READERS)
def test_a_reader_sends_no_message_and_becomes_nobody_else(models: StoredModels, role: str) -> None:
    """The verifier's queue is not theirs to fill, empty or read; and a session leads to no other."""
    known = {"QueueUrl": models.account.stack["events_queue_url"], "QueueName": "smas-events"}
    assert passed(models, role, "sqs", changing("sqs"), known) == []
    subject = VERIFIER if role == "watch" else SUBJECT
    wanted = {"RoleSessionName": "matrix", "SourceIdentity": subject}
    for other in ("service", "worker", "data-scientist", "approver", "verifier-tagging"):
        asked = {**wanted, "RoleArn": f"arn:aws:iam::000000000000:role/smas-{other}"}
        assert passed(models, role, "sts", ["AssumeRole"], asked) == []
