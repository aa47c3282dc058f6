"""What belongs together in a state: a bucket, what guards it, and the keys that open it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from deployment.terraform import Resource

# What makes a bucket as safe as it is, and needs nothing else to be there.
GUARDS: Final = frozenset(
    {
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_object_lock_configuration",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
    }
)
# Where a bucket names its keys: its default, and those that its policy lets writers choose.
_NAMES_KEYS: Final = ("aws_s3_bucket_policy", "aws_s3_bucket_server_side_encryption_configuration")


def guards(resources: Iterable[Resource], buckets: Collection[str]) -> list[Resource]:
    """What guards these buckets."""
    return [
        resource
        for resource in resources
        if resource.type in GUARDS and resource.values.get("bucket") in buckets
    ]


def keys(resources: Collection[Resource], buckets: Collection[str]) -> list[Resource]:
    """The keys that encrypt what is in these buckets."""
    named = [
        str(dict(resource.values)) for resource in guards(resources, buckets) if resource.type in _NAMES_KEYS
    ]
    return [
        resource
        for resource in resources
        if resource.type == "aws_kms_key" and any(resource.values["arn"] in text for text in named)
    ]


def all_keys(resources: Iterable[Resource]) -> list[Resource]:
    """Every key."""
    return [resource for resource in resources if resource.type == "aws_kms_key"]


def of_keys(resources: Iterable[Resource], kept: Iterable[Resource]) -> list[Resource]:
    """The policies and aliases of these keys."""
    ids = {key.values["key_id"] for key in kept}
    return [
        resource
        for resource in resources
        if (resource.type == "aws_kms_key_policy" and resource.values.get("key_id") in ids)
        or (resource.type == "aws_kms_alias" and resource.values.get("target_key_id") in ids)
    ]
