"""What the bucket says happened, and what has to be looked at because of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote_plus

import msgspec

from service.domain.names import DIGEST, VERSION, ModelId, parse_model_id
from service.errors import ValidationFailed
from service.registry import keys

if TYPE_CHECKING:
    from collections.abc import Iterator


# Dataclasses, because when something was noticed does not count where events are compared.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noticed:
    """What S3 noted ``noticed_at``; None for what a sweep found."""

    noticed_at: datetime | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BlobArrived(_Noticed):
    """Bytes came in."""

    model: ModelId
    digest: str
    version_id: str


@dataclass(frozen=True, slots=True)
class VersionPublished(_Noticed):
    """A manifest or its author's record was written."""

    model: ModelId
    number: int


@dataclass(frozen=True, slots=True)
class ProtectedAliasMoved(_Noticed):
    """A protected alias points somewhere else."""

    model: ModelId


Event: TypeAlias = BlobArrived | VersionPublished | ProtectedAliasMoved


class _Object(msgspec.Struct):
    key: str
    versionId: str = ""  # noqa: N815 - S3's own spelling


class _Entity(msgspec.Struct):
    object: _Object


class _Record(msgspec.Struct):
    s3: _Entity
    eventTime: str = ""  # noqa: N815 - S3's own spelling


class _Notification(msgspec.Struct):
    Records: list[_Record] = []


def parse(body: str) -> Iterator[Event]:
    """The events in an S3 notification; keys of other kinds and S3's test message are nothing to us.

    Keys are URL-encoded with ``+`` for a space
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
    Raises ``msgspec.DecodeError`` for a body that is no notification.
    """
    for record in msgspec.json.decode(body, type=_Notification).Records:
        event = event_of(unquote_plus(record.s3.object.key), record.s3.object.versionId)
        if event:
            yield replace(event, noticed_at=_moment(record.eventTime))


def _moment(text: str) -> datetime | None:
    """A time as S3 writes it; one that cannot be read holds no message up."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def event_of(key: str, version_id: str) -> Event | None:
    """What an object newly written under ``key`` asks for, None for kinds the verifier does not watch."""
    kind, *segments = key.split("/")
    try:
        model = parse_model_id(*segments[:2])
    except (ValidationFailed, TypeError):
        return None  # anybody of a team may write odd keys under its prefix; they mean nothing
    match kind, segments[2:]:
        case "blobs", [digest] if DIGEST.fullmatch(digest) and version_id:
            return BlobArrived(model, digest, version_id)
        case "manifests", [name] if number := keys.version_in(name):
            return VersionPublished(model, number)
        case "authors", [version, _] if VERSION.fullmatch(version):
            return VersionPublished(model, int(version))
        case "protected", [_]:
            return ProtectedAliasMoved(model)
    return None
