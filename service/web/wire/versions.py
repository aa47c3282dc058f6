"""Bodies of versions: drafts, versions, downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from service.web.wire.base import Given, Sent, Sha256, Size, Time

if TYPE_CHECKING:
    from service.registry.versions import Summary as DomainSummary
    from service.registry.versions import Version as DomainVersion

FreeJson = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]


class DraftFile(Sent):
    """A file of the version to publish."""

    path: str
    sha256: Sha256
    size: Size


class Draft(Sent):
    """A version to publish; metadata is free JSON up to 64 KiB (canonical form)."""

    files: list[DraftFile]
    message: str = ""
    metadata: FreeJson | UnsetType = UNSET


class File(Given):
    """A published file, pinned to the S3 version of its bytes."""

    path: str
    sha256: Sha256
    size: Size
    s3_version_id: str


class Version(Given):
    """A version; revision is the SHA-256 of the RFC 8785 form of model to files as answered here."""

    model: str
    version: int
    revision: Sha256
    state: str
    reason: str | None
    created_at: Time
    created_by: str
    message: str
    metadata: dict[str, Any]
    files: list[File]
    total_size: Size

    @classmethod
    def of(cls, version: DomainVersion) -> Version:
        """The version, rendered."""
        manifest = version.manifest
        return cls(
            model=manifest.model,
            version=manifest.version,
            revision=manifest.revision,
            state=version.state.value,
            reason=version.reason,
            created_at=manifest.created_at,
            created_by=manifest.created_by,
            message=manifest.message,
            metadata=manifest.metadata,
            files=[File(file.path, file.sha256, file.size, file.s3_version_id) for file in manifest.files],
            total_size=manifest.total_size,
        )


class VersionSummary(Given):
    """A version in a list."""

    model: str
    version: int
    revision: Sha256
    state: str
    reason: str | None
    created_at: Time
    created_by: str
    message: str
    file_count: int
    total_size: Size

    @classmethod
    def of(cls, version: DomainSummary) -> VersionSummary:
        """The version, rendered short."""
        manifest = version.manifest
        return cls(
            model=manifest.model,
            version=manifest.version,
            revision=manifest.revision,
            state=version.state.value,
            reason=version.reason,
            created_at=manifest.created_at,
            created_by=manifest.created_by,
            message=manifest.message,
            file_count=version.file_count,
            total_size=version.total_size,
        )


class FileUrl(Given):
    """Where one file's bytes are, until expires_at."""

    url: str
    sha256: Sha256
    size: Size
    expires_at: Time


class DownloadsWanted(Sent):
    """The files wanted, null for all."""

    paths: list[str] | None


class FileDownload(Given):
    """Where one of several files' bytes are."""

    path: str
    url: str
    sha256: Sha256
    size: Size


class Downloads(Given):
    """Where the files' bytes are, until expires_at."""

    version: int
    files: list[FileDownload]
    expires_at: Time
