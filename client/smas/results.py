"""What the store answers, typed. Fields are the HTTP contract's; ones that a newer store adds are ignored.

Times are RFC 3339 texts in UTC, sizes are bytes, digests are lower-case hex SHA-256.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers."""

    def as_json(self) -> dict[str, Any]:
        """The answer as plain data, ready for ``json.dumps``."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data


class Role(Result, frozen=True):
    """A role as held: in a team, or (``team`` null) over all of them."""

    role: str
    team: str | None


class WhoAmI(Result, frozen=True):
    """The caller as the store sees it; ``username`` is null for machines."""

    subject: str
    username: str | None
    client_id: str
    roles: list[Role]
    permissions: list[str]
    expires_at: str


class Model(Result, frozen=True):
    """A model; ``latest_version`` is the newest one that can be fetched."""

    id: str
    team: str
    name: str
    description: str
    tags: dict[str, str]
    latest_version: int | None
    created_at: str
    created_by: str
    updated_at: str


class File(Result, frozen=True):
    """A file of a version; ``s3_version_id`` pins its bytes for good."""

    path: str
    sha256: str
    size: int
    s3_version_id: str


class VersionSummary(Result, frozen=True):
    """A version in a list; ``state`` is verifying, available, quarantined or rejected."""

    model: str
    version: int
    revision: str
    state: str
    reason: str | None
    created_at: str
    created_by: str
    message: str
    file_count: int
    total_size: int


class Version(Result, frozen=True):
    """A version with its files; immutable but for ``state`` and ``reason``."""

    model: str
    version: int
    revision: str
    state: str
    reason: str | None
    created_at: str
    created_by: str
    message: str
    metadata: dict[str, Any]
    files: list[File]
    total_size: int

    @property
    def reference(self) -> str:
        """How this very version is named, as in ``fraud/credit-risk@7``."""
        return f"{self.model}@{self.version}"


class Alias(Result, frozen=True):
    """An alias and the version it points to."""

    alias: str
    version: int
    protected: bool
    updated_at: str
    updated_by: str


class AliasMove(Result, frozen=True):
    """One move of an alias; ``version`` is null where it was removed."""

    version: int | None
    updated_at: str
    updated_by: str


class OpenUpload(Result, frozen=True):
    """A multipart upload that somebody of the team began and nobody completed."""

    sha256: str
    size: int
    upload_id: str
    part_size: int
    part_count: int
    created_at: str
    created_by: str


class Pushed(Result, frozen=True):
    """What a push did: the version, and how many bytes travelled (the rest was there already)."""

    version: Version
    alias: Alias | None
    sent_files: int
    sent_bytes: int
    left_out: list[str]


class Pulled(Result, frozen=True):
    """What a pull did: the version, the folder, and where its files came from."""

    version: Version
    folder: str
    fetched_files: int
    fetched_bytes: int
    cached_files: int
    unchanged_files: int
    removed: list[str]


class Difference(Result, frozen=True):
    """What changed from one version to another, by path, and by key of the metadata."""

    before: str
    after: str
    added: list[File]
    removed: list[File]
    changed: list[File]
    unchanged: int
    metadata: dict[str, list[Any]]
