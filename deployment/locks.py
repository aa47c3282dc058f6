"""What S3 itself would refuse to delete: versions under retention or a legal hold (Object Lock)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from deployment.errors import DeploymentError
from deployment.options import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from deployment.terraform import Resource

_THREADS: Final = 16
_EXAMPLES: Final = 3
_TELL_EVERY: Final = 10_000
_NONE: Final = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"})


@dataclass(frozen=True, slots=True)
class Lock:
    """What protects one version; `until` is None where a legal hold alone does, which has no end."""

    key: str
    version: str
    mode: str | None
    until: datetime | None
    held: bool

    def __str__(self) -> str:
        reasons = [f"{self.mode} retention until {self.until:%Y-%m-%dT%H:%M:%SZ}"] if self.until else []
        reasons += ["legal hold"] if self.held else []
        return f"{shown(self.key)} (version {self.version}): {' and '.join(reasons)}"


@dataclass(slots=True)
class Protection:
    """What is in a bucket, and what of it is protected."""

    bucket: str
    versions: int = 0
    size: int = 0
    modes: Counter[str] = field(default_factory=Counter)
    held: int = 0
    protected: int = 0
    until: datetime | None = None
    examples: list[Lock] = field(default_factory=list)

    def add(self, lock: Lock) -> None:
        """Count one protected version."""
        self.protected += 1
        self.held += lock.held
        if lock.until is not None:
            self.modes[str(lock.mode)] += 1
            self.until = max(self.until or lock.until, lock.until)
        if len(self.examples) < _EXAMPLES:
            self.examples.append(lock)

    def describe(self) -> list[str]:
        """Lines that say it all."""
        kinds = [f"{count} under {mode} retention" for mode, count in sorted(self.modes.items())]
        kinds += [f"{self.held} under legal hold"] if self.held else []
        line = (
            f"{self.bucket}: {self.protected} of {self.versions} versions are protected ({', '.join(kinds)})"
        )
        if self.until is not None:
            line += f"; the last retention ends {self.until:%Y-%m-%dT%H:%M:%SZ}"
        return [line, *(f"  for example {lock}" for lock in self.examples)]


def buckets(resources: Iterable[Resource]) -> list[Resource]:
    """The buckets that a state names."""
    return [resource for resource in resources if resource.type == "aws_s3_bucket"]


def look(s3: Any, bucket: str, say: Callable[[str], None], now: datetime | None = None) -> Protection:
    """Look at every version in a bucket, newest key or old, and at nothing's content."""
    found = Protection(bucket)
    moment = now or datetime.now(UTC)
    try:
        if not _has_object_lock(s3, bucket):
            for version in _versions(s3, bucket):
                found.versions += 1
                found.size += version["Size"]
            return found
        with ThreadPoolExecutor(_THREADS) as threads:
            for page in _pages(s3, bucket):
                for lock in threads.map(lambda version: _lock(s3, bucket, version, moment), page):
                    if lock is not None:
                        found.add(lock)
                before = found.versions
                found.versions += len(page)
                found.size += sum(version["Size"] for version in page)
                if before // _TELL_EVERY < found.versions // _TELL_EVERY:
                    say(f"{bucket}: {found.versions} versions looked at, {found.protected} protected")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        remedy = (
            "take a role that may s3:GetObjectRetention, s3:GetObjectLegalHold and s3:ListBucketVersions."
        )
        if code == "NoSuchBucket":
            remedy = (
                "it is not there any more; find out why, and take it out of the state (terraform state rm)."
            )
        message = (
            f"Whether something in {bucket} is locked cannot be told ({error.operation_name}: {code}), so "
            f"nothing is destroyed: {remedy}"
        )
        raise DeploymentError(message) from error
    return found


def _has_object_lock(s3: Any, bucket: str) -> bool:
    try:
        s3.get_object_lock_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in _NONE:
            return False
        raise
    return True


def _versions(s3: Any, bucket: str) -> Iterator[dict[str, Any]]:
    for page in _pages(s3, bucket):
        yield from page


def _pages(s3: Any, bucket: str) -> Iterator[list[dict[str, Any]]]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield page.get("Versions", [])


def _lock(s3: Any, bucket: str, version: dict[str, Any], now: datetime) -> Lock | None:
    asked = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
    retention = _or_none(lambda: s3.get_object_retention(**asked)["Retention"]) or {}
    hold = _or_none(lambda: s3.get_object_legal_hold(**asked)["LegalHold"]) or {}
    until = retention.get("RetainUntilDate")
    if until is not None and until <= now:
        until = None
    held = hold.get("Status") == "ON"
    if until is None and not held:
        return None
    return Lock(version["Key"], version["VersionId"], retention.get("Mode") if until else None, until, held)


def _or_none(ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return ask()
    except ClientError as error:
        # NoSuchKey: it went since it was listed, by a rule of the bucket's.
        if error.response["Error"]["Code"] in {*_NONE, "NoSuchKey", "NoSuchVersion"}:
            return None
        raise
