"""The worker's loops: a message is deleted when its work is done, and only then."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from service.domain.versions import VersionState
from service.errors import Unavailable
from service.ports import Message
from service.registry import keys, versions
from service.verifier.consuming import Consumer, events_in
from tests.fakes.in_memory import FakeEvents, FakeObjectStore, InMemoryBucket
from tests.unit.registry.conftest import MODEL, publish
from tests.unit.verifier.conftest import verifier
from tests.unit.verifier.test_events import notification

if TYPE_CHECKING:
    from service.verifier.settling import Verifier


@dataclass
class Moody:
    """Gives out verifiers, or an outage as often as told."""

    bucket: InMemoryBucket
    outages: int = 0
    asked: int = field(default=0)

    def __call__(self) -> Verifier:
        """The next verifier."""
        self.asked += 1
        if self.outages > 0:
            self.outages -= 1
            raise Unavailable("STS cannot be reached")
        return verifier(self.bucket)


def published(bucket: InMemoryBucket) -> Message:
    """A message about a version just published."""
    publish(bucket, b"x")
    return Message(notification((keys.manifest(MODEL, 1), "v")), "receipt")


def state(bucket: InMemoryBucket) -> VersionState:
    """The version's state."""
    return versions.read_number(FakeObjectStore(bucket), MODEL, 1).state


def test_a_settled_message_is_deleted(bucket: InMemoryBucket) -> None:
    """Work done, message gone."""
    events = FakeEvents([published(bucket)])
    Consumer(events, Moody(bucket)).handle(events.messages[0])
    assert events.messages == []
    assert state(bucket) is VersionState.AVAILABLE


def test_a_message_whose_work_failed_stays(bucket: InMemoryBucket) -> None:
    """An outage leaves the message in the queue, and the next delivery does the work."""
    events = FakeEvents([published(bucket)])
    consumer = Consumer(events, Moody(bucket, outages=1))
    consumer.handle(events.messages[0])
    assert len(events.messages) == 1
    assert state(bucket) is VersionState.VERIFYING
    consumer.handle(events.messages[0])
    assert events.messages == []


@pytest.mark.parametrize(
    "body", ["junk", '{"Records": 5}', '{"a":' * 100_000, '"\ud800"'], ids=["junk", "5", "deep", "surrogate"]
)
def test_poison_is_left_to_the_dead_letter_queue(bucket: InMemoryBucket, body: str) -> None:
    """What cannot be read is not deleted, and does not end the loop."""
    events = FakeEvents([Message(body, "receipt")])
    Consumer(events, Moody(bucket)).handle(events.messages[0])
    assert events.deleted == []
    assert events_in(body) is None


def test_several_threads_share_one_queue(bucket: InMemoryBucket) -> None:
    """Loops stop when told, and what they were given is done by then."""
    events = FakeEvents([published(bucket)])
    consumer = Consumer(events, Moody(bucket))
    sweeping = threading.Thread(target=consumer.sweep, args=[1])
    sweeping.start()
    consumer.handle(events.messages[0])
    consumer.stop()
    sweeping.join(timeout=10)
    assert not sweeping.is_alive()
    assert state(bucket) is VersionState.AVAILABLE


def test_an_outage_does_not_end_the_sweep(bucket: InMemoryBucket) -> None:
    """A sweep that fails is tried again with the next one."""
    published(bucket)
    moody = Moody(bucket, outages=1)
    consumer = Consumer(FakeEvents(), moody)
    consumer.sweep_once()
    assert state(bucket) is VersionState.VERIFYING
    consumer.sweep_once()
    assert state(bucket) is VersionState.AVAILABLE


class Broken(FakeEvents):
    """Fails as no adapter should, until told to stop."""

    def __init__(self, consumer: list[Consumer]) -> None:
        super().__init__()
        self.consumer = consumer
        self.asked = 0

    def receive(self, limit: int, wait_seconds: int) -> list[Message]:
        """See ``Events.receive``."""
        self.asked += 1
        if self.asked > 2:
            self.consumer[0].stop()
            return super().receive(limit, wait_seconds)
        message = "no such queue"
        raise LookupError(message)


def test_nothing_unexpected_ends_the_loops(bucket: InMemoryBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that ended would leave a process that looks alive and verifies nothing."""
    monkeypatch.setattr("service.verifier.consuming._PAUSE_SECONDS", 0.0)
    consumers: list[Consumer] = []
    events = Broken(consumers)
    consumers.append(Consumer(events, Moody(bucket)))
    consumers[0].consume()
    assert events.asked == 3

    def no_verifier() -> Verifier:
        message = "no such role"
        raise LookupError(message)

    Consumer(FakeEvents(), no_verifier).sweep_once()
