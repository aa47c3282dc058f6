"""The local trail: what was done, by whom, is in its log files within seconds, and stays as it was."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import time
import urllib.request
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.local_aws import EMULATOR_PYTHON, free_port, run_stack
from tests.local_aws import LocalStack as Stack
from tests.stack.sessions import persona

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.local_aws import LocalStack

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TRAIL_BUCKET = "smas-trail"
Event = dict[str, Any]


def flush(local_aws: LocalStack, *, digest: bool = False) -> dict[str, Any]:
    """Have everything recorded so far delivered; the recorder's counters."""
    url = f"{local_aws.endpoint}/_smas/cloudtrail/flush{'?digest=true' if digest else ''}"
    with _DIRECT.open(urllib.request.Request(url, method="POST"), timeout=60) as response:
        return dict(json.load(response))


def log_keys(local_aws: LocalStack) -> list[str]:
    """The keys of all log files, oldest first, but those of the reader's tests, in regions of theirs."""
    s3 = local_aws.root_client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=TRAIL_BUCKET, Prefix="AWSLogs/000000000000/CloudTrail/"
    )
    return [
        entry["Key"]
        for page in pages
        for entry in page.get("Contents", [])
        if "/xx-test-" not in entry["Key"]
    ]


def events(local_aws: LocalStack) -> list[Event]:
    """Every event in the log files."""
    s3 = local_aws.root_client("s3")
    bodies = (s3.get_object(Bucket=TRAIL_BUCKET, Key=key)["Body"].read() for key in log_keys(local_aws))
    return [event for body in bodies for event in json.loads(gzip.decompress(body))["Records"]]


def about(key: str) -> Callable[[Event], bool]:
    """Whether an event is about an object."""
    return lambda event: (event.get("requestParameters") or {}).get("key") == key


def test_an_act_is_found_by_name_within_seconds(local_aws: LocalStack) -> None:
    """Unasked, the trail delivers within seconds; the person is in it, and the way they came."""
    session = persona(local_aws, "data-scientist", name="ds-fraud", subject="sub-of-ds-fraud")
    key = f"cards/fraud/{uuid.uuid4().hex}.json"
    place = {"Bucket": local_aws.bucket, "Key": key}
    s3 = session.client(local_aws, "s3")
    metadata = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": local_aws.stack["metadata_key_arn"]}
    s3.put_object(**place, Body=b"{}", **metadata)
    with _DIRECT.open(
        s3.generate_presigned_url("get_object", Params=place, ExpiresIn=60), timeout=10
    ) as answer:
        assert answer.read() == b"{}"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(**place)

    deadline, found = time.monotonic() + 120, list[Event]()
    while len(found) < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
        found = sorted(filter(about(key), events(local_aws)), key=lambda event: event["eventName"])
    deleted, read, written = found

    assert [event["eventName"] for event in found] == ["DeleteObject", "GetObject", "PutObject"]
    for event in found:
        who = event["userIdentity"]
        assert who["type"] == "AssumedRole"
        assert who["arn"] == "arn:aws:sts::000000000000:assumed-role/smas-data-scientist/ds-fraud"
        assert who["sessionContext"]["sourceIdentity"] == "sub-of-ds-fraud"
        assert who["sessionContext"]["sessionIssuer"]["userName"] == "smas-data-scientist"
        assert (event["eventCategory"], event["managementEvent"]) == ("Data", False)
    assert [event.get("errorCode") for event in found] == ["AccessDenied", None, None]
    ways = [event["additionalEventData"]["AuthenticationMethod"] for event in found]
    assert ways == ["AuthHeader", "QueryString", "AuthHeader"]
    assert read["additionalEventData"]["bytesTransferredOut"] == 2
    assert written["additionalEventData"]["bytesTransferredIn"] == 2
    assert (read["readOnly"], written["readOnly"], deleted["readOnly"]) == (True, False, False)


def test_no_secret_is_in_a_log_file(local_aws: LocalStack) -> None:
    """Neither secrets nor tokens nor signatures, wherever they were in the calls."""
    session = persona(local_aws, "data-scientist")
    s3 = session.client(local_aws, "s3")
    url = s3.generate_presigned_url(
        "list_objects_v2", Params={"Bucket": local_aws.bucket, "Prefix": "cards/fraud/"}, ExpiresIn=60
    )
    with _DIRECT.open(url, timeout=10) as answer:
        answer.read()
    signature = url.rpartition("X-Amz-Signature=")[2][:64]
    token = local_aws.token("ds-fraud")

    flush(local_aws)
    written = json.dumps(events(local_aws))

    for secret in (session.secret, session.token, signature, token, local_aws.stack["password"]):
        assert secret
        assert secret not in written
    assert session.id in written


def test_what_fails_authentication_is_not_recorded(local_aws: LocalStack) -> None:
    """As in AWS: nobody knows who it was."""
    key = uuid.uuid4().hex
    with pytest.raises(OSError, match="403"):
        _DIRECT.open(f"{local_aws.endpoint}/{local_aws.bucket}/{key}", timeout=10)

    counters = flush(local_aws)

    assert not any(about(key)(event) for event in events(local_aws))
    assert set(counters["faults"].values()) <= {0}


def test_lookups_find_management_events_alone(local_aws: LocalStack) -> None:
    """Who assumed the role is looked up by name; reads and writes of objects are not, as in AWS."""
    name = f"ds-{uuid.uuid4().hex[:12]}"
    persona(local_aws, "data-scientist", name=name)
    flush(local_aws)
    cloudtrail = local_aws.root_client("cloudtrail")

    found = cloudtrail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}], MaxResults=50
    )["Events"]
    objects = cloudtrail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetObject"}]
    )["Events"]

    asked = [json.loads(event["CloudTrailEvent"])["requestParameters"] for event in found]
    assert name in {request["roleSessionName"] for request in asked}
    assert objects == []


@dataclass(frozen=True)
class OtherTrail:
    """A trail of the test's own, with all it may have: key, topic with a queue, log group."""

    name: str
    bucket: str
    key_arn: str
    queue_url: str
    log_group: str


@pytest.fixture
def other_trail(local_aws: LocalStack) -> Iterator[OtherTrail]:
    """It records management events, and is gone after the test."""
    name = f"other-{uuid.uuid4().hex[:8]}"
    client = local_aws.root_client
    s3, cloudtrail, logs, sns, sqs = map(client, ("s3", "cloudtrail", "logs", "sns", "sqs"))
    s3.create_bucket(Bucket=name)
    with pytest.raises(ClientError, match="InsufficientS3BucketPolicyException"):
        cloudtrail.create_trail(Name=name, S3BucketName=name)
    service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    look = {**service, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{name}"}
    write = {**service, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{name}/logs/AWSLogs/*"}
    policy = {"Version": "2012-10-17", "Statement": [look, write]}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName=name)
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloudtrail.create_trail(
        Name=name,
        S3BucketName=name,
        S3KeyPrefix="logs",
        KmsKeyId=key,
        SnsTopicName=name,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:000000000000:log-group:{name}:*",
        CloudWatchLogsRoleArn="arn:aws:iam::000000000000:role/of-cloudtrail",
    )
    cloudtrail.start_logging(Name=name)
    yield OtherTrail(name, name, key, queue, name)
    cloudtrail.delete_trail(Name=name)
    flush(local_aws)  # what the trail is still owed needs its log group and topic
    logs.delete_log_group(logGroupName=name)
    sns.delete_topic(TopicArn=topic)
    sqs.delete_queue(QueueUrl=queue)


def test_a_trail_delivers_wherever_it_is_told_to(local_aws: LocalStack, other_trail: OtherTrail) -> None:
    """Log files under the trail's key and prefix, a notice of each, and the events in CloudWatch Logs."""
    person = f"ds-{uuid.uuid4().hex[:12]}"
    persona(local_aws, "data-scientist", name=person)
    flush(local_aws)
    s3 = local_aws.root_client("s3")

    listed = s3.list_objects_v2(Bucket=other_trail.bucket, Prefix="logs/AWSLogs/000000000000/CloudTrail/")
    files = [
        s3.get_object(Bucket=other_trail.bucket, Key=entry["Key"]) for entry in listed.get("Contents", [])
    ]
    bodies = "".join(gzip.decompress(file["Body"].read()).decode() for file in files)
    lines = local_aws.root_client("logs").get_log_events(
        logGroupName=other_trail.log_group, logStreamName="000000000000_CloudTrail_us-east-1"
    )["events"]
    notice = local_aws.root_client("sqs").receive_message(QueueUrl=other_trail.queue_url, WaitTimeSeconds=5)
    status = local_aws.root_client("cloudtrail").get_trail_status(Name=other_trail.name)

    assert person in bodies
    assert {file["SSEKMSKeyId"] for file in files} == {other_trail.key_arn}
    assert any(person in line["message"] for line in lines)
    assert other_trail.bucket in notice["Messages"][0]["Body"]
    assert status["LatestDeliveryTime"]
    assert status["LatestCloudWatchLogsDeliveryTime"]
    assert status["LatestNotificationTime"]


class Validated:
    """What the AWS CLI's own validation says of a trail."""

    def __init__(self, local_aws: LocalStack, begun: datetime) -> None:
        arn = "arn:aws:cloudtrail:us-east-1:000000000000:trail/smas"
        command = [
            str(EMULATOR_PYTHON),
            "-m",
            "awscli",
            "cloudtrail",
            "validate-logs",
            "--trail-arn",
            arn,
            "--verbose",
        ]
        command += ["--start-time", begun.strftime("%Y-%m-%dT%H:%M:%SZ")]
        environment = {
            "PATH": "/usr/bin:/bin",
            "AWS_ENDPOINT_URL": local_aws.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "no_proxy": "localhost,127.0.0.1",
        }
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        self.code, self.text = ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    """A local AWS of the test's own, because its trail will be tampered with."""
    state = tmp_path / "state"
    ports = ("--aws-port", str(free_port()), "--port", str(free_port()))
    started = run_stack(state, "up", "--only", "aws", *ports)
    assert started.returncode == 0, started.stderr
    yield Stack(state)
    run_stack(state, "down")


@pytest.mark.local_aws
def test_the_aws_cli_finds_what_was_tampered_with(stack: LocalStack) -> None:
    """`aws cloudtrail validate-logs` passes, and names the file once a byte of it is another."""
    begun = datetime.now(UTC) - timedelta(minutes=5)
    s3 = stack.root_client("s3")
    for _ in range(3):
        s3.head_bucket(Bucket=stack.bucket)
        flush(stack, digest=True)
        time.sleep(1.1)  # a digest's name has the second it was made in

    sound = Validated(stack, begun)
    assert sound.code == 0, sound.text
    assert "INVALID" not in sound.text

    victim = log_keys(stack)[1]
    body = json.loads(gzip.decompress(s3.get_object(Bucket=TRAIL_BUCKET, Key=victim)["Body"].read()))
    body["Records"][0]["sourceIPAddress"] = "192.0.2.1"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=TRAIL_BUCKET, Key=victim, Body=b"")
    s3.delete_bucket_policy(Bucket=TRAIL_BUCKET)
    s3.put_object(Bucket=TRAIL_BUCKET, Key=victim, Body=gzip.compress(json.dumps(body).encode()))
    changed = Validated(stack, begun)

    assert changed.code == 1
    assert victim in changed.text
    assert "INVALID" in changed.text


@pytest.mark.local_aws
def test_an_orderly_stop_loses_nothing(stack: LocalStack) -> None:
    """Everything done until the stop is in the archive, under digests that can be verified from it alone."""
    s3, keys = stack.root_client("s3"), [f"cards/fraud/{uuid.uuid4().hex}.json" for _ in range(200)]
    for key in keys:
        with pytest.raises(ClientError):
            s3.head_object(Bucket=stack.bucket, Key=key)

    stopped = run_stack(stack.state, "down")
    assert stopped.returncode == 0, stopped.stderr

    folder = stack.state / "trail"
    archive = folder / TRAIL_BUCKET / "AWSLogs" / "000000000000"
    logs = {path: gzip.decompress(path.read_bytes()) for path in archive.glob("CloudTrail/**/*.json.gz")}
    recorded = {
        (event.get("requestParameters") or {}).get("key")
        for body in logs.values()
        for event in json.loads(body)["Records"]
    }
    digests = [verified(folder, path) for path in archive.glob("CloudTrail-Digest/**/*.json.gz")]
    named = {log["s3Object"]: log["hashValue"] for digest in digests for log in digest["logFiles"]}

    assert set(keys) <= recorded
    assert named == {
        str(path.relative_to(folder / TRAIL_BUCKET)): hashlib.sha256(body).hexdigest()
        for path, body in logs.items()
    }


def verified(folder: Path, path: Path) -> dict[str, Any]:
    """A digest of the archive, once its signature was found right with the public key that lies there too."""
    text = gzip.decompress(path.read_bytes())
    digest = dict(json.loads(text))
    metadata = json.loads(path.with_name(f"{path.name}.metadata.json").read_text(encoding="utf-8"))
    pem = folder / "public-keys" / f"{digest['digestPublicKeyFingerprint']}.pem"
    key = load_pem_public_key(pem.read_bytes())
    place = f"{digest['digestS3Bucket']}/{digest['digestS3Object']}"
    before = digest["previousDigestSignature"] or "null"
    signed = "\n".join([digest["digestEndTime"], place, hashlib.sha256(text).hexdigest(), before])
    assert isinstance(key, RSAPublicKey)
    key.verify(bytes.fromhex(metadata["signature"]), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return digest
