"""Deliveries as they are tried: whether each went well, counted and told in the trail's status."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from smas_emulator.cloudtrail import statuses
from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.faults import fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from smas_emulator.cloudtrail.statuses import Statuses
    from smas_emulator.cloudtrail.streams import Stream

LOG = logging.getLogger(__name__)
_COUNTED_AS = {
    statuses.LOGS: "delivering",
    statuses.DIGEST: "delivering",
    statuses.NOTIFICATION: "notifying",
    statuses.LOG_GROUP: "log_groups",
}


class Attempts:
    """`faults` counts the attempts that failed, and what was lost."""

    def __init__(self, status: Statuses, now: Callable[[], datetime]) -> None:
        self._status = status
        self._now = now
        self.faults: Counter[str] = Counter(
            delivering=0, notifying=0, log_groups=0, lost_events=0, lost_lines=0
        )

    def succeed(self, stream: Stream, what: str, act: Callable[[], None]) -> bool:
        """Try something; whether it went well. A fault of one trail must not keep another waiting."""
        trail, error = stream.trail, None
        try:
            act()
        except AwsError as refusal:
            error = refusal.code
            LOG.error("trail %s could not deliver: %s", trail.name, refusal)  # noqa: TRY400 - no trace: AWS said no
        except Exception as other:  # noqa: BLE001 - whatever it is, it is of this trail alone
            error = type(other).__name__
            LOG.error("trail %s could not deliver: %s", trail.name, fault(other))  # noqa: TRY400
        if error is not None:
            self.faults[_COUNTED_AS[what]] += 1
        if not stream.deleted:
            if error is None:
                self._status.succeeded(trail, what, self._now())
            else:
                self._status.failed(trail, what, self._now(), error)
        return error is None

    def lost(self, stream: Stream, *, events: int = 0, lines: int = 0) -> None:
        """Something was given up; of lines, which may be many, only the count tells."""
        self.faults.update(lost_events=events, lost_lines=lines)
        if events:
            LOG.error("trail %s lost %d events: its bucket takes nothing", stream.trail.name, events)
