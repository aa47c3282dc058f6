"""Questions to the audit: who did what to which model, and whether the record of it is whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from smas.audit_results import AuditSessions
from smas.errors import Corrupt, Fault, Forbidden, Invalid, WrongUsage
from smas.references import parse_model

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from smas.api import Api
    from smas.audit_results import AuditIntegrity, AuditPage

OUTCOMES: Final = ("success", "denied", "error")
_BY_DEFAULT: Final = timedelta(days=1)
# What the store checks at once, and what is not worth asking for.
_LONGEST: Final = timedelta(days=7)
_SHORTEST: Final = timedelta(hours=1)
_SHORTER: Final = 7
# Kinds of findings that parts of a range have and the whole of it has not.
_NO_DIGESTS: Final = "no_digests"
_CHAIN_BEGINS: Final = "chain_begins"
_TIME_UP: Final = "time_up"
_ROLE_NEEDED: Final = (
    "only compliance and auditors read the audit; `smas whoami` lists your roles, "
    "and whoever administers the store gives out others"
)
# https://www.rfc-editor.org/rfc/rfc3339#section-5.6; a space may stand for the T.
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are asked for: all of what is given holds; ``since`` <= time < ``until`` (RFC 3339, UTC).

    ``who`` is held against the session's name and the source identity. ``action`` is exact
    (``s3:GetObject``), or ends in ``*`` for any ending. A ``version`` needs a ``model``. Without ``since``
    it is the 24 hours before ``until``, without ``until`` up to now.
    """

    model: str | None = None
    version: int | None = None
    who: str | None = None
    action: str | None = None
    outcome: str | None = None
    since: str | None = None
    until: str | None = None

    def checked(self) -> EventQuery:
        """The same, if the store can answer it. Raises ``Invalid`` or ``WrongUsage``."""
        if self.model is not None:
            parse_model(self.model)
        elif self.version is not None:
            message = "a version is a model's: name the model too"
            raise WrongUsage(message)
        if self.outcome not in {None, *OUTCOMES}:
            message = f"{self.outcome!r} is no outcome: they are {', '.join(OUTCOMES)}"
            raise Invalid(message)
        _require_order(self.since, self.until)
        return self

    def parameters(self) -> dict[str, str]:
        """As the route's query."""
        given = {
            "model": self.model,
            "version": None if self.version is None else str(self.version),
            "actor": self.who,
            "action": self.action,
            "outcome": self.outcome,
            "from": self.since,
            "to": self.until,
        }
        return {name: value for name, value in given.items() if value is not None}


def moment(given: str | datetime | None) -> str | None:
    """A time as the store takes it: RFC 3339 in UTC, whole seconds. Raises ``Invalid``."""
    if given is None:
        return None
    if isinstance(given, str):
        if not _TIME.fullmatch(given):
            message = f"{given!r} is no time: write RFC 3339, as in 2026-11-24T12:00:00Z"
            raise Invalid(message)
        try:
            given = datetime.fromisoformat(given.upper())
        except ValueError as error:
            message = f"{given!r} is no time: {error}"
            raise Invalid(message) from error
    if given.tzinfo is None:
        message = f"{given.isoformat()} names no time zone: which of the world's clocks is meant?"
        raise Invalid(message)
    try:
        return given.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"
    except OverflowError as error:
        message = f"{given.isoformat()} is out of range"
        raise Invalid(message) from error


def event_pages(api: Api, query: EventQuery, size: int) -> Iterator[AuditPage]:
    """The events, newest first, in pages of at most ``size``; only the page at hand is held.

    Raises ``Forbidden`` to all but compliance and auditors.
    """
    try:
        yield from api.audit_events(query.checked().parameters(), size)
    except Forbidden as error:
        error.hint = _ROLE_NEEDED
        raise


def require_readable(unreadable: Collection[str]) -> None:
    """Raise ``Corrupt`` if log files are gone or damaged."""
    if not unreadable:
        return
    named = next(iter(unreadable)) if len(unreadable) == 1 else f"{len(unreadable):,} log files"
    message = f"events are missing: {named} of the trail can't be read"
    hint = "`smas audit integrity` says what is wrong with the trail"
    raise Corrupt(message, hint=hint, errors=[Fault(file, "gone or damaged") for file in unreadable])


def checks(
    api: Api, since: str | None, until: str | None, clock: Callable[[], datetime]
) -> Iterator[AuditIntegrity]:
    """The trail of a range checked from its beginning, in as many parts as the store needs.

    The store checks at most seven days at once, and no longer than its time allows: then the next part goes
    on where it stopped. Where it got nowhere, a shorter part is tried; if even an hour is too long, that part
    is the last, and not ``complete``. Raises ``Forbidden`` to all but compliance and auditors.
    """
    _require_order(since, until)
    end = _read(until) if until else clock().replace(microsecond=0)
    begin = _read(since) if since else end - _BY_DEFAULT
    if begin >= end:
        message = f"nothing has happened since {since} yet"
        raise Invalid(message)
    span = _LONGEST
    while begin < end:
        part_end = min(begin + span, end)
        found = _checked(api, begin, part_end)
        reached = part_end if found.complete else _read(found.checked_until or found.start)
        if reached > begin or span <= _SHORTEST:
            yield found
        if reached > begin:
            begin = min(reached, part_end)
        elif span > _SHORTEST:
            span = max(min(span, part_end - begin) / _SHORTER, _SHORTEST)
        else:
            return


def _checked(api: Api, begin: datetime, end: datetime) -> AuditIntegrity:
    try:
        return api.audit_integrity({"from": str(moment(begin)), "to": str(moment(end))})
    except Forbidden as error:
        error.hint = _ROLE_NEEDED
        raise


def merged(parts: Iterable[AuditIntegrity]) -> AuditIntegrity:
    """One answer of several that follow each other; there is at least one.

    Digests on the border of two parts are checked, and counted, in both. A part without any digest is a
    problem, but not where the first digest after it says, signed, that the chain begins with it.
    """
    whole: AuditIntegrity | None = None
    empty: AuditIntegrity | None = None
    for part in parts:
        if _is_empty(part):
            empty = part if empty is None else _joined(empty, part)
            continue
        if empty is not None:
            begins = any(note.kind == _CHAIN_BEGINS for note in part.notes)
            whole = _joined(whole, _as_note(empty) if begins else empty)
            empty = None
        whole = _joined(whole, part)
    if empty is not None:
        whole = _joined(whole, empty)
    if whole is None:
        raise AssertionError
    return whole


def _is_empty(part: AuditIntegrity) -> bool:
    return bool(part.problems) and all(problem.kind == _NO_DIGESTS for problem in part.problems)


def _as_note(part: AuditIntegrity) -> AuditIntegrity:
    when = f"{part.start} to {part.end}"
    noted = [msgspec.structs.replace(one, message=f"{when}: {one.message}") for one in part.problems]
    return msgspec.structs.replace(part, valid=True, problems=[], notes=[*noted, *part.notes])


def _joined(first: AuditIntegrity | None, second: AuditIntegrity) -> AuditIntegrity:
    if first is None:
        return second
    return msgspec.structs.replace(
        second,
        valid=first.valid and second.valid,
        digests=first.digests + second.digests,
        logs=first.logs + second.logs,
        start=first.start,
        problems=_each_once([*first.problems, *second.problems]),
        # The next part went on from there.
        notes=_each_once([*(note for note in first.notes if note.kind != _TIME_UP), *second.notes]),
        more_problems=first.more_problems + second.more_problems,
        more_notes=first.more_notes + second.more_notes,
        proved_from=first.proved_from or second.proved_from,
        proved_until=second.proved_until or first.proved_until,
        sessions=_all_sessions(first.sessions, second.sessions),
    )


def _all_sessions(first: AuditSessions | None, second: AuditSessions | None) -> AuditSessions | None:
    if first is None or second is None:
        return first or second
    unknown = _each_once([*first.unknown, *second.unknown])
    return AuditSessions(
        assumed=first.assumed + second.assumed, unknown=unknown, more=first.more + second.more
    )


def _each_once(values: list[Any]) -> list[Any]:
    """In order; windows that follow each other may both tell of the file between them."""
    kept: list[Any] = []
    for value in values:
        if value not in kept:
            kept.append(value)
    return kept


def _read(written: str) -> datetime:
    return datetime.fromisoformat(str(moment(written)))


def _require_order(since: str | None, until: str | None) -> None:
    if since is not None and until is not None and _read(since) >= _read(until):
        message = f"nothing lies between {since} and {until}: the first must be the earlier one"
        raise Invalid(message)
