"""The ports in memory: a bucket with versions, tags and multipart uploads, and stores over it.

Held against the real adapters by ``tests/contract``.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from typing import TYPE_CHECKING

from service.ports import (
    MAX_RECORD_BYTES,
    Entry,
    EntryVersion,
    KeyChanged,
    KeyExists,
    KeyMissing,
    Message,
    Page,
    Part,
    PartsMismatch,
    Record,
    Ticket,
    UploadMissing,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from service.domain.access import Grant, Principal

TICKET_LIFE = timedelta(minutes=15)


@dataclass
class StoredVersion:
    """One S3 version of an object; ``body`` is None for a delete marker."""

    version_id: str
    body: bytes | None
    last_modified: datetime
    full_sha256: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """As S3 writes it, quotes and all."""
        return f'"{md5(self.body or b"", usedforsecurity=False).hexdigest()}-{self.version_id}"'


class InMemoryBucket:
    """What both stores share; every method is atomic. ``clock`` is storage's own."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.objects: dict[str, list[StoredVersion]] = {}
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self.lock = threading.RLock()
        self.notified: list[tuple[str, str]] = []
        self._ids = itertools.count(1)

    def next_id(self) -> str:
        """A new version or upload id."""
        return f"id{next(self._ids):08d}"

    def put(self, key: str, body: bytes | None, full_sha256: str | None = None) -> StoredVersion:
        """Add a version (None: a delete marker) and notify."""
        with self.lock:
            version = StoredVersion(self.next_id(), body, self.clock(), full_sha256)
            self.objects.setdefault(key, []).insert(0, version)
            if body is not None:
                self.notified.append((key, version.version_id))
            return version

    def current(self, key: str) -> StoredVersion | None:
        """The newest version, None if there is none or it is a delete marker."""
        versions = self.objects.get(key, [])
        return versions[0] if versions and versions[0].body is not None else None

    def version(self, key: str, version_id: str) -> StoredVersion:
        """That version. Raises ``KeyMissing``."""
        for version in self.objects.get(key, []):
            if version.version_id == version_id and version.body is not None:
                return version
        raise KeyMissing(key)

    def send(self, ticket: Ticket, body: bytes) -> str:
        """Do what a client does with an upload ticket; answers the etag."""
        action, key, *rest = ticket.url.removeprefix("memory://").split("|")
        with self.lock:
            if action == "put":
                if sha256(body).hexdigest() != rest[0]:
                    message = "BadDigest"
                    raise ValueError(message)
                return self.put(key, body, full_sha256=rest[0]).etag
            upload_id, number = rest
            self.uploads[upload_id][1][int(number)] = body
            return md5(body, usedforsecurity=False).hexdigest()

    def fetch(self, url: str) -> bytes:
        """Do what a client does with a download URL."""
        _, key, version_id, _ = url.removeprefix("memory://").split("|")
        return self.version(key, version_id).body or b""


@dataclass
class FakeObjectStore:
    """``ObjectStore`` over an ``InMemoryBucket``."""

    bucket: InMemoryBucket

    def get(self, key: str, version_id: str | None = None) -> Record:
        """See ``ObjectStore.get``."""
        with self.bucket.lock:
            version = self.bucket.version(key, version_id) if version_id else self.bucket.current(key)
            if version is None:
                raise KeyMissing(key)
            body = (version.body or b"")[:MAX_RECORD_BYTES]
            return Record(key, body, version.etag, version.version_id, version.last_modified)

    def get_many(self, keys: Sequence[tuple[str, str | None]]) -> list[Record | None]:
        """See ``ObjectStore.get_many``."""
        found: list[Record | None] = []
        for key, version_id in keys:
            try:
                found.append(self.get(key, version_id))
            except KeyMissing:
                found.append(None)
        return found

    def create(self, key: str, body: bytes) -> str:
        """See ``ObjectStore.create``."""
        with self.bucket.lock:
            if self.bucket.current(key):
                raise KeyExists(key)
            return self.bucket.put(key, body).etag

    def replace(self, key: str, body: bytes, etag: str) -> str:
        """See ``ObjectStore.replace``."""
        with self.bucket.lock:
            current = self.bucket.current(key)
            if current is None or current.etag != etag:
                raise KeyChanged(key)
            return self.bucket.put(key, body).etag

    def delete(self, key: str) -> None:
        """See ``ObjectStore.delete``."""
        self.bucket.put(key, None)

    def entries(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[Entry]:
        """See ``ObjectStore.entries``."""
        with self.bucket.lock:
            found = [
                Entry(key, len(current.body or b""), current.last_modified)
                for key in sorted(self.bucket.objects)
                if key.startswith(prefix) and key > (after or "") and (current := self.bucket.current(key))
            ]
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)

    def first_of(self, prefixes: Sequence[str]) -> list[Entry | None]:
        """See ``ObjectStore.first_of``."""
        pages = [self.entries(prefix, limit=1) for prefix in prefixes]
        return [page.items[0] if page.items else None for page in pages]

    def versions(self, prefix: str, *, limit: int = 1000, cursor: str | None = None) -> Page[EntryVersion]:
        """See ``ObjectStore.versions``."""
        with self.bucket.lock:
            every = [
                (key, version)
                for key in sorted(self.bucket.objects)
                if key.startswith(prefix)
                for version in self.bucket.objects[key]
            ]
        start = next((i + 1 for i, (k, v) in enumerate(every) if f"{k} {v.version_id}" == cursor), 0)
        page = every[start : start + limit]
        items = tuple(
            EntryVersion(key, version.version_id, len(version.body), version.last_modified)
            for key, version in page
            if version.body is not None
        )
        more = len(every) > start + limit
        return Page(items, f"{page[-1][0]} {page[-1][1].version_id}" if more else None)

    def versions_of(self, keys: Sequence[str]) -> list[tuple[EntryVersion, ...]]:
        """See ``ObjectStore.versions_of``."""
        return [tuple(entry for entry in self.versions(key).items if entry.key == key) for key in keys]

    def tags(self, key: str, version_id: str) -> dict[str, str]:
        """See ``ObjectStore.tags``."""
        with self.bucket.lock:
            return dict(self.bucket.version(key, version_id).tags)

    def tags_many(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        """See ``ObjectStore.tags_many``."""
        return [self.tags(*pair) for pair in keys]

    def set_tags(self, key: str, version_id: str, tags: dict[str, str]) -> None:
        """See ``ObjectStore.set_tags``."""
        with self.bucket.lock:
            self.bucket.version(key, version_id).tags = dict(tags)


@dataclass
class FakeBlobStore:
    """``BlobStore`` over an ``InMemoryBucket``; its URLs are for ``InMemoryBucket.send`` and ``fetch``."""

    bucket: InMemoryBucket

    def upload_ticket(self, key: str, sha256: str) -> Ticket:
        """See ``BlobStore.upload_ticket``."""
        return self._ticket(f"memory://put|{key}|{sha256}", {"x-amz-checksum-sha256": sha256})

    def start_multipart(self, key: str) -> str:
        """See ``BlobStore.start_multipart``."""
        with self.bucket.lock:
            upload_id = self.bucket.next_id()
            self.bucket.uploads[upload_id] = (key, {})
            return upload_id

    def parts(self, key: str, upload_id: str, *, after: int = 0, limit: int = 1000) -> Page[Part]:
        """See ``BlobStore.parts``."""
        with self.bucket.lock:
            held = self._parts(key, upload_id)
            found = [
                Part(number, len(held[number]), md5(held[number], usedforsecurity=False).hexdigest())
                for number in sorted(held)
                if number > after
            ]
        return Page(tuple(found[:limit]), str(found[limit - 1].number) if len(found) > limit else None)

    def part_tickets(self, key: str, upload_id: str, numbers: Sequence[int]) -> list[Ticket]:
        """See ``BlobStore.part_tickets``."""
        return [self._ticket(f"memory://part|{key}|{upload_id}|{number}", {}) for number in numbers]

    def complete(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> None:
        """See ``BlobStore.complete``."""
        with self.bucket.lock:
            held = self._parts(key, upload_id)
            for number, etag in parts:
                if number not in held or md5(held[number], usedforsecurity=False).hexdigest() != etag:
                    raise PartsMismatch(key)
            self.bucket.put(key, b"".join(held[number] for number, _ in parts))
            del self.bucket.uploads[upload_id]

    def abort(self, key: str, upload_id: str) -> None:
        """See ``BlobStore.abort``."""
        with self.bucket.lock:
            self._parts(key, upload_id)
            del self.bucket.uploads[upload_id]

    def download_ticket(self, key: str, version_id: str, disposition: str) -> Ticket:
        """See ``BlobStore.download_ticket``."""
        return self._ticket(f"memory://get|{key}|{version_id}|{disposition}", {})

    def checksum(self, key: str, version_id: str) -> tuple[int, str | None]:
        """See ``BlobStore.checksum``."""
        version = self.bucket.version(key, version_id)
        return len(version.body or b""), version.full_sha256

    def chunks(self, key: str, version_id: str) -> Iterator[bytes]:
        """See ``BlobStore.chunks``."""
        body = self.bucket.version(key, version_id).body or b""
        for start in range(0, len(body), 1 << 20):
            yield body[start : start + (1 << 20)]

    def _parts(self, key: str, upload_id: str) -> dict[int, bytes]:
        found = self.bucket.uploads.get(upload_id)
        if found is None or found[0] != key:
            raise UploadMissing(key)
        return found[1]

    @staticmethod
    def _ticket(url: str, headers: dict[str, str]) -> Ticket:
        return Ticket(url, headers, datetime.now(UTC) + TICKET_LIFE)


@dataclass
class FakeWorkspaces:
    """``Workspaces`` over one bucket; remembers in whose name it was opened."""

    bucket: InMemoryBucket
    opened: list[tuple[str, Grant]] = field(default_factory=list)

    def open(self, principal: Principal, grant: Grant) -> Workspace:
        """See ``Workspaces.open``."""
        self.opened.append((principal.name, grant))
        return Workspace(principal, grant, FakeObjectStore(self.bucket), FakeBlobStore(self.bucket))


@dataclass
class FakeEvents:
    """``Events`` in a list; a received message stays until it is deleted."""

    messages: list[Message] = field(default_factory=list)
    deleted: list[Message] = field(default_factory=list)

    def receive(self, limit: int, wait_seconds: int) -> list[Message]:  # noqa: ARG002 - never waits
        """See ``Events.receive``."""
        return self.messages[:limit]

    def keep(self, message: Message, seconds: int) -> None:
        """See ``Events.keep``."""

    def delete(self, message: Message) -> None:
        """See ``Events.delete``."""
        self.messages.remove(message)
        self.deleted.append(message)
