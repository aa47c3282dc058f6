"""``AuditTrail`` over log files: newest first, each event once, in the memory of a page and a few files."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

import msgspec

from service.audit import resuming
from service.audit.course import Course
from service.audit.filtering import Wanted, evident, fingerprint, holds
from service.audit.log_files import UnreadableLogFile, records_in, text_of
from service.audit.newest import Newest
from service.audit.ports import TrailPage
from service.domain.audit import Position

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.audit.log_files import LogFile, Record
    from service.audit.ports import TrailFiles
    from service.audit.records import Store
    from service.domain.audit import EventFilter

log = logging.getLogger(__name__)

# API Gateway waits for 30 s at most; what comes before and after a page needs some of them.
PAGE_SECONDS: Final = 10.0


class LogFileTrail(msgspec.Struct, frozen=True):
    """``AuditTrail`` that reads the log files themselves; ``clock`` counts seconds."""

    files: TrailFiles
    store: Store
    clock: Callable[[], float] = time.monotonic
    page_seconds: float = PAGE_SECONDS

    def events(self, wanted: EventFilter, *, after: str | None, limit: int) -> TrailPage:
        """See ``AuditTrail.events``.

        Files are read newest first until none of the others can hold a newer event than those found, or
        until time is up. A file that cannot be read is left out, named in the page and in the log.
        """
        deadline = self.clock() + self.page_seconds
        question = fingerprint(wanted)
        resume = resuming.read(after, question, self.files.identity) if after is not None else None
        top = resume.position if resume else Position(wanted.end, "")
        newest, course = Newest(Wanted(wanted), self.store, top, limit), Course(self.files, wanted, resume)
        unreadable: list[str] = []
        reached: datetime | None = None
        for file, data in course.contents():
            if newest.holds_all_before(file.before):
                course.stop(file)
                break
            if (course.advanced or file.before < top.time) and self.clock() >= deadline:
                course.stop(file)
                reached = file.before
                break
            found = _records(file, data, Wanted(wanted))
            if found is None:
                unreadable.append(file.key)
            else:
                newest.look_into(file, found)
            course.read(file)
        else:
            course.finish()
        return _page(question, newest, course, reached, unreadable)


def _records(file: LogFile, data: bytes | None, wanted: Wanted) -> list[Record] | None:
    """What may be wanted of a file; None if the file is gone or no log file."""
    try:
        if data is None:
            fault = "the file is gone"
        else:
            words = wanted.words()
            text = text_of(data)
            if not words or not evident(text):
                return records_in(text)
            return records_in(text, lambda piece: holds(piece, words)) if holds(text, words) else []
    except UnreadableLogFile as error:
        fault = str(error)
    log.error("log file left out of an answer", extra={"key": file.key, "fault": fault})
    return None


def _page(
    question: str, newest: Newest, course: Course, reached: datetime | None, unreadable: list[str]
) -> TrailPage:
    items = newest.since(reached)
    places = [Position(event.time, event.event_id) for event in items]

    def resume(position: Position) -> str | None:
        again = [*newest.older_than(position), *course.stragglers]
        if not again and course.rest is None:
            return None
        return resuming.written(
            resuming.resume_of(
                question,
                position,
                [file.name for file in sorted(set(again), reverse=True)],
                course.rest.name if course.rest else None,
                course.unread.name if course.unread else None,
            )
        )

    def after(count: int) -> str | None:
        return resume(places[count - 1])

    if reached is not None:
        end = min(newest.top, Position(reached, ""))
    else:
        end = places[-1] if places else newest.top
    return TrailPage(items, resume(end), after, tuple(unreadable))
