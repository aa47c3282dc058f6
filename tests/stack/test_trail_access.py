"""Who reads what proves it all, tried on the local AWS: the trail's files and keys, and the service's log.

The promise is `tests.infra.access.READ_THE_TRAIL`; that nobody changes any of it is in
`tests.stack.test_nothing_is_changed` and in the bucket's own policy.
"""

from __future__ import annotations

import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.access import READ_THE_TRAIL
from tests.infra.rendering import PERSONAS
from tests.stack.sessions import VERIFYING, allowed, session

if TYPE_CHECKING:
    from tests.local_aws import LocalStack

TRAIL_BUCKET, FOLDER = "smas-trail", "AWSLogs/000000000000/"
SERVICE_LOG, WORKER_LOG = "/smas/service", "/smas/worker"
SESSIONS = (*PERSONAS, *VERIFYING, "service", "worker")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def delivered(local_aws: LocalStack) -> list[dict[str, Any]]:
    """A log file and a digest that the trail delivered."""
    url = f"{local_aws.endpoint}/_smas/cloudtrail/flush?digest=true"
    local_aws.root_client("sts").get_caller_identity()
    with _DIRECT.open(urllib.request.Request(url, method="POST"), timeout=60):
        pass
    s3, found = local_aws.root_client("s3"), []
    for kind in ("CloudTrail", "CloudTrail-Digest"):
        listed = s3.list_objects_v2(Bucket=TRAIL_BUCKET, Prefix=f"{FOLDER}{kind}/")["Contents"]
        found.append({"Bucket": TRAIL_BUCKET, "Key": listed[0]["Key"]})
    return found


@pytest.mark.parametrize("role", SESSIONS)
def test_the_trails_files_are_read_by_its_readers(
    local_aws: LocalStack, delivered: list[dict[str, Any]], role: str
) -> None:
    """Log files and digests, their versions and their lists, for three roles and no other."""
    s3, root = session(local_aws, role).client(local_aws, "s3"), local_aws.root_client("s3")
    for place in delivered:
        head = root.head_object(**place)
        assert head["SSEKMSKeyId"] == local_aws.stack["logs_key_arn"]
        version = {**place, "VersionId": head["VersionId"]}
        folder = {"Bucket": TRAIL_BUCKET, "Prefix": place["Key"].rpartition("/")[0] + "/"}
        asked = {
            "read": allowed(s3.get_object, **place),
            "head": allowed(s3.head_object, **place),
            "read a version": allowed(s3.get_object, **version),
            "list": allowed(s3.list_objects_v2, **folder),
            "list versions": allowed(s3.list_object_versions, **folder),
        }
        assert set(asked.values()) == {role in READ_THE_TRAIL}, asked


@pytest.mark.parametrize("role", SESSIONS)
def test_nobody_lists_the_whole_bucket_of_the_trail(local_aws: LocalStack, role: str) -> None:
    """Nor another account's folder, nor what lies beside."""
    s3 = session(local_aws, role).client(local_aws, "s3")
    for prefix in ("", "AWSLogs/", "AWSLogs/000000000000", "AWSLogs/111122223333/", "other/"):
        assert not allowed(s3.list_objects_v2, Bucket=TRAIL_BUCKET, Prefix=prefix)
    assert not allowed(s3.get_object, Bucket=TRAIL_BUCKET, Key="AWSLogs/111122223333/CloudTrail/log.json.gz")


@pytest.mark.parametrize("role", SESSIONS)
def test_the_public_keys_are_for_whoever_verifies(local_aws: LocalStack, role: str) -> None:
    """`compliance` and `auditor` ask CloudTrail for them, and for nothing else."""
    cloudtrail = session(local_aws, role).client(local_aws, "cloudtrail")
    assert allowed(cloudtrail.list_public_keys) == (role in READ_THE_TRAIL - {"watch"})
    assert not allowed(cloudtrail.lookup_events)
    assert not allowed(cloudtrail.describe_trails)
    assert not allowed(cloudtrail.get_trail_status, Name="smas")


@pytest.mark.parametrize("role", SESSIONS)
def test_the_services_log_is_read_by_the_same(local_aws: LocalStack, role: str) -> None:
    """By name or by ARN; the worker's log group, and any whose name begins alike, stay shut."""
    logs = session(local_aws, role).client(local_aws, "logs")
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:"
    reads = role in READ_THE_TRAIL
    assert allowed(logs.filter_log_events, logGroupName=SERVICE_LOG) == reads
    assert allowed(logs.filter_log_events, logGroupIdentifier=f"{arn}{SERVICE_LOG}") == reads
    for other in (WORKER_LOG, f"{SERVICE_LOG}-2", f"{SERVICE_LOG}/more", "/smas"):
        assert not allowed(logs.filter_log_events, logGroupName=other)
        assert not allowed(logs.filter_log_events, logGroupIdentifier=f"{arn}{other}")
    assert not allowed(logs.describe_log_groups)
    assert not allowed(logs.get_log_events, logGroupName=SERVICE_LOG, logStreamName="any")
    query = {
        "startTime": int(time.time()) - 60,
        "endTime": int(time.time()),
        "queryString": "fields @message",
    }
    assert not allowed(logs.start_query, logGroupName=SERVICE_LOG, **query)
