"""Bodies as they travel: what clients send and get. ``/openapi.json`` is made of these.

Request types refuse unknown fields: a mistyped ``expected_version`` must not become "don't check".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from service.domain.times import written

if TYPE_CHECKING:
    from service.domain.access import Principal
    from service.domain.models import Pointer
    from service.domain.models import Settings as DomainSettings
    from service.ports import Part as StoredPart
    from service.registry.aliases import Alias as DomainAlias
    from service.registry.models import Model as DomainModel
    from service.registry.uploads import OpenUpload as DomainUpload
    from service.registry.versions import Summary as DomainSummary
    from service.registry.versions import Version as DomainVersion

Size = Annotated[int, msgspec.Meta(description="bytes")]
Sha256 = Annotated[str, msgspec.Meta(description="SHA-256, 64 lower-case hexadecimal digits")]
FreeJson = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]
Time = Annotated[str, msgspec.Meta(description="RFC 3339 in UTC, whole seconds")]


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """Base of request bodies."""


class Given(msgspec.Struct):
    """Base of answers."""


Item = TypeVar("Item")


class Page(Given, Generic[Item]):
    """A page of a list; next_cursor continues it, null at the end."""

    items: list[Item]
    next_cursor: str | None


# --- who am I, health, discovery


class HeldRole(Given):
    """A role as held: in a team, or over all of them."""

    role: str
    team: str | None


class WhoAmI(Given):
    """The caller as the store sees it."""

    subject: str
    username: str | None
    client_id: str
    roles: list[HeldRole]
    permissions: list[str]
    expires_at: Time

    @classmethod
    def of(cls, principal: Principal) -> WhoAmI:
        """The principal, rendered."""
        return cls(
            subject=principal.subject,
            username=principal.username,
            client_id=principal.client_id,
            roles=[HeldRole(grant.role.value, grant.team) for grant in principal.grants],
            permissions=[permission.value for permission in principal.permissions],
            expires_at=written(principal.expires_at),
        )


class Health(Given):
    """The process runs."""

    status: str


class Readiness(Given):
    """Whether requests can be served; failing names each dependency that does not answer, and why."""

    status: str
    failing: dict[str, str]


class ProtectedResource(Given):
    """How to sign in, for a client that knows only this address (RFC 9728)."""

    resource: str
    authorization_servers: list[str]
    bearer_methods_supported: list[str]
    scopes_supported: list[str]
    client_id: Annotated[str, msgspec.Meta(description="the client that people sign in with")]


# --- models


class Model(Given):
    """A model; latest_version is the newest one that can be fetched."""

    id: str
    team: str
    name: str
    description: str
    tags: dict[str, str]
    latest_version: int | None
    created_at: Time
    created_by: str
    updated_at: Time

    @classmethod
    def of(cls, model: DomainModel) -> Model:
        """The model, rendered."""
        card = model.card
        return cls(
            id=str(model.id),
            team=model.id.team,
            name=model.id.model,
            description=card.description,
            tags=card.tags,
            latest_version=model.latest_version,
            created_at=card.created_at,
            created_by=card.created_by,
            updated_at=card.updated_at,
        )


class ModelChange(Sent):
    """What to change of a model's card; absent fields stay, a tag set to null goes."""

    description: str | UnsetType = UNSET
    tags: dict[str, str | None] | UnsetType = UNSET


class Settings(Given):
    """How a model is governed."""

    protected_aliases: list[str]
    required_approvals: int
    scan_policy: str
    default_retention_days: int | None

    @classmethod
    def of(cls, settings: DomainSettings) -> Settings:
        """The settings, rendered."""
        return cls(
            list(settings.protected_aliases),
            settings.required_approvals,
            settings.scan_policy,
            settings.default_retention_days,
        )


class SettingsChange(Sent):
    """All settings of a model; absent ones take their defaults."""

    protected_aliases: list[str] = msgspec.field(default_factory=lambda: ["production"])
    required_approvals: int = 0
    scan_policy: str = "digest"
    default_retention_days: int | None = None


# --- uploads


class WantedBlob(Sent):
    """Bytes to be stored."""

    sha256: Sha256
    size: Size


class UploadsWanted(Sent):
    """1 to 1,000 blobs."""

    files: list[WantedBlob]


class StoredAnswer(Given, tag_field="state", tag="stored"):
    """The model already holds these verified bytes; nothing to send."""

    sha256: Sha256
    size: Size


class SingleAnswer(Given, tag_field="state", tag="single"):
    """Send the bytes with one request, with exactly these headers; S3 refuses wrong bytes."""

    sha256: Sha256
    size: Size
    method: str
    url: str
    headers: dict[str, str]
    expires_at: Time


class MultipartAnswer(Given, tag_field="state", tag="multipart"):
    """Send the bytes in parts; GET …/parts tells which S3 already has."""

    sha256: Sha256
    size: Size
    upload_id: str
    part_size: Size
    part_count: int


class UploadsStarted(Given):
    """An answer for each file, in order."""

    files: list[StoredAnswer | SingleAnswer | MultipartAnswer]


class Part(Given):
    """A part S3 has."""

    number: int
    size: Size
    etag: str

    @classmethod
    def of(cls, part: StoredPart) -> Part:
        """The part, rendered."""
        return cls(part.number, part.size, part.etag)


class PartsWanted(Sent):
    """The parts to send next, 1 to 1,000 of them."""

    upload_id: str
    numbers: list[int]


class PartTicket(Given):
    """Where to PUT one part."""

    number: int
    url: str
    headers: dict[str, str]


class PartTickets(Given):
    """Where to PUT the parts, until expires_at; ask again for more."""

    parts: list[PartTicket]
    expires_at: Time


class SentPart(Sent):
    """A part as S3 acknowledged it."""

    number: int
    etag: str


class Completion(Sent):
    """All parts of the upload."""

    upload_id: str
    parts: list[SentPart]


class Completed(Given):
    """The bytes are here; they are readable once verified."""

    sha256: Sha256
    size: Size
    state: str


class OpenUpload(Given):
    """A multipart upload somebody of the team began."""

    sha256: Sha256
    size: Size
    upload_id: str
    part_size: Size
    part_count: int
    created_at: Time
    created_by: str

    @classmethod
    def of(cls, upload: DomainUpload) -> OpenUpload:
        """The upload, rendered."""
        return cls(
            sha256=upload.sha256,
            size=upload.size,
            upload_id=upload.upload_id,
            part_size=upload.part_size,
            part_count=upload.plan.part_count,
            created_at=upload.created_at,
            created_by=upload.created_by,
        )


# --- versions


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


# --- aliases


class AliasMove(Sent):
    """Where the alias goes; expected_version null means it must not exist, absent means don't check."""

    version: int
    expected_version: int | UnsetType | None = UNSET


class Alias(Given):
    """An alias as it is, or was."""

    alias: str
    version: int
    protected: bool
    updated_at: Time
    updated_by: str

    @classmethod
    def of(cls, alias: DomainAlias) -> Alias:
        """The alias, rendered. It must point to something."""
        if alias.pointer.version is None:
            message = "a removed alias is not an alias"
            raise ValueError(message)
        return cls(
            alias.name,
            alias.pointer.version,
            alias.protected,
            alias.pointer.updated_at,
            alias.pointer.updated_by,
        )


class AliasMoved(Given):
    """One move of an alias; version null means it was removed."""

    version: int | None
    updated_at: Time
    updated_by: str

    @classmethod
    def of(cls, pointer: Pointer) -> AliasMoved:
        """The move, rendered."""
        return cls(pointer.version, pointer.updated_at, pointer.updated_by)
