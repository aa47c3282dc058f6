"""Where CloudTrail delivers to: buckets, log groups and topics of LocalStack, by calls nobody records."""
# LocalStack is not installed where types are checked, and publishes none.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack.aws.connect import connect_to

from smas_emulator.gateway.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smas_emulator.authorization.authorizer import Authorizer
    from smas_emulator.authorization.ports import AccountFacts

SERVICE = "cloudtrail.amazonaws.com"
_ACL = "bucket-owner-full-control"


def _failure(error: ClientError | BotoCoreError) -> AwsError:
    if isinstance(error, ClientError):
        told = error.response["Error"]
        return AwsError(told.get("Code", "Unknown"), told.get("Message", str(error)))
    return AwsError(type(error).__name__, str(error))


class TrailBuckets:
    """Implements `TrailBuckets` by LocalStack's calls to itself, which nobody records."""

    def __init__(self, account: AccountFacts, authorizer: Authorizer) -> None:
        self._account = account
        self._authorizer = authorizer

    def exists(self, bucket: str) -> bool:
        """See `TrailBuckets`."""
        return self._account.bucket(bucket) is not None

    def allows(self, bucket: str, key: str, trail_arn: str) -> bool:
        """See `TrailBuckets`."""
        facts = self._account.bucket(bucket)
        if facts is None:
            return False
        arn = f"arn:aws:s3:::{bucket}"
        context = {"aws:SourceArn": trail_arn, "aws:SourceAccount": trail_arn.split(":")[4]}
        wanted = (
            ("s3:GetBucketAcl", arn, context),
            ("s3:PutObject", f"{arn}/{key}", {**context, "s3:x-amz-acl": _ACL}),
        )
        return all(
            self._authorizer.may_service(SERVICE, action, resource, keys, facts.policy)
            for action, resource, keys in wanted
        )

    def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], kms_key: str | None
    ) -> None:
        """See `TrailBuckets`."""
        facts = self._account.bucket(bucket)
        if facts is None:
            raise AwsError("NoSuchBucket", f"The specified bucket does not exist: {bucket}", 404)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        client = connect_to(region_name=facts.region, aws_access_key_id=facts.account).s3
        try:
            client.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                Metadata=dict(metadata),
                ContentType="application/json",
                ContentEncoding="gzip",
                **encryption,
            )
        except (ClientError, BotoCoreError) as error:
            raise _failure(error) from error


class Keys:
    """Implements `Keys`."""

    def __init__(self, account: AccountFacts) -> None:
        self._account = account

    def resolve(self, key: str, region: str) -> str | None:
        """See `Keys`."""
        del region  # an ARN names its own; ids and aliases are looked up in the local one
        found = self._account.key(key)
        return None if found is None else found.arn


class LogGroups:
    """Implements `LogGroups`."""

    def exists(self, log_group_arn: str) -> bool:
        """See `LogGroups`."""
        client, name = _log_group(log_group_arn)
        try:
            groups = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        except (ClientError, BotoCoreError):
            return False
        return name in {group["logGroupName"] for group in groups}

    def put(self, log_group_arn: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """See `LogGroups`."""
        client, name = _log_group(log_group_arn)
        lines = [{"timestamp": time, "message": text} for time, text in events]
        try:
            with suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_stream(logGroupName=name, logStreamName=stream)
            client.put_log_events(logGroupName=name, logStreamName=stream, logEvents=lines)
        except (ClientError, BotoCoreError) as error:
            raise _failure(error) from error


def _log_group(arn: str) -> tuple[Any, str]:
    """A client of the account and region of a log group's ARN, and the group's name."""
    parts = arn.split(":")
    return connect_to(region_name=parts[3], aws_access_key_id=parts[4]).logs, parts[6]


class Topics:
    """Implements `Topics`."""

    def __init__(self, account: AccountFacts) -> None:
        self._account = account

    def resolve(self, topic: str, account: str, region: str) -> str | None:
        """See `Topics`."""
        arn = topic if topic.startswith("arn:") else f"arn:aws:sns:{region}:{account}:{topic}"
        return arn if self._account.topic(arn) is not None else None

    def publish(self, topic_arn: str, message: str) -> None:
        """See `Topics`."""
        parts = topic_arn.split(":")
        try:
            connect_to(region_name=parts[3], aws_access_key_id=parts[4]).sns.publish(
                TopicArn=topic_arn, Message=message
            )
        except (ClientError, BotoCoreError) as error:
            raise _failure(error) from error
