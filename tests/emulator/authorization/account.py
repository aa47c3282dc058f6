"""An account that holds our own policies as they are deployed, and calls to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from smas_emulator.authorization.ports import (
    BucketFacts,
    KeyFacts,
    ObjectFacts,
    QueueFacts,
    RoleFacts,
    TopicFacts,
    UploadFacts,
)
from smas_emulator.gateway.calls import Call, HttpRequest, Signature
from smas_emulator.gateway.principals import IamUser, RoleSession, Root

from tests.infra.rendering import BUCKET, PLACEHOLDERS, ROLES, TRUST_OF, rendered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smas_emulator.gateway.principals import Principal

ACCOUNT, REGION = PLACEHOLDERS.account, PLACEHOLDERS.region
BYTES_KEY, METADATA_KEY = PLACEHOLDERS.bytes_key_arn, PLACEHOLDERS.metadata_key_arn
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
QUEUE_URL = f"http://sqs.{REGION}.localhost:4566/{ACCOUNT}/smas-events"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ME, TEAM = "sub-of-me", "fraud"
BLOB, CARD = "blobs/fraud/m/aa", "cards/fraud/m.json"
VERIFIED = {"smas-state": "verified"}
ROOT = Root(ACCOUNT, "AKIAROOT")
LOCAL_USER = IamUser(ACCOUNT, "AKIALOCAL", "smas-local", "AIDALOCAL")
ASSUMES_OWN_ROLES = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ['
    f'"{PLACEHOLDERS.service_role_arn}", "{PLACEHOLDERS.worker_role_arn}"]}}]}}'
)
TRUSTS_LOCAL_USER = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": '
    f'{{"AWS": "{LOCAL_USER.arn}"}}}}]}}'
)


def role_name(template: str) -> str:
    """The name of the role that a template is the policy of."""
    return f"smas-{template.removeprefix('persona-')}"


def trust_of(template: str) -> str:
    """The trust policy that belongs to the template of a role."""
    name = TRUST_OF.get(template)
    return TRUSTS_LOCAL_USER if name is None else rendered(name).text


def _roles() -> dict[str, RoleFacts]:
    return {
        role_name(each): RoleFacts(
            arn=f"arn:aws:iam::{ACCOUNT}:role/{role_name(each)}", id=f"AROA{each}", trust=trust_of(each)
        )
        for each in ROLES
    }


@dataclass
class FakeAccount:
    """`AccountFacts` in memory; tests change what they are about."""

    policies: dict[str, list[str]] = field(
        default_factory=lambda: {role_name(each): [rendered(each).text] for each in ROLES}
    )
    users: dict[str, list[str]] = field(default_factory=lambda: {"smas-local": [ASSUMES_OWN_ROLES]})
    roles: dict[str, RoleFacts] = field(default_factory=_roles)
    buckets: dict[str, BucketFacts] = field(
        default_factory=lambda: {
            BUCKET: BucketFacts(
                ACCOUNT,
                REGION,
                policy=rendered("bucket").text,
                default_kms_key=BYTES_KEY,
                bucket_key_enabled=True,
                block_public_policy=True,
            )
        }
    )
    objects: dict[tuple[str, str | None], ObjectFacts] = field(
        default_factory=lambda: {
            (BLOB, None): ObjectFacts(VERIFIED, BYTES_KEY, bucket_key_enabled=True),
            (BLOB, "v1"): ObjectFacts(VERIFIED, BYTES_KEY, bucket_key_enabled=True),
            (CARD, None): ObjectFacts({}, METADATA_KEY),
        }
    )
    uploads: dict[str, UploadFacts] = field(
        default_factory=lambda: {"u1": UploadFacts(BYTES_KEY, bucket_key_enabled=True)}
    )
    keys: dict[str, KeyFacts] = field(
        default_factory=lambda: {
            BYTES_KEY: KeyFacts(BYTES_KEY, rendered("kms-bytes").text),
            METADATA_KEY: KeyFacts(METADATA_KEY, rendered("kms-metadata").text),
            "bytes": KeyFacts(BYTES_KEY, rendered("kms-bytes").text),
            "alias/smas-bytes": KeyFacts(BYTES_KEY, rendered("kms-bytes").text),
        }
    )

    def role_policies(self, account: str, role_name: str) -> Sequence[str]:
        """See `AccountFacts`."""
        return self.policies.get(role_name, []) if account == ACCOUNT else []

    def user_policies(self, account: str, user_name: str) -> Sequence[str]:
        """See `AccountFacts`."""
        return self.users.get(user_name, []) if account == ACCOUNT else []

    def role(self, account: str, role_name: str) -> RoleFacts | None:
        """See `AccountFacts`."""
        return self.roles.get(role_name) if account == ACCOUNT else None

    def bucket(self, name: str) -> BucketFacts | None:
        """See `AccountFacts`."""
        return self.buckets.get(name)

    def object(self, bucket: str, key: str, version_id: str | None) -> ObjectFacts | None:
        """See `AccountFacts`."""
        return self.objects.get((key, version_id)) if bucket == BUCKET else None

    def upload(self, bucket: str, key: str, upload_id: str) -> UploadFacts | None:
        """See `AccountFacts`."""
        return self.uploads.get(upload_id) if (bucket, key) == (BUCKET, BLOB) else None

    def key(self, key_id: str) -> KeyFacts | None:
        """See `AccountFacts`."""
        return self.keys.get(key_id)

    def ciphertext_key(self, ciphertext: bytes) -> str | None:
        """See `AccountFacts`."""
        return BYTES_KEY if ciphertext == b"under-bytes" else None

    def queue(self, url: str) -> QueueFacts | None:
        """See `AccountFacts`."""
        if url != QUEUE_URL:
            return None
        return QueueFacts(PLACEHOLDERS.events_queue_arn, rendered("events-queue").text)

    def topic(self, arn: str) -> TopicFacts | None:
        """See `AccountFacts`."""
        return TopicFacts(arn) if arn.endswith(":known") else None


def session(template: str, **changed: Any) -> RoleSession:
    """A session of a role as the service or the worker begins it."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "access_key_id": "ASIASESSION",
        "role_name": role_name(template),
        "role_id": "AROAID",
        "name": "me",
        "created": NOW - timedelta(minutes=5),
        "expires": NOW + timedelta(minutes=55),
    }
    if template.startswith("persona-"):
        fields |= {"source_identity": ME, "tags": {"jti": "j", "team": TEAM}}
    elif template.startswith("verifier-"):
        fields |= {"source_identity": "smas-verifier"}
    return RoleSession(**{**fields, **changed})


HEADER = Signature("AuthHeader", "ASIASESSION", NOW)
PRESIGNED = Signature("QueryString", "ASIASESSION", NOW - timedelta(minutes=10), expires_seconds=900)


def call(
    principal: Principal,
    operation: str,
    service: str = "s3",
    *,
    signature: Signature | None = HEADER,
    secure: bool = True,
    headers: dict[str, str] | None = None,
    method: str = "GET",
    path: str = "/",
    **parameters: Any,
) -> Call:
    """A call; to S3 it is about our bucket unless `Bucket` says otherwise."""
    if service == "s3" and operation != "ListBuckets":
        parameters = {"Bucket": BUCKET, **parameters}
    http = HttpRequest(method, path, "", headers or {}, "127.0.0.1", secure)
    return Call(service, operation, parameters, principal, signature, http, REGION, ACCOUNT, "request", NOW)


def assuming(principal: Principal, template: str, **parameters: Any) -> Call:
    """A call that assumes a role, as the service does for a person."""
    asked = {
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role_name(template)}",
        "RoleSessionName": "me",
        **parameters,
    }
    return call(principal, "AssumeRole", "sts", **asked)
