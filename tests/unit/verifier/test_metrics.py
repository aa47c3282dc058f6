"""What the verifier measures: each decision once, each event's age and time, and what failed."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service import metrics
from service.logs import SafeJsonFormatter
from service.ports import Message
from service.registry import keys
from service.verifier.consuming import Consumer
from service.verifier.events import parse
from tests import emf
from tests.fakes.in_memory import FakeEvents
from tests.unit.registry.conftest import MODEL, NOW, publish
from tests.unit.verifier.conftest import verifier
from tests.unit.verifier.test_consuming import Moody
from tests.unit.verifier.test_events import notification

if TYPE_CHECKING:
    from tests.fakes.in_memory import InMemoryBucket


@pytest.fixture
def work(bucket: InMemoryBucket, caplog: pytest.LogCaptureFixture) -> Any:
    """Has the worker handle messages; answers its lines with metrics, each checked."""
    caplog.set_level(logging.INFO)

    def handle(*bodies: str, outages: int = 0) -> list[dict[str, Any]]:
        caplog.clear()
        events = FakeEvents([Message(body, f"receipt-{number}") for number, body in enumerate(bodies)])
        consumer = Consumer(events, Moody(bucket, outages))
        for message in list(events.messages):
            consumer.handle(message)
        lines = [json.loads(SafeJsonFormatter().format(record)) for record in caplog.records]
        measured = [line for line in lines if "_aws" in line]
        for line in measured:
            emf.check(line)
        return measured

    return handle


def total(lines: list[dict[str, Any]], metric: metrics.Metric) -> Any:
    """The sum of a metric over lines."""
    return sum(line.get(metric.name, 0) for line in lines)


def notified(key: str, version_id: str, at: str) -> str:
    """A message about something that S3 noted at a time."""
    body = json.loads(notification((key, version_id)))
    body["Records"][0]["eventTime"] = at
    return json.dumps(body)


def test_a_decision_is_counted_once(bucket: InMemoryBucket, work: Any) -> None:
    """However many messages tell of it, in the line of the event that led to it."""
    publish(bucket, b"weights")
    told = [notification(each) for each in bucket.notified]
    lines = work(*told, *told)
    assert total(lines, metrics.BLOBS_VERIFIED) == 1
    assert total(lines, metrics.VERIFIED_BYTES) == len(b"weights")
    assert total(lines, metrics.VERSIONS_AVAILABLE) == 1
    assert total(lines, metrics.BLOBS_QUARANTINED) == total(lines, metrics.VERSIONS_REJECTED) == 0
    assert {line["message"] for line in lines} == {"blob settled", "version settled"}
    assert all(line["VerificationTime"] >= 0 for line in lines)


def test_what_is_wrong_is_counted_as_that(bucket: InMemoryBucket, work: Any) -> None:
    """Bytes that are not what they were published as, and the version that names them."""
    publish(bucket, b"weights")
    (stored,) = (key for key in bucket.objects if key.startswith("blobs/"))
    bucket.objects[stored][-1].body = b"tampered"
    bucket.objects[stored][-1].full_sha256 = None
    lines = work(*(notification(each) for each in bucket.notified))
    assert (total(lines, metrics.BLOBS_QUARANTINED), total(lines, metrics.VERSIONS_REJECTED)) == (1, 1)
    assert total(lines, metrics.BLOBS_VERIFIED) == total(lines, metrics.VERSIONS_AVAILABLE) == 0


def test_an_events_age_is_from_s3s_own_time(bucket: InMemoryBucket, work: Any) -> None:
    """In seconds; where S3's time is missing or odd, there is none, and the event is settled all the same."""
    publish(bucket, b"x")
    key = keys.manifest(MODEL, 1)
    at = (NOW - timedelta(seconds=90)).isoformat()
    ages = [work(notified(key, "v", each))[0].get("EventAge") for each in (at, "yesterday", "2026-01-01")]
    assert ages == [90, None, None]


def test_times_are_no_part_of_what_an_event_is() -> None:
    """Two messages about one thing ask for the same."""
    first, second = (
        next(parse(notified(keys.manifest(MODEL, 1), "v", f"2026-01-01T00:00:0{n}Z"))) for n in (1, 2)
    )
    assert first == second
    assert first.noticed_at != second.noticed_at
    assert "noticed" not in repr(first)


def test_what_fails_is_counted_each_time(bucket: InMemoryBucket, work: Any) -> None:
    """An outage, and a message that is no notification."""
    publish(bucket, b"x")
    lines = work("no notification", notification((keys.manifest(MODEL, 1), "v")), outages=1)
    assert [line["EventsUnsettled"] for line in lines] == [1, 1]


def test_the_sweep_measures_too(bucket: InMemoryBucket, caplog: pytest.LogCaptureFixture) -> None:
    """What no message told of is counted as well; no age, for nobody noted one."""
    caplog.set_level(logging.INFO)
    publish(bucket, b"x")
    Consumer(FakeEvents([]), lambda: verifier(bucket)).sweep_once()
    lines = [vars(record) for record in caplog.records if hasattr(record, "_aws")]
    assert total(lines, metrics.VERSIONS_AVAILABLE) == 1
    assert not any("EventAge" in line for line in lines)
