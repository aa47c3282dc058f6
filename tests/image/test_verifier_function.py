"""The verifier as Lambda calls it: which messages come again, and that no invocation runs into its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from service.audit.watch import Watch
from service.aws_lambda.invocation import InvocationIds, UnknownEvent
from service.aws_lambda.verification import RESERVE_MS, Deadline, OutOfTime, TimedReader, VerifierFunction
from service.domain.versions import VersionState
from service.errors import Unavailable
from service.registry import keys, versions
from service.registry.blobs import STATE_TAG
from service.verifier.scanning import Scanner, Turns
from service.verifier.settling import Verifier
from tests.fakes.in_memory import FakeBlobStore, FakeObjectStore, InMemoryBucket
from tests.image.events import EVENTS, http_event, load
from tests.unit.registry.conftest import MODEL, NOW, publish
from tests.unit.verifier.test_events import notification

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.audit.ports import ServiceLog, TrailFiles


@dataclass
class Remaining:
    """An invocation's context; each question for the time left takes the next of ``times`` (ms)."""

    times: list[int] = field(default_factory=lambda: [900_000])
    aws_request_id: str = "5f7a1c1e-0000-4000-8000-000000000002"

    def get_remaining_time_in_millis(self) -> int:
        """The next of them."""
        return self.times.pop(0) if len(self.times) > 1 else self.times[0]


@dataclass
class Looks:
    """Counts how often the audit is opened."""

    count: int = 0

    def __call__(self) -> tuple[TrailFiles, ServiceLog]:
        """No trail to be had."""
        self.count += 1
        raise Unavailable("no trail")


@dataclass
class Functions:
    """A verifier's function over a bucket in memory; ``outages`` is how many verifiers cannot be had."""

    bucket: InMemoryBucket = field(default_factory=InMemoryBucket)
    deadline: Deadline = field(default_factory=Deadline)
    looks: Looks = field(default_factory=Looks)
    outages: int = 0

    def __call__(self, event: dict[str, Any], context: Remaining | None = None) -> dict[str, Any]:
        """One invocation."""
        watch = Watch(self.looks, "arn:aws:iam::000000000000:role/smas-", lambda: NOW)
        function = VerifierFunction(self.verifier, watch, self.deadline, InvocationIds())
        return function(event, context or Remaining())

    def state(self, number: int) -> VersionState:
        """A version's state."""
        return versions.read_number(FakeObjectStore(self.bucket), MODEL, number).state

    def tagged(self, contents: Sequence[bytes]) -> int:
        """How many of these blobs have their state."""
        blobs = (self.bucket.objects[keys.blob(MODEL, sha256(each).hexdigest())] for each in contents)
        return sum(STATE_TAG in version.tags for versions in blobs for version in versions)

    def verifier(self) -> Verifier:
        """What the function works with."""
        if self.outages > 0:
            self.outages -= 1
            raise Unavailable("STS cannot be reached")
        objects = FakeObjectStore(self.bucket)
        reader = TimedReader(FakeBlobStore(self.bucket), self.deadline)
        return Verifier(Scanner(objects, reader, Turns()), objects, lambda: NOW)


@pytest.fixture
def functions() -> Functions:
    """A function with two published versions to verify."""
    made = Functions()
    publish(made.bucket, b"one")
    publish(made.bucket, b"two")
    return made


def batch(*bodies: str) -> dict[str, Any]:
    """A batch of SQS messages ``m0``, ``m1`` and so on."""
    return {
        "Records": [
            {"messageId": f"m{index}", "body": body, "eventSource": "aws:sqs"}
            for index, body in enumerate(bodies)
        ]
    }


def published(number: int) -> str:
    """S3's message about a manifest."""
    return notification((keys.manifest(MODEL, number), "v"))


def come_again(answer: dict[str, Any]) -> list[str]:
    """Which messages the answer wants back."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_settled_batch_comes_never_again(functions: Functions) -> None:
    """An empty list of failures has Lambda delete all its messages."""
    assert functions(batch(published(1), published(2))) == {"batchItemFailures": []}
    assert (functions.state(1), functions.state(2)) == (VersionState.AVAILABLE, VersionState.AVAILABLE)


def test_only_what_failed_comes_again(functions: Functions) -> None:
    """Its neighbours are settled all the same."""
    functions.outages = 1
    assert come_again(functions(batch(published(1), published(2)))) == ["m0"]
    assert (functions.state(1), functions.state(2)) == (VersionState.VERIFYING, VersionState.AVAILABLE)
    assert come_again(functions(batch(published(1)))) == []
    assert functions.state(1) is VersionState.AVAILABLE


def test_what_is_no_notification_is_left_to_the_dead_letter_queue(functions: Functions) -> None:
    """Deleting it would hide that somebody else writes into our queue."""
    assert come_again(functions(batch("no notification", published(2)))) == ["m0"]
    assert functions.state(2) is VersionState.AVAILABLE


NESTED = '{"Records": [], "x": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"body": NESTED}, id="nested too deeply"),
        pytest.param({"body": "\ud800"}, id="half a character"),
        pytest.param({}, id="no body"),
    ],
)
def test_a_message_that_breaks_the_reader_takes_no_other_along(
    functions: Functions, record: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """It alone comes again; its line names it among what is not settled."""
    event = batch("", published(2))
    event["Records"][0] = {"messageId": "m0", "eventSource": "aws:sqs", **record}
    assert come_again(functions(event)) == ["m0"]
    assert functions.state(2) is VersionState.AVAILABLE
    (line,) = [each for each in caplog.records if each.message.startswith("a message that ")]
    assert vars(line)["EventsUnsettled"] == 1


def test_s3s_test_message_is_done_with(functions: Functions) -> None:
    """S3 sends one when notifications are set up."""
    event = load(EVENTS / "sqs_event.json", str)
    assert come_again(functions(event)) == []


def test_a_bug_in_one_event_takes_no_other_message_along(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it raises."""

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(functions.bucket, "version", breaks)
    assert come_again(functions(batch(published(1), notification(("notes/x", "v"))))) == ["m0"]


def test_near_the_deadline_nothing_more_is_begun(functions: Functions) -> None:
    """The rest of the batch comes again, at once and not after the queue's time-out."""
    near = Remaining([900_000, 900_000, 900_000, RESERVE_MS - 1])
    answer = functions(batch(published(1), published(2), published(2)), near)
    assert come_again(answer)[-2:] == ["m1", "m2"]
    assert functions.state(2) is VersionState.VERIFYING


def test_reading_stops_when_the_deadline_comes_near() -> None:
    """In the middle of a file: nothing is decided, and a later invocation reads it anew."""
    functions = Functions()
    publish(functions.bucket, bytes(5 << 20))
    for version in functions.bucket.objects[keys.blob(MODEL, ZEROS)]:
        version.full_sha256 = None
    answer = functions(batch(published(1)), Remaining([900_000, 900_000, 900_000, 900_000, 0]))
    assert come_again(answer) == ["m0"]
    assert functions.state(1) is VersionState.VERIFYING
    assert come_again(functions(batch(published(1)))) == []
    assert functions.state(1) is VersionState.AVAILABLE


@pytest.mark.parametrize("found_before", [False, True])
def test_a_version_of_many_files_stops_between_two_of_them(found_before: bool) -> None:
    """Though no byte of them has to be read; what was tagged is tagged, and a later invocation goes on."""
    functions = Functions()
    contents = [b"file %d" % number for number in range(20)]
    publish(functions.bucket, *contents)
    if found_before:
        for content in contents:
            scanner = functions.verifier().scanner
            (version,) = functions.bucket.objects[keys.blob(MODEL, sha256(content).hexdigest())]
            scanner.find_or_scan(MODEL, sha256(content).hexdigest(), version.version_id, NOW)
    # One question at the start of the message, one of its event, and one for each of ten files.
    answer = functions(batch(published(1)), Remaining([900_000] * 12 + [RESERVE_MS - 1]))
    assert come_again(answer) == ["m0"]
    assert functions.state(1) is VersionState.VERIFYING
    assert functions.tagged(contents) == 10
    assert come_again(functions(batch(published(1)))) == []
    assert functions.state(1) is VersionState.AVAILABLE
    assert functions.tagged(contents) == 20


ZEROS = "c036cbb7553a909f8b8877d4461924307f27ecb66cff928eeeafd569c3887e29"


def test_a_reader_raises_no_later_than_the_next_chunk() -> None:
    """With the time that the invocation under way has."""
    chunks = [b"a", b"b", b"c"]

    class Reader:
        def checksum(self, key: str, version_id: str) -> tuple[int, str | None]:
            del key, version_id
            return 3, None

        def chunks(self, key: str, version_id: str) -> Iterator[bytes]:
            del key, version_id
            yield from chunks

    deadline = Deadline()
    deadline.begin(Remaining([RESERVE_MS, RESERVE_MS - 1]))
    reading = TimedReader(Reader(), deadline).chunks("key", "v")
    assert next(reading) == b"a"
    with pytest.raises(OutOfTime):
        next(reading)


def test_a_schedule_has_it_sweep_and_watch(functions: Functions) -> None:
    """What no message told of is settled."""
    assert functions(load(EVENTS / "schedule_event.json", str)) == {}
    assert (functions.state(1), functions.state(2)) == (VersionState.AVAILABLE, VersionState.AVAILABLE)
    assert functions.looks.count == 1


def test_a_sweep_ends_before_its_deadline(functions: Functions) -> None:
    """The next one goes on."""
    assert functions(load(EVENTS / "schedule_event.json", str), Remaining([RESERVE_MS - 1])) == {}
    assert functions.state(1) is VersionState.VERIFYING
    assert functions.looks.count == 0


def test_a_sweep_that_runs_out_of_time_takes_none_from_the_watch(functions: Functions) -> None:
    """Else a store of many models would never be watched."""
    assert functions(load(EVENTS / "schedule_event.json", str), Remaining([900_000, RESERVE_MS - 1])) == {}
    assert functions.state(1) is VersionState.VERIFYING
    assert functions.looks.count == 1


def test_a_sweep_lists_no_further_near_its_deadline(
    functions: Functions, caplog: pytest.LogCaptureFixture
) -> None:
    """Listing a large store takes long, even if nothing in it was forgotten."""
    assert functions(load(EVENTS / "schedule_event.json", str), Remaining([900_000, RESERVE_MS - 1])) == {}
    (line,) = [each for each in caplog.records if each.message == "sweep interrupted"]
    assert vars(line)["reason"] == "the invocation is near its deadline"


def test_a_sweep_during_an_outage_is_tried_by_the_next(functions: Functions) -> None:
    """It fails no invocation."""
    functions.outages = 1
    assert functions(load(EVENTS / "schedule_event.json", str)) == {}
    assert functions.looks.count == 1


@pytest.mark.parametrize(
    "event", [{}, {"Records": [{"eventSource": "aws:s3"}]}, http_event("GET", "/healthz")]
)
def test_other_events_are_refused_by_name(functions: Functions, event: dict[str, Any]) -> None:
    """Nothing is taken for an empty batch."""
    with pytest.raises(UnknownEvent):
        functions(event)
