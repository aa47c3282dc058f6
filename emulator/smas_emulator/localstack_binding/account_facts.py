"""What authorisation asks of the account, looked up where LocalStack and moto keep it."""
# LocalStack and moto are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped, no-any-return"

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from localstack.services.kms.models import deserialize_ciphertext_blob, kms_stores
from localstack.services.s3.models import S3DeleteMarker, VersionedKeyStore, s3_stores
from localstack.services.s3.utils import get_unique_key_id
from localstack.services.sqs.models import sqs_stores
from localstack.services.sqs.utils import parse_queue_url
from moto.iam.models import iam_backends
from moto.sns.models import sns_backends

from smas_emulator import seed
from smas_emulator.authorization.ports import (
    BucketFacts,
    KeyFacts,
    ObjectFacts,
    QueueFacts,
    RoleFacts,
    TopicFacts,
    UploadFacts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KMS = "aws:kms"


class LocalStackAccount:
    """Implements `authorization.ports.AccountFacts`; it only reads."""

    def role_policies(self, account: str, role_name: str) -> Sequence[str]:
        """See `AccountFacts`."""
        role = _role(account, role_name)
        return () if role is None else tuple(_policies(role))

    def user_policies(self, account: str, user_name: str) -> Sequence[str]:
        """See `AccountFacts`."""
        backend = iam_backends[account][seed.PARTITION]
        user = backend.users.get(user_name)
        if user is None:
            return ()
        groups = [group for group in backend.groups.values() if user in group.users]
        return tuple(text for holder in (user, *groups) for text in _policies(holder))

    def role(self, account: str, role_name: str) -> RoleFacts | None:
        """See `AccountFacts`."""
        role = _role(account, role_name)
        if role is None:
            return None
        return RoleFacts(
            arn=role.arn,
            id=role.id,
            trust=role.assume_role_policy_document,
            path=role.path or "/",
            max_session_seconds=int(role.max_session_duration or 3600),
            tags={tag["Key"]: tag["Value"] for tag in role.tags or ()},
        )

    def bucket(self, name: str) -> BucketFacts | None:
        """See `AccountFacts`."""
        bucket = _bucket(name)
        if bucket is None:
            return None
        rule = bucket.encryption_rule or {}
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        by_kms = str(default.get("SSEAlgorithm", "")).startswith(_KMS)
        block = bucket.public_access_block or {}
        return BucketFacts(
            account=bucket.bucket_account_id,
            region=bucket.bucket_region,
            policy=bucket.policy,
            default_kms_key=default.get("KMSMasterKeyID") or "alias/aws/s3" if by_kms else None,
            bucket_key_enabled=bool(rule.get("BucketKeyEnabled")),
            block_public_policy=bool(block.get("BlockPublicPolicy")),
        )

    def object(self, bucket: str, key: str, version_id: str | None) -> ObjectFacts | None:
        """See `AccountFacts`."""
        holder = _bucket(bucket)
        if holder is None:
            return None
        if isinstance(holder.objects, VersionedKeyStore):
            found = holder.objects.get(key, version_id)
        else:
            found = holder.objects.get(key) if version_id in {None, "null"} else None
        if found is None:
            return None
        if isinstance(found, S3DeleteMarker):
            return ObjectFacts(delete_marker=True)
        tags = s3_stores[holder.bucket_account_id][holder.bucket_region].TAGS.tags
        return ObjectFacts(
            tags=tags.get(get_unique_key_id(bucket, key, found.version_id), {}),
            kms_key=found.kms_key_id or None,
            bucket_key_enabled=bool(found.bucket_key_enabled),
        )

    def upload(self, bucket: str, key: str, upload_id: str) -> UploadFacts | None:
        """See `AccountFacts`."""
        holder = _bucket(bucket)
        found = None if holder is None else holder.multiparts.get(upload_id)
        if found is None or found.object.key != key:
            return None
        return UploadFacts(found.object.kms_key_id or None, bool(found.object.bucket_key_enabled))

    def key(self, key_id: str) -> KeyFacts | None:
        """See `AccountFacts`."""
        account, region, name = _key_place(key_id)
        store = kms_stores[account][region]
        if name.startswith("alias/"):
            alias = store.aliases.get(name)
            if alias is None:
                return None
            name = alias.metadata["TargetKeyId"]
        key = store.keys.get(name.removeprefix("key/"))
        if key is None:
            return None
        aws_managed = key.metadata.get("KeyManager") == "AWS" or key.metadata["Arn"] == _key_of_s3(
            account, region
        )
        return KeyFacts(key.metadata["Arn"], key.policy, aws_managed)

    def ciphertext_key(self, ciphertext: bytes) -> str | None:
        """See `AccountFacts`."""
        try:
            return deserialize_ciphertext_blob(ciphertext).key_id
        except (struct.error, UnicodeDecodeError):
            return None

    def queue(self, url: str) -> QueueFacts | None:
        """See `AccountFacts`."""
        try:
            account, region, name = parse_queue_url(url)
        except ValueError:
            account, region, name = seed.ACCOUNT, seed.REGION, url  # LocalStack takes a bare name too
        queue = sqs_stores[account][region or seed.REGION].queues.get(name)
        return None if queue is None else QueueFacts(queue.arn, queue.attributes.get("Policy"))

    def topic(self, arn: str) -> TopicFacts | None:
        """See `AccountFacts`."""
        parts = arn.split(":")
        if len(parts) < 6:  # noqa: PLR2004 - the parts of an ARN
            return None
        topic = sns_backends[parts[4]][parts[3]].topics.get(arn)
        return None if topic is None else TopicFacts(arn, topic.policy)


def _role(account: str, name: str) -> Any | None:
    roles = iam_backends[account][seed.PARTITION].roles
    return next((role for role in roles.values() if role.name == name), None)


def _policies(holder: Any) -> Iterator[str]:
    """The texts of the inline and attached policies of a role, a user or a group."""
    yield from holder.policies.values()
    for policy in holder.managed_policies.values():
        yield from (version.document for version in policy.versions if version.is_default)


def _bucket(name: str) -> Any | None:
    account = s3_stores[seed.ACCOUNT][seed.REGION].global_bucket_map.get(name)
    return None if account is None else s3_stores[account][seed.REGION].buckets.get(name)


def _key_place(key_id: str) -> tuple[str, str, str]:
    """Account, region and `<id>` or `alias/<name>` of a key, however it is named."""
    if not key_id.startswith("arn:"):
        return seed.ACCOUNT, seed.REGION, key_id
    _arn, _partition, _service, region, account, resource = key_id.split(":", 5)
    return account, region, resource


def _key_of_s3(account: str, region: str) -> str:
    return s3_stores[account][region].aws_managed_kms_key_id
