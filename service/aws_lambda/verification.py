"""The verifier through Lambda: batches of SQS messages, and the sweep when a schedule calls.

An invocation that would run into its deadline stops before: Lambda would end it without a word, and every
message of its batch would wait for the queue's visibility time-out.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from service import metrics
from service.aws_lambda.invocation import ColdStart, UnknownEvent
from service.errors import StoreError, Unavailable
from service.verifier.consuming import events_in, settle, unsettled
from service.verifier.scanning import Scanner
from service.verifier.sweep import forgotten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from service.audit.watch import Watch
    from service.aws_lambda.invocation import Context, InvocationIds
    from service.domain.names import ModelId
    from service.verifier.events import Event
    from service.verifier.scanning import BlobReader, Finding
    from service.verifier.settling import Verifier

log = logging.getLogger(__name__)

# Enough to write down what was found, to decide, and to answer.
RESERVE_MS: Final = 10_000


class OutOfTime(Unavailable):
    """The invocation ends soon; what is under way is left to a later one."""


class Deadline:
    """When the invocation under way has to come to its end."""

    def __init__(self) -> None:
        self._context: Context | None = None

    def begin(self, context: Context) -> None:
        """A new invocation."""
        self._context = context

    @property
    def near(self) -> bool:
        """Whether what takes long should no longer be begun or continued."""
        return self._context is not None and self._context.get_remaining_time_in_millis() < RESERVE_MS

    def check(self) -> None:
        """Raise ``OutOfTime`` if it is near."""
        if self.near:
            raise OutOfTime("the invocation is near its deadline")


class TimedReader(msgspec.Struct, frozen=True):
    """Bytes as ``blobs`` reads them, until the deadline is near; then ``OutOfTime``."""

    blobs: BlobReader
    deadline: Deadline

    def checksum(self, key: str, version_id: str) -> tuple[int, str | None]:
        """See ``BlobStore.checksum``."""
        return self.blobs.checksum(key, version_id)

    def chunks(self, key: str, version_id: str) -> Iterator[bytes]:
        """See ``BlobStore.chunks``."""
        for chunk in self.blobs.chunks(key, version_id):
            self.deadline.check()
            yield chunk


class TimedScanner(Scanner, frozen=True):
    """``Scanner`` that takes up no file when the deadline is near: a version may have a thousand of them."""

    deadline: Deadline

    def find_or_scan(self, model: ModelId, digest: str, version_id: str, now: datetime) -> Finding:
        """See ``Scanner``. Raises ``OutOfTime``, too."""
        self.deadline.check()
        return super().find_or_scan(model, digest, version_id, now)


class VerifierFunction:
    """The verifier as a Lambda function.

    For a batch from SQS it answers which messages must come again; that takes ``ReportBatchItemFailures`` on
    the event source mapping (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
    A scheduled event of EventBridge has it sweep for what messages forgot, and look for sessions that nobody
    announced.
    """

    def __init__(
        self, verifier: Callable[[], Verifier], watch: Watch, deadline: Deadline, ids: InvocationIds
    ) -> None:
        self._verifier = verifier
        self._watch = watch
        self._deadline = deadline
        self._ids = ids
        self._cold_start = ColdStart("verifier")

    def __call__(self, event: dict[str, Any], context: Context) -> dict[str, Any]:
        """What Lambda expects back. Raises ``UnknownEvent``."""
        self._deadline.begin(context)
        self._ids.begin({"lambda_request_id": context.aws_request_id})
        with metrics.measuring() as measurements:
            self._cold_start.count(measurements)
            return self._work_on(event, context)

    def _work_on(self, event: dict[str, Any], context: Context) -> dict[str, Any]:
        if event.get("detail-type") == "Scheduled Event":
            self._sweep()
            return {}
        records = event.get("Records")
        if not isinstance(records, list) or any(each.get("eventSource") != "aws:sqs" for each in records):
            raise UnknownEvent("this function works on messages from SQS and on schedules")
        failed = [record["messageId"] for record in records if not self._handle(record, context)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _handle(self, record: dict[str, Any], context: Context) -> bool:
        """Whether everything the message tells of is settled."""
        self._ids.begin({"lambda_request_id": context.aws_request_id, "message_id": record["messageId"]})
        if self._deadline.near:
            metrics.add(metrics.EVENTS_UNSETTLED)
            log.warning(
                "left for another invocation", extra={"reason": "the deadline is near", **metrics.taken()}
            )
            return False
        try:
            events = events_in(record["body"])
        except Exception:
            # Such as one without a body: it must not bring its neighbours back either.
            metrics.add(metrics.EVENTS_UNSETTLED)
            log.exception("a message that cannot be read", extra=metrics.taken())
            return False
        return events is not None and self._settle_all(events)

    def _settle_all(self, events: Iterable[Event]) -> bool:
        """Whether all are settled; one that fails stops none of the others, a near deadline does."""
        done = True
        for event in events:
            try:
                self._deadline.check()
                settle(self._timed(self._verifier()), event)
            except OutOfTime as error:
                log.warning("left for another invocation", extra=unsettled(event, reason=error.detail))
                return False
            except StoreError as error:
                log.warning("not settled yet", extra=unsettled(event, reason=error.detail))
                done = False
            except Exception:
                # One poisonous event must not bring the rest of its batch back; the queue sets it aside.
                log.exception("not settled", extra=unsettled(event))
                done = False
        return done

    def _timed(self, verifier: Verifier) -> Verifier:
        scanner = verifier.scanner
        timed = TimedScanner(scanner.objects, scanner.blobs, scanner.turns, self._deadline)
        return msgspec.structs.replace(verifier, scanner=timed)

    def _sweep(self) -> None:
        # The watch first: over many models a sweep takes all the time that there is.
        if not self._deadline.near:
            self._watch.look_once()
        try:
            self._settle_all(forgotten(self._verifier().tagging, self._deadline.check))
        except StoreError as error:
            log.warning("sweep interrupted", extra={"reason": error.detail})
