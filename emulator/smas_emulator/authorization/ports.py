"""What authorisation asks of the account: policies and the facts that conditions look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """An IAM role; `trust` is its trust policy as JSON, `path` begins and ends with `/`."""

    arn: str
    id: str
    trust: str
    path: str = "/"
    max_session_seconds: int = 3600
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """A bucket: its owner's account, its policy as JSON, and what encrypts objects that name no key.

    `default_kms_key` is an id, ARN or alias; None where the default is no key of KMS. `block_public_policy`
    is the setting of that name, the account's included.
    """

    account: str
    region: str
    policy: str | None = None
    default_kms_key: str | None = None
    bucket_key_enabled: bool = False
    block_public_policy: bool = False


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """A version of an object, or a delete marker; `kms_key` as S3 keeps it, None for none."""

    tags: Mapping[str, str] = field(default_factory=dict)
    kms_key: str | None = None
    bucket_key_enabled: bool = False
    delete_marker: bool = False


@dataclass(frozen=True, slots=True)
class UploadFacts:
    """An open multipart upload: the key its parts are encrypted under, None for none."""

    kms_key: str | None = None
    bucket_key_enabled: bool = False


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A KMS key: its ARN and key policy as JSON; `aws_managed` for those as `alias/aws/s3`."""

    arn: str
    policy: str
    aws_managed: bool = False


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """An SQS queue and its policy as JSON, None without one."""

    arn: str
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """An SNS topic and its policy as JSON, None without one."""

    arn: str
    policy: str | None = None


class AccountFacts(Protocol):
    """Look-ups on a request's path: each must be cheap, and none may change anything.

    Policies are JSON texts; pass the same text while it is unchanged, since it is parsed once per text.
    """

    def role_policies(self, account: str, role_name: str) -> Sequence[str]:
        """The role's policies, inline and attached."""
        ...

    def user_policies(self, account: str, user_name: str) -> Sequence[str]:
        """The user's policies, inline and attached, those of the user's groups included."""
        ...

    def role(self, account: str, role_name: str) -> RoleFacts | None:
        """The role of that name, whatever its path."""
        ...

    def bucket(self, name: str) -> BucketFacts | None:
        """The bucket, whoever owns it."""
        ...

    def object(self, bucket: str, key: str, version_id: str | None) -> ObjectFacts | None:
        """A version, or without `version_id` the current one, which may be a delete marker."""
        ...

    def upload(self, bucket: str, key: str, upload_id: str) -> UploadFacts | None:
        """An open multipart upload."""
        ...

    def key(self, key_id: str) -> KeyFacts | None:
        """A KMS key by id, ARN, alias name (`alias/…`) or alias ARN."""
        ...

    def ciphertext_key(self, ciphertext: bytes) -> str | None:
        """The id or ARN of the symmetric key that a ciphertext of KMS names; None if it names none."""
        ...

    def queue(self, url: str) -> QueueFacts | None:
        """An SQS queue by its URL."""
        ...

    def topic(self, arn: str) -> TopicFacts | None:
        """An SNS topic by its ARN."""
        ...
