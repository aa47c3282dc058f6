"""The newest wanted events of the files looked into so far, each once, and never more than a page of them."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from service.domain.audit import Position

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from service.audit.filtering import Wanted
    from service.audit.log_files import LogFile, Record
    from service.audit.records import Store
    from service.domain.audit import AuditEvent


class Newest:
    """Up to ``limit`` events older than ``top``, and which files hold something older than any of them."""

    def __init__(self, wanted: Wanted, store: Store, top: Position, limit: int) -> None:
        self._wanted = wanted
        self._store = store
        self._top = (top.time, top.event_id)
        self._start = wanted.filter.start
        self._limit = limit
        self._heap: list[tuple[datetime, str]] = []
        self._events: dict[tuple[datetime, str], AuditEvent] = {}
        self._oldest_in: list[tuple[LogFile, tuple[datetime, str]]] = []

    def holds_all_before(self, moment: datetime) -> bool:
        """Whether nothing that happened before ``moment`` can be among the events any more."""
        return len(self._heap) == self._limit and self._heap[0][0] >= moment

    def look_into(self, file: LogFile, records: Iterable[Record]) -> None:
        """Take what is wanted from a file."""
        oldest = self._top
        for record in records:
            place = (record.time, record.event_id)
            if place[0] < self._start or place >= self._top:
                continue
            if len(self._heap) == self._limit and place <= self._heap[0]:
                # Whether it is wanted need not be known yet: there may be something for the next page.
                oldest = min(oldest, place)
                continue
            event = self._wanted.event(record, self._store)
            if event is None:
                continue
            oldest = min(oldest, place)
            if place not in self._events:
                self._add(place, event)
        if oldest < self._top:
            self._oldest_in.append((file, oldest))

    def _add(self, place: tuple[datetime, str], event: AuditEvent) -> None:
        self._events[place] = event
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, place)
        else:
            del self._events[heapq.heappushpop(self._heap, place)]

    def since(self, moment: datetime | None) -> tuple[AuditEvent, ...]:
        """The events, newest first; those before ``moment`` left out."""
        places = sorted(self._heap, reverse=True)
        return tuple(self._events[place] for place in places if moment is None or place[0] >= moment)

    def older_than(self, position: Position) -> list[LogFile]:
        """The files looked into that may hold a wanted event older than that, newest first."""
        place = (position.time, position.event_id)
        return sorted((file for file, oldest in self._oldest_in if oldest < place), reverse=True)

    @property
    def top(self) -> Position:
        """What was answered before: everything from here on upwards."""
        return Position(*self._top)
