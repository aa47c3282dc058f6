"""Takes what the gateway reports, and lets a thread of its own do everything that takes time.

Who reports never waits for a delivery, only for room in the inbox, which a stuck bucket does not fill: files
that cannot be delivered wait elsewhere.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from smas_emulator.cloudtrail.inbox import Inbox
from smas_emulator.gateway.faults import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from smas_emulator.cloudtrail.delivery import Delivery
    from smas_emulator.cloudtrail.event_store import EventStore
    from smas_emulator.cloudtrail.trails import Trail

LOG = logging.getLogger(__name__)
MOST_QUEUED = 10_000
# Management events go to the store at the latest when so many wait.
_MOST_UNSTORED = 1_000
_FLUSH_SECONDS = 60.0

Item = TypeVar("Item")


@dataclass(slots=True)
class _Order:
    """What the thread is to do between two events; `done` once it did, and whether all went well."""

    work: Callable[[], bool]
    last: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    succeeded: bool = False


class Recorder(Generic[Item]):
    """Turns what is submitted into events by `build`, and delivers them every so often."""

    def __init__(
        self,
        build: Callable[[Item], Iterable[Mapping[str, Any]]],
        delivery: Delivery,
        store: EventStore,
        *,
        log_seconds: float,
        digest_seconds: float,
    ) -> None:
        self._build = build
        self._delivery = delivery
        self._store = store
        self._log_seconds = log_seconds
        self._digest_seconds = digest_seconds
        self._inbox: Inbox[Item | _Order] = Inbox(MOST_QUEUED)
        self._taken: deque[Item | _Order] = deque()
        self._management: list[Mapping[str, Any]] = []
        self._thread = threading.Thread(target=self._run, name="cloudtrail", daemon=True)
        self._stopped = False
        self.counters: Counter[str] = Counter(taken=0, recorded=0)
        self.faults: Counter[str] = Counter(reporting=0, building=0, storing=0, working=0)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, item: Item) -> None:
        """Have something recorded; what comes after the end is counted as `late`."""
        # The thread itself must not wait for room that only it can make.
        self._inbox.put(item, wait=threading.current_thread() is not self._thread)

    def miss(self) -> None:
        """Count a call that could not even be submitted."""
        self.faults["reporting"] += 1

    def use(self, trails: Sequence[Trail]) -> None:
        """From here on in the order of what is submitted, record for these trails."""

        def work() -> bool:
            self._delivery.use(trails)
            return True

        self._inbox.put(_Order(work))

    def flush(self, *, digest: bool = False) -> bool:
        """Return once everything submitted so far is delivered, with a digest if asked for.

        False when it could not be, or not within a minute.
        """
        return self._carry_out(_Order(lambda: self._flush(digest=digest)))

    def stop(self) -> bool:
        """Deliver everything with a last digest, and end the thread; whether all was delivered."""
        if self._stopped:
            return True
        delivered = self._carry_out(_Order(self._finish, last=True))
        if self._thread.is_alive():
            self._thread.join(_FLUSH_SECONDS)
        self._stopped = delivered
        return delivered

    def report(self) -> dict[str, dict[str, int]]:
        """What was counted: what was done, and what went wrong."""
        queued = len(self._inbox) + len(self._taken)
        return {
            "counters": {**self.counters, **self._delivery.delivered, "queued": queued},
            "faults": {**self.faults, "late": self._inbox.refused, **self._delivery.faults},
        }

    def _carry_out(self, order: _Order) -> bool:
        if not self._thread.is_alive() or not self._inbox.put(order):
            return False
        return order.done.wait(_FLUSH_SECONDS) and order.succeeded

    def _run(self) -> None:
        due = time.monotonic() + self._log_seconds
        digest_due = time.monotonic() + self._digest_seconds
        while True:
            self._taken.extend(self._inbox.take(due - time.monotonic()))
            while self._taken:
                if self._handle(self._taken.popleft()):
                    return
            now = time.monotonic()
            if now >= due:
                signing = now >= digest_due
                self._work(lambda signing=signing: self._flush(digest=signing))  # type: ignore[misc]
                due = time.monotonic() + self._log_seconds
                digest_due = now + self._digest_seconds if signing else digest_due

    def _handle(self, item: Item | _Order) -> bool:
        """Do what an item asks for; whether it was the last."""
        if isinstance(item, _Order):
            item.succeeded = self._work(item.work)
            item.done.set()
            return item.last
        self.counters["taken"] += 1
        try:
            for record in self._build(item):
                if record["eventCategory"] == "Management":
                    self._management.append(record)
                self._delivery.take(record)
                self.counters["recorded"] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the next call is recorded
            self.faults["building"] += 1
            LOG.error("a call was not recorded: %s", fault(error))  # noqa: TRY400 - its text may quote a secret
        if len(self._management) >= _MOST_UNSTORED:
            self._remember()
        return False

    def _finish(self) -> bool:
        """Deliver what came until now, and refuse what comes later."""
        self._flush(digest=False)
        self._taken.extend(self._inbox.close())
        while self._taken:
            self._handle(self._taken.popleft())
        return self._flush(digest=True)

    def _work(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the thread goes on
            self.faults["working"] += 1
            LOG.error("the trail's delivery failed: %s", fault(error))  # noqa: TRY400 - the same
            return False

    def _flush(self, *, digest: bool) -> bool:
        self._remember()
        return self._delivery.sign() if digest else self._delivery.deliver()

    def _remember(self) -> None:
        """Give management events to the store; log files do not depend on it."""
        management, self._management = self._management, []
        try:
            self._store.add(management)
        except Exception as error:  # noqa: BLE001 - log files do not wait for it
            self.faults["storing"] += len(management)
            LOG.error("%d events cannot be looked up: %s", len(management), fault(error))  # noqa: TRY400
