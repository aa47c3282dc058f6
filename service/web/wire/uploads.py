"""Bodies of uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.web.wire.base import Given, Sent, Sha256, Size, Time

if TYPE_CHECKING:
    from service.ports import Part as StoredPart
    from service.registry.uploads import OpenUpload as DomainUpload


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
