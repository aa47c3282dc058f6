"""What the audit needs from the world outside; all of it is read in the reader's own session.

``AuditTrail`` is a question, not a file format: the reader of log files answers it here, and a query engine
over the same files may answer it for years of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from service.audit.publications import Publications

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from service.domain.access import Grant, Principal
    from service.domain.audit import AnnouncedSession, AuditEvent, EventFilter
    from service.ports import ObjectStore, Page


class FileMissing(Exception):
    """No such file in the trail's bucket."""


class TrailFile(msgspec.Struct, frozen=True):
    """A file that the trail delivered: its key, its size in bytes, and when it was (last) written."""

    key: str
    size: int
    last_modified: datetime


class TrailIdentity(msgspec.Struct, frozen=True):
    """Whose trail it is: what the keys of its files are made of.

    ``region`` is the one whose calls are read, ``home_region`` the trail's own; ``prefix`` the trail's key
    prefix in its bucket, empty or ending in a slash.
    """

    account: str
    region: str
    name: str
    home_region: str
    bucket: str
    prefix: str = ""


class TrailFiles(Protocol):
    """The bucket a trail delivers to. Refusals raise ``Forbidden``, outages ``Unavailable``."""

    @property
    def identity(self) -> TrailIdentity:
        """Whose trail it is."""

    def files(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[TrailFile]:
        """Files under ``prefix`` in the order of their keys, after the key ``after``."""

    def read(self, key: str) -> bytes:
        """A file's bytes as they are stored (compressed). Raises ``FileMissing``."""

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """Several files in order, fetched side by side a few ahead; None for one that is missing.

        ``keys`` are asked for no sooner than they are fetched, so that a reader may stop anywhere.
        """

    def metadata(self, key: str) -> Mapping[str, str]:
        """A file's own metadata, by lower-case name (a digest's signature). Raises ``FileMissing``."""


class PublicKeys(Protocol):
    """The keys with which CloudTrail signs its digests."""

    def between(self, start: datetime, end: datetime) -> Mapping[str, bytes]:
        """The public keys in use at any time of that range: PKCS #1 in DER, by fingerprint."""


class TrailPage(msgspec.Struct, frozen=True):
    """Some events, newest first, and where to go on: ``next`` is None when nothing older is left.

    ``next`` is opaque to all but the trail that gave it out. A page may be short, even empty, and yet have
    a next one: the trail gives back what it found before its time was up. ``resume(count)`` is where to go
    on for somebody who took only the first ``count`` (at least one) of the items; None when nothing is left.
    ``unreadable`` names what should have been read and could not be: what it held is missing.
    """

    items: tuple[AuditEvent, ...]
    next: str | None
    resume: Callable[[int], str | None]
    unreadable: tuple[str, ...] = ()


class AuditTrail(Protocol):
    """What AWS recorded."""

    def events(self, wanted: EventFilter, *, after: str | None, limit: int) -> TrailPage:
        """Up to ``limit`` of the wanted events, newest first, each once.

        A wanted version lets through, too, what was done to bytes without naming any version: only who
        knows where these were published can tell.

        ``after`` is an earlier page's ``next``: files that arrive meanwhile neither repeat nor move what
        was answered. Raises ``ValidationFailed`` for an ``after`` that was never given out.
        """


class Unread(msgspec.Struct, frozen=True):
    """The end of what a log could tell in its time: nothing that happened before that moment was read."""

    before: datetime


class ServiceLog(Protocol):
    """What the service itself wrote down for auditors."""

    def refusals(self, start: datetime, end: datetime) -> Iterator[AuditEvent | Unread]:
        """Calls that the service refused from ``start`` until before ``end``, newest first.

        When its time is up before all is read, it ends with an ``Unread`` of a whole second before ``end``:
        whoever asks again until then goes on, with nothing lost or told twice.
        """

    def sessions(self, start: datetime, end: datetime) -> Iterator[AnnouncedSession]:
        """Sessions the service announced from ``start`` until before ``end``, in any order."""


class AuditWorkspace(msgspec.Struct, frozen=True):
    """Everything an audit reads, as one reader may see it.

    ``role_prefix`` plus a persona's name is the ARN of its role; ``people_roles`` are the ARNs of those that
    people come from through IAM. ``publications`` remembers, for this reader, where bytes were published:
    manifests never change.
    """

    principal: Principal
    grant: Grant
    objects: ObjectStore
    files: TrailFiles
    trail: AuditTrail
    keys: PublicKeys
    log: ServiceLog
    role_prefix: str
    people_roles: frozenset[str] = frozenset()
    publications: Publications = msgspec.field(default_factory=Publications)


class AuditWorkspaces(Protocol):
    """Opens the audit in a reader's name."""

    def open(self, principal: Principal, grant: Grant) -> AuditWorkspace:
        """What ``grant`` lets the reader see. Raises ``Forbidden``, ``Unavailable``, ``Throttled``."""
