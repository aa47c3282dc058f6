"""Provisions keys, bucket and queues: what holds the models and says when one arrives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from smas_emulator import seed

if TYPE_CHECKING:
    from smas_emulator.policies import PolicyTemplates

VISIBILITY_SECONDS = 900  # the verifier may work on one message for as long as a Lambda may run
LONG_POLL_SECONDS = 20  # the longest SQS allows
MAX_RECEIVES = 5
RETENTION_SECONDS = 14 * 24 * 3600  # the longest SQS allows: a dead letter waits for a person
NOTIFIED_PREFIXES = ("blobs/", "manifests/", "authors/", "protected/")
SHORT_LIVED_PREFIXES = ("uploads/", "requests/")


def provision_key(kms: Any, alias: str, description: str) -> str:
    """Make sure a key with this alias exists; return the ARN of the key itself."""
    for page in kms.get_paginator("list_aliases").paginate():
        for entry in page["Aliases"]:
            if entry["AliasName"] == alias:
                return str(kms.describe_key(KeyId=entry["TargetKeyId"])["KeyMetadata"]["Arn"])
    key = kms.create_key(Description=description)["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def queue_arn(name: str) -> str:
    """The ARN a queue of this name has in the local account."""
    return f"arn:{seed.PARTITION}:sqs:{seed.REGION}:{seed.ACCOUNT}:{name}"


def provision_queues(sqs: Any, templates: PolicyTemplates) -> tuple[str, str]:
    """Make sure the events queue and its dead-letter queue exist; return their URLs in this order."""
    dead = sqs.create_queue(QueueName=seed.DEAD_LETTER_QUEUE)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"MessageRetentionPeriod": str(RETENTION_SECONDS)})
    events = sqs.create_queue(QueueName=seed.EVENTS_QUEUE)["QueueUrl"]
    redrive = {"deadLetterTargetArn": queue_arn(seed.DEAD_LETTER_QUEUE), "maxReceiveCount": MAX_RECEIVES}
    sqs.set_queue_attributes(
        QueueUrl=events,
        Attributes={
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "ReceiveMessageWaitTimeSeconds": str(LONG_POLL_SECONDS),
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "RedrivePolicy": json.dumps(redrive),
            "Policy": templates.render("events-queue"),
        },
    )
    return events, dead


def provision_locked_bucket(s3: Any, name: str, key_arn: str) -> None:
    """Make sure a bucket exists that can lock objects, encrypts under a key, and is closed to the public."""
    if name not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True, ObjectOwnership="BucketOwnerEnforced")
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    # A bucket key: else every read of an object is a call to KMS, and an event of its own in the trail.
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
    rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def provision_bucket(s3: Any, templates: PolicyTemplates, bytes_key_arn: str) -> None:
    """Make sure the bucket exists and is configured as in AWS: lockable, encrypted, private."""
    provision_locked_bucket(s3, seed.BUCKET, bytes_key_arn)
    s3.put_bucket_policy(Bucket=seed.BUCKET, Policy=templates.render("bucket"))
    s3.put_bucket_lifecycle_configuration(
        Bucket=seed.BUCKET, LifecycleConfiguration={"Rules": lifecycle_rules()}
    )
    provision_notifications(s3)


def lifecycle_rules() -> list[dict[str, Any]]:
    """What may disappear by itself: records of open uploads, idempotency keys, unfinished multipart uploads.

    Every rule that deletes names one of the short-lived prefixes; nothing else ever expires. S3 accepts
    `ExpiredObjectDeleteMarker` only in a rule without `Days`, so each prefix has two rules.
    """
    rules: list[dict[str, Any]] = [
        {
            "ID": "abort-unfinished-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
    for prefix in SHORT_LIVED_PREFIXES:
        name = prefix.rstrip("/")
        rules.append(
            {
                "ID": f"expire-{name}",
                "Status": "Enabled",
                "Filter": {"Prefix": prefix},
                "Expiration": {"Days": 1},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
            }
        )
        rules.append(
            {
                "ID": f"sweep-{name}",
                "Status": "Enabled",
                "Filter": {"Prefix": prefix},
                "Expiration": {"ExpiredObjectDeleteMarker": True},
            }
        )
    return rules


def notification_configuration() -> dict[str, Any]:
    """Every object created under the verifier's prefixes sends one message to the events queue."""
    return {
        "QueueConfigurations": [
            {
                "Id": f"created-{prefix.rstrip('/')}",
                "QueueArn": queue_arn(seed.EVENTS_QUEUE),
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
            }
            for prefix in NOTIFIED_PREFIXES
        ]
    }


def provision_notifications(s3: Any) -> None:
    """Configure the notifications, once: every change makes S3 send an `s3:TestEvent` to the queue."""
    wanted = notification_configuration()
    present = s3.get_bucket_notification_configuration(Bucket=seed.BUCKET)
    present_ids = {entry["Id"] for entry in present.get("QueueConfigurations", [])}
    if present_ids != {entry["Id"] for entry in wanted["QueueConfigurations"]}:
        s3.put_bucket_notification_configuration(Bucket=seed.BUCKET, NotificationConfiguration=wanted)
