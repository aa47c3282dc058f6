"""Empties a bucket of every version, and never past a lock: what S3 refuses stays, and is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_GONE: Final = frozenset({"NoSuchVersion", "NoSuchKey"})


def empty(s3: Any, bucket: str, say: Callable[[str], None]) -> None:
    """Delete all versions and delete markers; raise where S3 refuses some, when the others are gone.

    A version that somebody else deleted meanwhile, or that an attempt deleted whose answer was lost, is gone
    like the others.
    """
    gone, refused = 0, []
    for page in _pages(s3, bucket):
        # Without BypassGovernanceRetention: a lock that came after we looked holds.
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": page, "Quiet": True})
        errors = answer.get("Errors", [])
        refused += [error for error in errors if error["Code"] not in _GONE]
        gone += len(page) - len(errors)
    if gone:
        say(f"{bucket}: {gone} versions deleted")
    if refused:
        first = refused[0]
        message = (
            f"S3 keeps {len(refused)} versions in {bucket} (the first: {first['Key']}, {first['Code']}): "
            "they came, or were locked, since this began. Run the same command again; it says until when, "
            "and KEEP=locked leaves the bucket behind."
        )
        raise DeploymentError(message)


def _pages(s3: Any, bucket: str) -> Iterator[list[dict[str, str]]]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
