"""Events as they arrive: each once, the oldest of those that are new first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from smas.cli.audit_formats import Row

# CloudTrail delivers "within an average of about 5 minutes" and guarantees none:
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
_NEAR: Final = timedelta(minutes=15)
# Looked through as well, but not every time: for what was delivered late.
FAR: Final = timedelta(hours=3)
_FAR_EVERY: Final = 12
_CLOCKS_MAY_STEP_BACK: Final = timedelta(minutes=10)


class Follower:
    """What is new since it was asked last.

    ``rows`` answers the wanted events from a time (RFC 3339; None: the store's default) up to now, newest
    first. Ids are remembered for the three hours that are looked through again; an event that arrives later
    than that after it happened is not shown.
    """

    def __init__(
        self,
        rows: Callable[[str | None], Iterator[Row]],
        since: str | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._rows = rows
        self._since = since
        self._clock = clock
        self._seen: dict[str, str] = {}
        self._polls = 0

    def latest(self, count: int) -> list[Row]:
        """The newest ``count`` there are, oldest first: where following begins."""
        horizon = self._ago(FAR)
        kept: list[Row] = []
        for row in self._rows(self._since):
            if row.event.time < horizon and len(kept) == count:
                break
            if row.event.time >= horizon:
                self._seen[row.event.event_id] = row.event.time
            if len(kept) < count:
                kept.append(row)
        return kept[::-1]

    def newer(self) -> list[Row]:
        """Those that were not there the last time, oldest first."""
        self._polls += 1
        since = self._ago(_NEAR if self._polls % _FAR_EVERY else FAR)
        rows = self._rows(max(since, self._since or since))
        # Remembered once all are here: what a failure on the way would lose comes with the next poll.
        found = [row for row in rows if row.event.event_id not in self._seen]
        self._seen |= {row.event.event_id: row.event.time for row in found}
        forgotten = self._ago(FAR + _CLOCKS_MAY_STEP_BACK)
        self._seen = {event_id: time for event_id, time in self._seen.items() if time >= forgotten}
        return found[::-1]

    def _ago(self, age: timedelta) -> str:
        then = self._clock() - age
        return then.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"
