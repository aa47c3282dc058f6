"""The worker's two loops: messages as they come, and a sweep for those that never came."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from service import metrics
from service.errors import StoreError
from service.ports import KeyMissing
from service.verifier.events import BlobArrived, Event, ProtectedAliasMoved, VersionPublished, parse
from service.verifier.releasing import release
from service.verifier.sweep import forgotten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.domain.names import ModelId
    from service.ports import Events, Message
    from service.verifier.settling import Verifier

log = logging.getLogger(__name__)

# Received messages are hidden for a minute; renewing well before that keeps a long one ours.
_RENEW_SECONDS: Final = 20
_RENEW_FOR_SECONDS: Final = 60
_POLL_SECONDS: Final = 5
_PAUSE_SECONDS: Final = 2.0


class Consumer:
    """Works on events until told to stop; safe to run in several threads and processes at once."""

    def __init__(self, events: Events, verifier: Callable[[], Verifier]) -> None:
        self._events = events
        self._verifier = verifier
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish what is under way and take nothing more."""
        self._stopping.set()

    def consume(self) -> None:
        """Work on messages until stopped. Whatever fails is waited out; a message that fails comes back."""
        while not self._stopping.is_set():
            try:
                for message in self._events.receive(1, _POLL_SECONDS):
                    self.handle(message)
            except StoreError as error:
                log.warning("no messages to be had", extra={"reason": error.detail})
                self._stopping.wait(_PAUSE_SECONDS)
            except Exception:
                # A loop that ends leaves a process that looks alive and verifies nothing.
                log.exception("no messages to be had")
                self._stopping.wait(_PAUSE_SECONDS)

    def sweep(self, every_seconds: int) -> None:
        """Look for what messages forgot, at once and then every so often, until stopped."""
        while not self._stopping.is_set():
            self.sweep_once()
            self._stopping.wait(every_seconds)

    def sweep_once(self) -> None:
        """Look once for what messages forgot. Failures are logged; the next sweep tries again."""
        try:
            with metrics.measuring():
                for event in forgotten(self._verifier().tagging):
                    if self._stopping.is_set():
                        return
                    self._settle_safely(event)
        except StoreError as error:
            log.warning("sweep interrupted", extra={"reason": error.detail})
        except Exception:
            # The sweep is what finds all that messages forgot, so nothing may end it.
            log.exception("sweep interrupted")

    def handle(self, message: Message) -> None:
        """Settle what a message tells of, and delete it; if anything fails it comes back."""
        with metrics.measuring():
            events = events_in(message.body)
            if events is None:
                return
            with self._kept(message):
                settled = [self._settle_safely(event) for event in events]
        if all(settled):
            try:
                self._events.delete(message)
            except StoreError as error:
                log.warning("message not deleted; it will be seen again", extra={"reason": error.detail})

    def _settle_safely(self, event: Event) -> bool:
        try:
            settle(self._verifier(), event)
        except StoreError as error:
            log.warning("not settled yet", extra=unsettled(event, reason=error.detail))
            return False
        except Exception:
            # The thread must outlive a poisonous event; the queue counts its failures and sets it aside.
            log.exception("not settled", extra=unsettled(event))
            return False
        return True

    @contextmanager
    def _kept(self, message: Message) -> Iterator[None]:
        """Keep the message hidden from others for as long as the block runs."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(_RENEW_SECONDS):
                try:
                    self._events.keep(message, _RENEW_FOR_SECONDS)
                except StoreError as error:
                    log.warning("message not kept; it may be seen twice", extra={"reason": error.detail})
                except Exception:
                    log.exception("message not kept; it may be seen twice")

        renewer = threading.Thread(target=renew, daemon=True)
        renewer.start()
        try:
            yield
        finally:
            done.set()
            renewer.join()


def events_in(body: str) -> list[Event] | None:
    """The events of a message; None for one that cannot be read, which is logged and must come again."""
    try:
        return list(parse(body))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        metrics.add(metrics.EVENTS_UNSETTLED)
        log.exception(
            "a message that is no notification; it is left to the dead-letter queue", extra=metrics.taken()
        )
        return None


def settle(verifier: Verifier, event: Event) -> None:
    """Do what an event asks for. Repeating it is harmless, in any order."""
    if event.noticed_at is not None:
        metrics.add(metrics.EVENT_AGE, (verifier.clock() - event.noticed_at).total_seconds())
    begun = time.perf_counter()
    match event:
        case BlobArrived(model, digest, version_id):
            message, told = _blob(verifier, model, digest, version_id)
        case VersionPublished(model, number):
            verdict = verifier.settle_version(model, number)
            state = verdict.state.value if verdict else "waiting for its author"
            message, told = "version settled", {"version": number, "state": state}
        case ProtectedAliasMoved(model):
            message, told = "releases settled", {"versions": release(verifier.tagging, model).versions}
    metrics.add(metrics.VERIFICATION_TIME, (time.perf_counter() - begun) * 1000)
    log.info(message, extra={"model": str(event.model), **told, **metrics.taken()})


def _blob(verifier: Verifier, model: ModelId, digest: str, version_id: str) -> tuple[str, dict[str, object]]:
    try:
        settled = verifier.settle_blob(model, digest, version_id)
    except KeyMissing:
        return "blob is gone", {"sha256": digest}
    return "blob settled", {"sha256": digest, "state": settled.state}


def unsettled(event: Event, **told: object) -> dict[str, object]:
    """What a line about an event that failed holds."""
    metrics.add(metrics.EVENTS_UNSETTLED)
    return {"event": repr(event), **told, **metrics.taken()}
