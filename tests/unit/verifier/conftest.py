"""The verifier over the stores in memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from service.verifier.consuming import settle
from service.verifier.events import event_of
from service.verifier.scanning import Scanner, Turns
from service.verifier.settling import Verifier
from tests.fakes.in_memory import FakeBlobStore, FakeObjectStore, InMemoryBucket
from tests.fakes.killed import Fuse, Killed, Mortal
from tests.unit.registry.conftest import NOW


@pytest.fixture
def bucket() -> InMemoryBucket:
    """An empty bucket."""
    return InMemoryBucket()


def verifier(bucket: InMemoryBucket, fuse: Fuse | None = None, now: datetime = NOW) -> Verifier:
    """A verifier, mortal if it has a fuse."""
    objects: Any = FakeObjectStore(bucket)
    blobs: Any = FakeBlobStore(bucket)
    if fuse:
        objects, blobs = Mortal(objects, fuse), Mortal(blobs, fuse)
    return Verifier(Scanner(objects, blobs, Turns()), objects, lambda: now)


def deliver(bucket: InMemoryBucket, worker: Verifier) -> None:
    """Deliver every notification so far, in order, and forget them."""
    happened, bucket.notified = bucket.notified, []
    for key, version_id in happened:
        event = event_of(key, version_id)
        if event:
            settle(worker, event)


def dies(bucket: InMemoryBucket, calls: int, key: str, version_id: str = "v") -> bool:
    """Work on one notification in a process that dies after ``calls`` calls; whether it died."""
    event = event_of(key, version_id)
    assert event
    try:
        settle(verifier(bucket, Fuse(calls)), event)
    except Killed:
        return True
    return False


LATER = NOW + timedelta(minutes=16)
