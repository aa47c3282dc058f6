"""Who touched what: the trail's events and the service's own refusals as one list, newest first."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from service.audit.filtering import Wanted, fingerprint
from service.audit.ports import Unread
from service.domain.audit import EventFilter, Outcome, Position
from service.domain.names import ModelId, parse_model_id
from service.errors import ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from service.audit.ports import AuditWorkspace, TrailPage
    from service.audit.publications import Publication
    from service.domain.audit import AuditEvent

DEFAULT_RANGE: Final = timedelta(hours=24)
# For finding out where bytes are published, beside the trail's own time: together well below the 30 s that
# API Gateway waits. What is not found out by then is left to the next page.
JOIN_SECONDS: Final = 8.0
_SECOND: Final = timedelta(seconds=1)
_OF_THE_SERVICE: Final = "smas:"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
MAX_CURSOR: Final = 8192
# The first and the last second that a datetime can be.
_Seconds = Annotated[int, msgspec.Meta(ge=-62_135_596_800, le=253_402_300_799)]


class Question(msgspec.Struct, frozen=True):
    """What a reader asks for; an end of the range that is not given is the default's.

    ``start`` <= time < ``end``. By default the last 24 hours up to ``end`` or, without one, to now.
    """

    start: datetime | None = None
    end: datetime | None = None
    model: ModelId | None = None
    version: int | None = None
    actor: str | None = None
    action: str | None = None
    outcome: Outcome | None = None


class Seen(msgspec.Struct, frozen=True):
    """An event, and every place of its model where the bytes it was about are published."""

    event: AuditEvent
    published_as: tuple[Publication, ...]


class Events(msgspec.Struct, frozen=True):
    """A page; ``next`` continues it. ``unreadable`` names log files whose events are missing from it."""

    items: tuple[Seen, ...]
    next: str | None
    unreadable: tuple[str, ...]


def events(
    workspace: AuditWorkspace,
    question: Question,
    *,
    cursor: str | None,
    limit: int,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> Events:
    """Up to ``limit`` events, newest first; a page may be short, even empty, and yet have a next one.

    A cursor pins the range of its first page; ``clock`` counts seconds. Raises ``ValidationFailed`` for an
    empty range, a version without its model, or a cursor of another question.
    """
    place = _read(cursor, question) if cursor is not None else _first(question, now)
    wanted = place.filter(question)
    if cursor is not None and place.question != fingerprint(wanted):
        raise ValidationFailed.at("cursor", "belongs to another question: repeat its parameters, too")
    merge = _Merge(workspace, wanted, place, limit)
    kept = _of_the_version(workspace, wanted, merge.items())
    seen, cut = _published(workspace, kept, clock)
    following = merge.next if cut is None else merge.after(cut)
    return Events(seen, _written(following) if following else None, merge.unreadable)


class _Place(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A cursor's content: the range in seconds since 1970, the last event answered, the trail's own cursor.

    ``trail`` is None before the trail's first page, and ``ended`` after its last one.
    """

    question: str
    start: _Seconds
    end: _Seconds
    seconds: _Seconds
    event_id: str
    trail: str | None = None
    ended: bool = False

    @property
    def position(self) -> Position:
        return Position(_EPOCH + timedelta(seconds=self.seconds), self.event_id)

    def filter(self, question: Question) -> EventFilter:
        return EventFilter(
            start=_EPOCH + timedelta(seconds=self.start),
            end=_EPOCH + timedelta(seconds=self.end),
            model=question.model,
            version=question.version,
            actor=question.actor,
            action=question.action,
            outcome=question.outcome,
        )


def _first(question: Question, now: datetime) -> _Place:
    if question.version is not None and question.model is None:
        raise ValidationFailed.at("version", "needs a model")
    # Whatever happened in this second is of the last 24 hours, too.
    end = question.end or now.astimezone(UTC).replace(microsecond=0) + _SECOND
    start = question.start or end - min(DEFAULT_RANGE, end - _BEGINNING)
    if start >= end:
        raise ValidationFailed.at("from", "must be before the end of the range")
    place = _Place("", _seconds(start), _seconds(end), _seconds(end), "")
    return msgspec.structs.replace(place, question=fingerprint(place.filter(question)))


class _Merge:
    """One page out of two lists in the same order: ``items`` first, then where to go on."""

    def __init__(self, workspace: AuditWorkspace, wanted: EventFilter, place: _Place, limit: int) -> None:
        self._place = place
        self._limit = limit
        self._page = self._trail_page(workspace, wanted)
        # From where on the log of refusals was read; all of it, unless its time was up before.
        self._told_from: Position | None = None
        self._refusals = self._refused(workspace, Wanted(wanted))
        self._items: list[AuditEvent] = []
        # How many of the trail's items there are among the first 0, 1, 2... of ours.
        self._taken = [0]
        self.next: _Place | None = None
        self.unreadable = self._page.unreadable if self._page else ()

    def items(self) -> list[AuditEvent]:
        """The page's events; ``next`` is where to go on after them, None at the end."""
        recorded = self._page.items if self._page else ()
        # The trail has not said what comes after its last item, so nothing older may be told before that.
        cut = self._page is not None and self._page.next is not None
        taken = 0
        refusal = next(self._refusals, None)
        while len(self._items) < self._limit:
            record = recorded[taken] if taken < len(recorded) else None
            if refusal is not None and (
                not cut if record is None else _position(refusal) > _position(record)
            ):
                self._items.append(refusal)
                refusal = next(self._refusals, None)
            elif record is not None and not self._too_old(record):
                self._items.append(record)
                taken += 1
            else:
                break
            self._taken.append(taken)
        if refusal is not None or self._told_from is not None or not self._trail_after(taken)[1]:
            self.next = self.after(len(self._items))
            if self._told_from is not None and len(self._items) < self._limit:
                self.next = self._below_what_was_told(self.next, more=cut and taken == len(recorded))
        return self._items

    def _too_old(self, record: AuditEvent) -> bool:
        """Whether there may be refusals newer than that which nobody has read yet."""
        return self._told_from is not None and _position(record) < self._told_from

    def _below_what_was_told(self, place: _Place, *, more: bool) -> _Place:
        """``place``, moved to where the refusals were read; not while the trail has ``more`` above that."""
        if more or self._told_from is None or place.position <= self._told_from:
            return place
        return msgspec.structs.replace(place, seconds=_seconds(self._told_from.time), event_id="")

    def after(self, count: int) -> _Place:
        """Where to go on after only the first ``count`` of the items."""
        last = _position(self._items[count - 1]) if count else self._place.position
        trail, ended = self._trail_after(self._taken[count])
        return msgspec.structs.replace(
            self._place, seconds=_seconds(last.time), event_id=last.event_id, trail=trail, ended=ended
        )

    def _trail_after(self, taken: int) -> tuple[str | None, bool]:
        if self._page is None:
            return None, True
        if taken == len(self._page.items):
            return self._page.next, self._page.next is None
        if taken == 0:
            return self._place.trail, False
        return self._page.resume(taken), False

    def _trail_page(self, workspace: AuditWorkspace, wanted: EventFilter) -> TrailPage | None:
        if self._place.ended or (wanted.action or "").startswith(_OF_THE_SERVICE):
            return None
        return workspace.trail.events(wanted, after=self._place.trail, limit=self._limit)

    def _refused(self, workspace: AuditWorkspace, wanted: Wanted) -> Iterator[AuditEvent]:
        asked, position = wanted.filter, self._place.position
        if asked.outcome not in {None, Outcome.DENIED}:
            return
        # Nothing of the position's own second is left to be told where no event is named in it.
        rest = _SECOND if position.event_id else timedelta()
        end = min(asked.end, position.time + min(rest, asked.end - position.time))
        for event in workspace.log.refusals(asked.start, end):
            if isinstance(event, Unread):
                self._told_from = Position(event.before, "")
            elif _position(event) < position and wanted.accepts(event):
                yield event


def _of_the_version(
    workspace: AuditWorkspace, wanted: EventFilter, items: Sequence[AuditEvent]
) -> list[tuple[int, AuditEvent]]:
    """The items by number, without what calls that named no version did to other versions' bytes."""
    if wanted.version is None or wanted.model is None:
        return list(enumerate(items))
    digests = workspace.publications.digests_of(workspace.objects, wanted.model, wanted.version)
    return [
        (number, event)
        for number, event in enumerate(items)
        if event.version == wanted.version or event.sha256 in digests
    ]


def _published(
    workspace: AuditWorkspace, items: Sequence[tuple[int, AuditEvent]], clock: Callable[[], float]
) -> tuple[tuple[Seen, ...], int | None]:
    """The items with their places; when time was up, only the first, and the number of the next one."""
    digests: dict[str, set[str]] = {}
    first: dict[str, int] = {}
    for number, event in items:
        if event.model is not None and event.sha256 is not None:
            digests.setdefault(event.model, set()).add(event.sha256)
            first.setdefault(event.model, number)
    deadline = clock() + JOIN_SECONDS
    places: dict[str, dict[str, list[Publication]]] = {}
    cut: int | None = None
    for model, wanted in digests.items():
        if places and clock() >= deadline:
            cut = first[model]
            break
        places[model] = workspace.publications.of(workspace.objects, _model(model), wanted)
    seen = tuple(
        Seen(event, tuple(places.get(event.model or "", {}).get(event.sha256 or "", ())))
        for number, event in items
        if cut is None or number < cut
    )
    return seen, cut


def _model(text: str) -> ModelId:
    team, _, model = text.partition("/")
    return parse_model_id(team, model)


def _position(event: AuditEvent) -> Position:
    return Position(event.time, event.event_id)


def _seconds(moment: datetime) -> int:
    return int((moment - _EPOCH).total_seconds())


def _written(place: _Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _read(cursor: str, question: Question) -> _Place:
    wrong = ValidationFailed.at("cursor", "must be a next_cursor of this list")
    if len(cursor) > MAX_CURSOR:
        raise wrong
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        place = msgspec.json.decode(text, type=_Place)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise wrong from error
    given = ((question.start, place.start), (question.end, place.end))
    if any(moment is not None and _seconds(moment) != pinned for moment, pinned in given):
        raise ValidationFailed.at("cursor", "belongs to another question: repeat its parameters, too")
    return place
