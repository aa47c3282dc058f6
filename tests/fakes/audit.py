"""The audit's ports in memory: a trail's bucket, its public keys, the service's log.

``FakeTrailFiles`` is held against the real adapter by ``tests/contract/test_trail_files.py``.
"""

from __future__ import annotations

import gzip
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from service.audit.log_file_trail import LogFileTrail
from service.audit.ports import AuditWorkspace, FileMissing, TrailFile, TrailIdentity, Unread
from service.audit.records import Store
from service.ports import Page
from tests.fakes.in_memory import FakeObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from service.domain.access import Grant, Principal
    from service.domain.audit import AnnouncedSession, AuditEvent
    from tests.fakes.in_memory import InMemoryBucket

ACCOUNT = "111122223333"
IDENTITY = TrailIdentity(ACCOUNT, "eu-central-1", "smas", "eu-central-1", "trail-bucket")
STORE = Store("model-bucket", f"arn:aws:iam::{ACCOUNT}:role/smas-")


@dataclass
class FakeTrailFiles:
    """``TrailFiles`` over a dict; ``log`` delivers a log file."""

    trail: TrailIdentity = IDENTITY
    bodies: dict[str, bytes] = field(default_factory=dict)
    attached: dict[str, dict[str, str]] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    _unique: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def identity(self) -> TrailIdentity:
        """See ``TrailFiles.identity``."""
        return self.trail

    def files(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[TrailFile]:
        """See ``TrailFiles.files``."""
        self.lists.append(prefix)
        found = [key for key in sorted(self.bodies) if key.startswith(prefix) and key > (after or "")]
        items = [TrailFile(key, len(self.bodies[key]), datetime.now(UTC)) for key in found[:limit]]
        return Page(tuple(items), items[-1].key if len(found) > limit else None)

    def read(self, key: str) -> bytes:
        """See ``TrailFiles.read``."""
        self.reads.append(key)
        if key not in self.bodies:
            raise FileMissing(key)
        return self.bodies[key]

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """See ``TrailFiles.read_many``."""
        for key in keys:
            try:
                yield self.read(key)
            except FileMissing:
                yield None

    def metadata(self, key: str) -> Mapping[str, str]:
        """See ``TrailFiles.metadata``."""
        if key not in self.bodies:
            raise FileMissing(key)
        return self.attached.get(key, {})

    def log(self, delivered: datetime, records: Sequence[dict[str, Any]], unique: str | None = None) -> str:
        """Deliver a log file; answers its key."""
        body = gzip.compress(msgspec.json.encode({"Records": records}), compresslevel=1)
        return self.put(delivered, body, unique)

    def put(self, delivered: datetime, body: bytes, unique: str | None = None) -> str:
        """Deliver whatever as a log file; answers its key."""
        account, region = self.trail.account, self.trail.region
        name = f"{account}_CloudTrail_{region}_{delivered:%Y%m%dT%H%MZ}_{unique or self._next()}.json.gz"
        folder = f"{self.trail.prefix}AWSLogs/{account}/CloudTrail/{region}/{delivered:%Y/%m/%d}/"
        self.bodies[folder + name] = body
        return folder + name

    def _next(self) -> str:
        return f"{next(self._unique):016}"


@dataclass
class FakePublicKeys:
    """``PublicKeys`` over a dict."""

    keys: dict[str, bytes] = field(default_factory=dict)

    def between(self, start: datetime, end: datetime) -> Mapping[str, bytes]:  # noqa: ARG002 - see the port
        """See ``PublicKeys.between``."""
        return self.keys


@dataclass
class FakeServiceLog:
    """``ServiceLog`` over lists; with ``patience`` its time is up after so many seconds of the range."""

    refused: list[AuditEvent] = field(default_factory=list)
    announced: list[AnnouncedSession] = field(default_factory=list)
    patience: timedelta | None = None

    def refusals(self, start: datetime, end: datetime) -> Iterator[AuditEvent | Unread]:
        """See ``ServiceLog.refusals``."""
        cut = end - self.patience if self.patience is not None else start
        found = [event for event in self.refused if max(start, cut) <= event.time < end]
        yield from sorted(found, key=lambda event: (event.time, event.event_id), reverse=True)
        if cut > start:
            yield Unread(cut)

    def sessions(self, start: datetime, end: datetime) -> Iterator[AnnouncedSession]:
        """See ``ServiceLog.sessions``."""
        return (session for session in self.announced if start <= session.time < end)


@dataclass
class FakeAuditWorkspaces:
    """``AuditWorkspaces`` over one bucket and one trail; remembers for whom they were opened."""

    bucket: InMemoryBucket
    files: FakeTrailFiles = field(default_factory=FakeTrailFiles)
    keys: FakePublicKeys = field(default_factory=FakePublicKeys)
    log: FakeServiceLog = field(default_factory=FakeServiceLog)
    opened: list[tuple[Principal, Grant]] = field(default_factory=list)

    def open(self, principal: Principal, grant: Grant) -> AuditWorkspace:
        """See ``AuditWorkspaces.open``."""
        self.opened.append((principal, grant))
        return AuditWorkspace(
            principal,
            grant,
            FakeObjectStore(self.bucket),
            self.files,
            LogFileTrail(self.files, STORE),
            self.keys,
            self.log,
            STORE.role_prefix,
        )
