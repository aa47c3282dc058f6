"""What the scanning role does: it reads a blob and writes down what it found."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

import msgspec

from service.domain.files import MAX_FILE_BYTES
from service.domain.times import written
from service.ports import KeyExists
from service.registry import keys
from service.registry.records import encode, find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from service.domain.names import ModelId
    from service.ports import ObjectStore


class Finding(msgspec.Struct, frozen=True):
    """What one S3 version of a blob really holds; ``size`` in bytes, ``method`` how it was learnt."""

    sha256: str
    size: int
    method: str
    found_at: str


class BlobReader(Protocol):
    """What scanning takes of a ``BlobStore``."""

    def checksum(self, key: str, version_id: str) -> tuple[int, str | None]:
        """See ``BlobStore.checksum``."""

    def chunks(self, key: str, version_id: str) -> Iterator[bytes]:
        """See ``BlobStore.chunks``."""


class Turns:
    """Lets threads of one process work on the same thing one after the other.

    The message about a blob and the one about its manifest arrive together; who comes second finds the
    first one's finding instead of reading 50 GB side by side.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[threading.Lock, int]] = {}
        self._guard = threading.Lock()

    @contextmanager
    def take(self, name: str) -> Iterator[None]:
        """Within the block, no other thread of the process has the turn for ``name``."""
        with self._guard:
            lock, waiting = self._waiting.get(name, (threading.Lock(), 0))
            self._waiting[name] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, waiting = self._waiting.pop(name)
                if waiting > 1:
                    self._waiting[name] = (lock, waiting - 1)


class Scanner(msgspec.Struct, frozen=True):
    """The scanning role at work, in stores of its own."""

    objects: ObjectStore
    blobs: BlobReader
    turns: Turns

    def find_or_scan(self, model: ModelId, digest: str, version_id: str, now: datetime) -> Finding:
        """The finding about that S3 version of the blob, made now if there is none. Raises ``KeyMissing``."""
        key = keys.finding(model, digest, version_id)
        with self.turns.take(key):
            known = find(self.objects, key, Finding)
            if known:
                return known.value
            finding = _scan(self.blobs, keys.blob(model, digest), version_id, now)
            with suppress(KeyExists):  # another worker read the same immutable bytes and found the same
                self.objects.create(key, encode(finding))
            return finding


def _scan(blobs: BlobReader, key: str, version_id: str, now: datetime) -> Finding:
    """Trust storage's own full-object SHA-256 where it holds one; read the bytes otherwise.

    No version can name a file over the limit, and nobody's own S3 session shall keep the verifier busy
    with one: it is not read, and its empty digest matches nothing.
    """
    size, checksum = blobs.checksum(key, version_id)
    if size > MAX_FILE_BYTES:
        return Finding("", size, "too-large", written(now))
    if checksum is not None:
        return Finding(checksum, size, "storage-checksum", written(now))
    digest = sha256()
    read = 0
    for chunk in blobs.chunks(key, version_id):
        digest.update(chunk)
        read += len(chunk)
    return Finding(digest.hexdigest(), read, "read", written(now))
