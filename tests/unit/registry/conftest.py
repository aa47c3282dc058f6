"""Use cases over the stores in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from service.domain.files import FileEntry
from service.domain.names import ModelId
from service.ports import Ticket, Workspace
from service.registry import publishing, uploads
from service.registry.uploads import Wanted
from tests.fakes.in_memory import FakeBlobStore, FakeObjectStore, InMemoryBucket
from tests.people import DS_FRAUD

if TYPE_CHECKING:
    from service.domain.access import Principal

MODEL = ModelId("fraud", "credit-risk")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def bucket() -> InMemoryBucket:
    """An empty bucket."""
    return InMemoryBucket()


def workspace(bucket: InMemoryBucket, who: Principal = DS_FRAUD) -> Workspace:
    """The stores in the name of ``who``, under its first grant."""
    return Workspace(who, who.grants[0], FakeObjectStore(bucket), FakeBlobStore(bucket))


def entry(content: bytes, path: str = "model.bin") -> FileEntry:
    """A file of a draft."""
    return FileEntry(path, sha256(content).hexdigest(), len(content))


def upload(bucket: InMemoryBucket, *contents: bytes, who: Principal = DS_FRAUD) -> None:
    """Send small contents as a client does."""
    wanted = [Wanted(sha256(content).hexdigest(), len(content)) for content in contents]
    started = uploads.start(workspace(bucket, who), MODEL, wanted, NOW)
    for ticket, content in zip(started, contents, strict=True):
        if isinstance(ticket, Ticket):
            bucket.send(ticket, content)


def draft(*contents: bytes, message: str = "") -> publishing.Draft:
    """A draft of these contents."""
    files = tuple(entry(content, f"file-{index}.bin") for index, content in enumerate(contents))
    return publishing.Draft(files, message, {"framework": "none"})


def publish(
    bucket: InMemoryBucket, *contents: bytes, who: Principal = DS_FRAUD, key: str | None = None
) -> publishing.Published:
    """Upload and publish."""
    upload(bucket, *contents, who=who)
    return publishing.publish(workspace(bucket, who), MODEL, draft(*contents), key, NOW)
