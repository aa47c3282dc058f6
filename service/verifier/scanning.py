"""What the scanning role does: it reads a blob and writes down what it found."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from service.domain.times import written
from service.ports import KeyExists
from service.registry import keys
from service.registry.records import encode, find

if TYPE_CHECKING:
    from datetime import datetime

    from service.domain.names import ModelId
    from service.ports import BlobStore, ObjectStore


@dataclass(frozen=True, slots=True)
class Finding:
    """What one S3 version of a blob really holds; ``size`` in bytes, ``method`` how it was learnt."""

    sha256: str
    size: int
    method: str
    found_at: str


def find_or_scan(
    objects: ObjectStore, blobs: BlobStore, model: ModelId, digest: str, version_id: str, now: datetime
) -> Finding:
    """The finding about that S3 version of the blob, made now if there is none yet. Raises ``KeyMissing``."""
    key = keys.finding(model, digest, version_id)
    known = find(objects, key, Finding)
    if known:
        return known.value
    finding = _scan(blobs, keys.blob(model, digest), version_id, now)
    with suppress(KeyExists):  # a twin read the same immutable bytes and found the same
        objects.create(key, encode(finding))
    return finding


def _scan(blobs: BlobStore, key: str, version_id: str, now: datetime) -> Finding:
    """Trust storage's own full-object SHA-256 where it holds one; read the bytes otherwise."""
    size, checksum = blobs.checksum(key, version_id)
    if checksum is not None:
        return Finding(checksum, size, "storage-checksum", written(now))
    digest = sha256()
    read = 0
    for chunk in blobs.chunks(key, version_id):
        digest.update(chunk)
        read += len(chunk)
    return Finding(digest.hexdigest(), read, "read", written(now))
