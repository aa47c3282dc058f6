"""What the store needs from the world outside, in small protocols without AWS's vocabulary.

Two kinds of things are kept: *records* (small JSON objects, in ``ObjectStore``) and *blobs* (the bytes of
models, in ``BlobStore``, which hands out URLs because bytes never pass through the service). Both are
opened for one caller and act in that caller's name alone.

``tests/contract`` runs one suite over every implementation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from service.domain.access import Grant, Principal


class KeyMissing(Exception):
    """No object under that key (or no such version of it)."""


class KeyExists(Exception):
    """``create`` found an object already there."""


class KeyChanged(Exception):
    """``replace`` found another object than expected."""


class UploadMissing(Exception):
    """No open multipart upload with that id."""


class PartsMismatch(Exception):
    """Storage does not confirm the list of parts."""


class Record(msgspec.Struct, frozen=True):
    """A stored record: its bytes, and what names this state of it."""

    key: str
    body: bytes
    etag: str
    version_id: str
    last_modified: datetime


class Entry(msgspec.Struct, frozen=True):
    """A key as a list shows it; ``size`` in bytes."""

    key: str
    size: int
    last_modified: datetime


class EntryVersion(msgspec.Struct, frozen=True):
    """One version of an object, newest first in lists; ``size`` in bytes."""

    key: str
    version_id: str
    size: int
    last_modified: datetime


# The longest record the service writes is the one of releases: twice 20 versions of 1,000 files.
MAX_RECORD_BYTES: Final = 8 * 1024 * 1024

Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A page of a list; ``next`` continues it, None at the end."""

    items: tuple[Item, ...]
    next: str | None


class ObjectStore(Protocol):
    """Records with compare-and-set and history. Refusals raise ``Forbidden``, outages ``Unavailable``."""

    def get(self, key: str, version_id: str | None = None) -> Record:
        """The record, or that version of it. Raises ``KeyMissing``.

        No more than ``MAX_RECORD_BYTES`` of it: what anybody's own S3 session put there must not fill
        the memory of whoever reads it, and a record cut off is no JSON.
        """

    def get_many(self, keys: Sequence[tuple[str, str | None]]) -> list[Record | None]:
        """Several ``(key, version id)`` at once, in order; None where there is nothing."""

    def create(self, key: str, body: bytes) -> str:
        """Write a record that must not exist yet; answers its etag. Raises ``KeyExists``."""

    def replace(self, key: str, body: bytes, etag: str) -> str:
        """Write a record over exactly the state ``etag``; answers the new etag. Raises ``KeyChanged``."""

    def delete(self, key: str) -> None:
        """Remove a record from lists; its versions stay. Harmless when there is none."""

    def entries(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[Entry]:
        """Keys under ``prefix`` in order, after the key ``after``; at most 1,000 a page."""

    def first_of(self, prefixes: Sequence[str]) -> list[Entry | None]:
        """The first key under each of ``prefixes`` at once, in order; None where there is none."""

    def versions(self, prefix: str, *, limit: int = 1000, cursor: str | None = None) -> Page[EntryVersion]:
        """All versions of all keys under ``prefix``, by key, newest first; removals are left out."""

    def versions_of(self, keys: Sequence[str]) -> list[tuple[EntryVersion, ...]]:
        """The newest versions (up to 1,000) of each of ``keys`` at once, in order; empty where none is."""

    def tags(self, key: str, version_id: str) -> dict[str, str]:
        """The tags of one version of an object. Raises ``KeyMissing``."""

    def tags_many(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        """The tags of several ``(key, version id)`` at once, in order. Raises ``KeyMissing``."""

    def set_tags(self, key: str, version_id: str, tags: dict[str, str]) -> None:
        """Replace the tags of one version of an object. Raises ``KeyMissing``."""


class Part(msgspec.Struct, frozen=True):
    """A part that storage has; ``number`` from 1, ``size`` in bytes."""

    number: int
    size: int
    etag: str


class Ticket(msgspec.Struct, frozen=True):
    """A URL that does one thing until ``expires_at``, with the headers its request must carry."""

    url: str
    headers: dict[str, str]
    expires_at: datetime


class BlobStore(Protocol):
    """Bytes of models. Refusals raise ``Forbidden``, outages ``Unavailable``."""

    def upload_ticket(self, key: str, sha256: str) -> Ticket:
        """A PUT of the whole blob, which storage refuses unless its SHA-256 is ``sha256`` (hex)."""

    def start_multipart(self, key: str) -> str:
        """Open a multipart upload; answers its id."""

    def parts(self, key: str, upload_id: str, *, after: int = 0, limit: int = 1000) -> Page[Part]:
        """The parts storage has, by number. Raises ``UploadMissing``."""

    def part_tickets(self, key: str, upload_id: str, numbers: Sequence[int]) -> list[Ticket]:
        """A PUT for each of the parts ``numbers``."""

    def complete(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> None:
        """Make one blob of ``(number, etag)``. Raises ``UploadMissing``, ``PartsMismatch``."""

    def abort(self, key: str, upload_id: str) -> None:
        """Give an upload up and free its parts. Raises ``UploadMissing``."""

    def download_ticket(self, key: str, version_id: str, disposition: str) -> Ticket:
        """A GET of exactly that version, saved under the name in ``disposition``."""

    def checksum(self, key: str, version_id: str) -> tuple[int, str | None]:
        """``(size in bytes, SHA-256 in hex)`` as storage vouches for them. Raises ``KeyMissing``.

        The digest is None if storage holds no SHA-256 of the full object.
        """

    def chunks(self, key: str, version_id: str) -> Iterator[bytes]:
        """The bytes of exactly that version, in order, in bounded memory. Raises ``KeyMissing``."""


class Workspace(msgspec.Struct, frozen=True):
    """The stores as one caller sees them; everything done here is done, and recorded, in its name."""

    principal: Principal
    grant: Grant
    objects: ObjectStore
    blobs: BlobStore


class Workspaces(Protocol):
    """Opens the stores in a caller's name."""

    def open(self, principal: Principal, grant: Grant) -> Workspace:
        """The stores under ``grant``. Raises ``Forbidden``, ``Unavailable``, ``Throttled``."""


class Message(msgspec.Struct, frozen=True):
    """An event to work on: ``body`` as delivered, ``receipt`` to give it back by."""

    body: str
    receipt: str


class Events(Protocol):
    """The queue of what happened in the bucket; a message not deleted comes back."""

    def receive(self, limit: int, wait_seconds: int) -> list[Message]:
        """Up to ``limit`` (at most 10) messages, waiting for the first. Raises ``Unavailable``."""

    def keep(self, message: Message, seconds: int) -> None:
        """Hide the message for ``seconds`` more from others."""

    def delete(self, message: Message) -> None:
        """The message is done with."""


class Readiness(Protocol):
    """What must answer before this process can serve."""

    def faults(self) -> dict[str, str]:
        """Each dependency that does not answer, with why; empty when ready."""
