"""Which events are wanted: the cheapest conditions first, the model's name before anything is decoded."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from service.audit.records import action_of, event_of, outcome_of
from service.domain.audit import AuditEvent, EventFilter  # noqa: TC001 - the fingerprint encodes one

if TYPE_CHECKING:
    from service.audit.log_files import Record
    from service.audit.records import Store

# Characters that JSON writes as they are, unless it escapes them by number.
_PLAIN: Final = re.compile(r"[\w+=,.@-]+", re.ASCII)
_ANY: Final = "*"


class Wanted(msgspec.Struct, frozen=True):
    """An ``EventFilter`` held against texts, records and events."""

    filter: EventFilter

    def words(self) -> tuple[bytes, ...]:
        """What the JSON of every wanted event holds, where words are evidence."""
        words: list[str] = []
        if self.filter.model is not None:
            words.append(str(self.filter.model))
        if self.filter.actor is not None and _PLAIN.fullmatch(self.filter.actor):
            words.append(self.filter.actor)
        if self.filter.action is not None:
            name = self.filter.action.partition(":")[2]
            words += [f'"{name}"'] if _PLAIN.fullmatch(name) else []
        return tuple(word.encode() for word in words)

    def event(self, record: Record, store: Store) -> AuditEvent | None:
        """The event in a record of the range, None if it is not wanted."""
        wanted = self.filter
        if wanted.action is not None and not matches(wanted.action, action_of(record)):
            return None
        if wanted.outcome is not None and outcome_of(record.error_code) is not wanted.outcome:
            return None
        event = event_of(record, store)
        return event if self.accepts(event) else None

    def accepts(self, event: AuditEvent) -> bool:
        """Whether an event is wanted.

        With a version, whatever was done to bytes without naming one is let through: only who knows where
        these were published can tell.
        """
        wanted = self.filter
        return (
            wanted.start <= event.time < wanted.end
            and (wanted.model is None or event.model == str(wanted.model))
            and (wanted.actor is None or wanted.actor in {event.actor, event.subject})
            and (wanted.action is None or matches(wanted.action, event.action))
            and (wanted.outcome is None or event.outcome is wanted.outcome)
            and (
                wanted.version is None
                or event.version == wanted.version
                or (event.version is None and event.sha256 is not None)
            )
        )


def evident(text: bytes) -> bool:
    """Whether words are evidence in a log file's JSON: what holds an event holds its words.

    Not where characters are escaped by number or a slash by a backslash, nor where the source of a copy
    stands, in whose name anything may be percent-encoded.
    """
    return not any(mark in text for mark in (b"\\u00", b"\\/", b"x-amz-copy-source"))


def holds(text: bytes, words: tuple[bytes, ...]) -> bool:
    """Whether a text has all of the words in it."""
    return all(word in text for word in words)


def matches(pattern: str, action: str) -> bool:
    """Whether an action is the one asked for; a ``*`` at the end stands for any ending."""
    if pattern.endswith(_ANY):
        return action.startswith(pattern.removesuffix(_ANY))
    return action == pattern


def fingerprint(wanted: EventFilter) -> str:
    """What tells one question from another, so that no cursor continues the wrong one."""
    return sha256(msgspec.json.encode(wanted)).hexdigest()[:16]
