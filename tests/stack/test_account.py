"""The provisioned account, used as the service and its clients use it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.stack.sessions import persona

if TYPE_CHECKING:
    from tests.local_aws import LocalStack


def fetch_status(url: str) -> int:
    """The status of a GET, whatever it is."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def write_record(local_aws: LocalStack, key: str) -> None:
    """Make sure a record is there, written as the bucket policy demands of everybody."""
    s3 = local_aws.root_client("s3")
    listed = s3.list_objects_v2(Bucket=local_aws.bucket, Prefix=key)
    if listed["KeyCount"] == 0:
        s3.put_object(
            Bucket=local_aws.bucket,
            Key=key,
            Body=b"{}",
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=local_aws.stack["metadata_key_arn"],
            IfNoneMatch="*",
        )


def receive(local_aws: LocalStack, wanted: str, seconds: float = 60) -> dict[str, Any]:
    """The first S3 event about the key `wanted`; other messages are left for whoever wants them."""
    sqs = local_aws.root_client("sqs")
    url = local_aws.stack["events_queue_url"]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, VisibilityTimeout=1).get(
            "Messages", []
        ):
            for record in json.loads(message["Body"]).get("Records", []):
                if record["s3"]["object"]["key"] == wanted:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    return dict(record)
    pytest.fail(f"no event about {wanted} within {seconds} s")


@pytest.mark.parametrize("name", ["service", "worker", "shipper"])
def test_a_process_runs_under_its_role_through_the_written_profile(local_aws: LocalStack, name: str) -> None:
    """With the written files alone, boto3 in another process assumes the role and calls AWS as it."""
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"

    finished = subprocess.run(
        [sys.executable, "-c", code],
        env=local_aws.process_environment(f"smas-{name}"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert finished.stdout.strip() == f"arn:aws:sts::000000000000:assumed-role/smas-{name}/smas-{name}"


def test_a_tampered_presigned_url_is_refused(local_aws: LocalStack) -> None:
    """Presigned URLs of a role session work, and stop working when a byte of them is changed."""
    key = f"cards/fraud/{uuid.uuid4().hex}.json"
    write_record(local_aws, key)
    s3 = persona(local_aws, "data-scientist").client(local_aws, "s3")
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": local_aws.bucket, "Key": key}, ExpiresIn=60
    )
    assert fetch_status(url) == 200

    tampered = url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")

    assert tampered != url
    assert fetch_status(tampered) == 403


@pytest.mark.parametrize("path", ["/cards/t/unsigned.json", "/cards/t/missing.json", "", "?versions"])
def test_what_nobody_signed_is_refused(local_aws: LocalStack, path: str) -> None:
    """Objects, missing ones, lists and versions of the private bucket answer 403 to a plain GET."""
    write_record(local_aws, "cards/t/unsigned.json")
    assert fetch_status(f"{local_aws.endpoint}/{local_aws.bucket}{path}") == 403


@pytest.mark.parametrize("prefix", ["blobs", "manifests", "authors", "protected"])
def test_what_the_verifier_must_see_reaches_the_queue(local_aws: LocalStack, prefix: str) -> None:
    """A new object under each of the verifier's prefixes is announced."""
    key = f"{prefix}/t/{uuid.uuid4().hex}"
    if prefix == "blobs":
        local_aws.root_client("s3").put_object(Bucket=local_aws.bucket, Key=key, Body=b"x")
    else:
        write_record(local_aws, key)

    assert receive(local_aws, key)["eventName"] == "ObjectCreated:Put"


def test_the_bucket_is_configured_as_in_aws(local_aws: LocalStack) -> None:
    """Versioned, lockable without a default retention, encrypted with the bytes key, closed to the public."""
    s3, bucket = local_aws.root_client("s3"), local_aws.bucket

    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    public = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    ownership = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]

    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert lock == {"ObjectLockEnabled": "Enabled"}
    assert encryption["BucketKeyEnabled"] is True
    assert encryption["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": local_aws.stack["bytes_key_arn"],
    }
    assert set(public.values()) == {True}
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]


def test_a_message_that_always_fails_ends_with_the_dead_letters(local_aws: LocalStack) -> None:
    """The events queue gives the verifier a quarter of an hour a message, and a message five chances."""
    sqs = local_aws.root_client("sqs")

    attributes = sqs.get_queue_attributes(
        QueueUrl=local_aws.stack["events_queue_url"], AttributeNames=["All"]
    )["Attributes"]

    assert attributes["VisibilityTimeout"] == "900"
    assert attributes["ReceiveMessageWaitTimeSeconds"] == "20"
    assert json.loads(attributes["RedrivePolicy"]) == {
        "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:smas-events-dead",
        "maxReceiveCount": 5,
    }
    assert json.loads(attributes["Policy"])["Statement"]


def test_every_role_of_the_store_exists_with_its_policy(local_aws: LocalStack) -> None:
    """Service, worker, watch, log shipper, six personas, two verifiers, each with its policy, for an hour."""
    iam = local_aws.root_client("iam")
    names = [
        *("service", "worker", "verifier-scanning", "verifier-tagging", "watch", "shipper"),
        *("data-scientist", "approver", "deployer", "compliance", "auditor", "custodian"),
    ]

    for name in names:
        role = iam.get_role(RoleName=f"smas-{name}")["Role"]
        policy = iam.get_role_policy(RoleName=f"smas-{name}", PolicyName=f"smas-{name}")["PolicyDocument"]
        assert role["MaxSessionDuration"] == 3600
        assert policy["Statement"]


def test_the_key_of_this_machine_may_assume_three_roles_and_nothing_else(local_aws: LocalStack) -> None:
    """The only long-lived key there is can become service, worker or log shipper."""
    policy = local_aws.root_client("iam").get_user_policy(
        UserName="smas-local", PolicyName="assume-own-roles"
    )

    (statement,) = policy["PolicyDocument"]["Statement"]

    assert statement == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": [
            "arn:aws:iam::000000000000:role/smas-service",
            "arn:aws:iam::000000000000:role/smas-worker",
            "arn:aws:iam::000000000000:role/smas-shipper",
        ],
    }


def test_provisioning_says_it_once(local_aws: LocalStack) -> None:
    """Users, groups and clients are there once, whatever how often provisioning ran."""
    cognito = local_aws.root_client("cognito-idp")
    pool = local_aws.stack["user_pool_id"]

    users = [user["Username"] for user in cognito.list_users(UserPoolId=pool)["Users"]]
    clients = [
        client["ClientName"]
        for client in cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    ]

    assert sorted(users) == sorted(local_aws.stack["users"])
    assert sorted(clients) == ["deployer-fraud-machine", "smas-people"]
