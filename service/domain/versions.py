"""A version of a model: what was published, its revision, and what the verifier made of it."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
import rfc8785
from msgspec.structs import asdict

from service.domain.files import StoredFile  # noqa: TC001 - manifests are read by their annotations
from service.errors import ValidationFailed

if TYPE_CHECKING:
    from service.domain.names import ModelId

MAX_METADATA_BYTES: Final = 64 * 1024
MAX_MESSAGE_BYTES: Final = 4 * 1024

JsonObject: TypeAlias = dict[str, Any]


class VersionState(StrEnum):
    """Where a version stands; only ``available`` ones can be fetched."""

    VERIFYING = "verifying"
    AVAILABLE = "available"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


class Manifest(msgspec.Struct, frozen=True):
    """The immutable part of a version, as it is stored.

    ``created_by`` is the name shown, ``subject`` the stable identity behind it, ``revision`` the digest
    of all that the publisher vouches for, ``request`` the digest of the idempotency key, or a random id.
    """

    model: str
    version: int
    created_at: str
    created_by: str
    subject: str
    message: str
    metadata: JsonObject
    files: tuple[StoredFile, ...]
    revision: str
    request: str | None = None

    @property
    def total_size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


class Author(msgspec.Struct, frozen=True):
    """What the publisher wrote in its own name: the revision it stands for."""

    revision: str
    subject: str


class Verdict(msgspec.Struct, frozen=True):
    """What the verifier found: the version's state and, if it is not available, why."""

    version: int
    revision: str
    state: VersionState
    reason: str | None
    decided_at: str
    faults: tuple[str, ...] = ()


def canonical(value: JsonObject) -> bytes:
    """The RFC 8785 form of a JSON object, in UTF-8.

    Raises ``ValidationFailed`` for what that form cannot hold exactly: integers beyond 2^53 - 1 in
    magnitude, NaN, infinities, lone surrogates.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError as error:
        message = "holds an integer beyond 2^53 - 1, which JSON numbers cannot carry exactly: send it as text"
        raise ValidationFailed.at("metadata", message) from error
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise ValidationFailed.at("metadata", "cannot be written as RFC 8785 JSON") from error


def check_description(message: str, metadata: JsonObject) -> None:
    """Raise ``ValidationFailed`` unless message and metadata are within their limits."""
    try:
        length = len(message.encode())
    except UnicodeEncodeError as error:
        raise ValidationFailed.at("message", "must be valid Unicode (it holds a lone surrogate)") from error
    if length > MAX_MESSAGE_BYTES:
        raise ValidationFailed.at("message", f"must be at most {MAX_MESSAGE_BYTES} bytes of UTF-8")
    if len(canonical(metadata)) > MAX_METADATA_BYTES:
        limit = f"must be at most {MAX_METADATA_BYTES} bytes of canonical JSON (RFC 8785)"
        raise ValidationFailed.at("metadata", limit)


def revision_of(manifest: Manifest) -> str:
    """The SHA-256 (lower-case hex) of the RFC 8785 form of what is answered: anyone can recompute it."""
    vouched = {
        "model": manifest.model,
        "version": manifest.version,
        "created_at": manifest.created_at,
        "created_by": manifest.created_by,
        "message": manifest.message,
        "metadata": manifest.metadata,
        "files": [asdict(file) for file in manifest.files],
    }
    return sha256(canonical(vouched)).hexdigest()


def same_model(manifest: Manifest, model: ModelId, version: int) -> bool:
    """Whether a manifest really is the one its key says it is."""
    return manifest.model == str(model) and manifest.version == version
