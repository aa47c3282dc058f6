"""Where a page of the trail ended, and which files the next one has to look into: a cursor's content.

Files overlap, since events come late: when the answer has reached 12:00, a file delivered at 12:07 may still
hold something older. So a place in the order of events is kept together with the files that are worth
reading from there on; reading a day's files again for every page would make a long list quadratic.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from service.audit.log_files import named
from service.domain.audit import Position
from service.errors import ValidationFailed

if TYPE_CHECKING:
    from service.audit.ports import TrailIdentity

# Stragglers that are named one by one; those beyond are found again by reading on from the newest of them.
MOST_STRAGGLERS: Final = 8
_MAX_CURSOR: Final = 4096
# The first and the last second that a datetime can be.
_FIRST_SECOND: Final = -62_135_596_800
_LAST_SECOND: Final = 253_402_300_799

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Seconds = Annotated[int, msgspec.Meta(ge=_FIRST_SECOND, le=_LAST_SECOND)]
Text = Annotated[str, msgspec.Meta(max_length=128)]


class Resume(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A cursor's content.

    Everything from ``seconds`` (since 1970) and ``event_id`` on upwards was answered. ``stragglers`` are the
    files, newest first, that must be read again though they are newer than ``rest``, from which on all files
    are read (None: there is none). ``unread`` is the newest of these that no page has read yet.
    """

    question: Text
    seconds: Seconds
    event_id: Text
    stragglers: Annotated[tuple[Text, ...], msgspec.Meta(max_length=MOST_STRAGGLERS)]
    rest: Text | None
    unread: Text | None

    @property
    def position(self) -> Position:
        """Only what is older than this is still to be answered."""
        return Position(_EPOCH + timedelta(seconds=self.seconds), self.event_id)


def resume_of(
    question: str, position: Position, again: list[str], rest: str | None, unread: str | None
) -> Resume:
    """Where to go on; ``again`` names the files to be read again, newest first, all newer than ``rest``."""
    stragglers, others = again[:MOST_STRAGGLERS], again[MOST_STRAGGLERS:]
    return Resume(
        question,
        int((position.time - _EPOCH).total_seconds()),
        position.event_id,
        tuple(stragglers),
        others[0] if others else rest,
        unread,
    )


def written(resume: Resume) -> str:
    """The cursor."""
    return urlsafe_b64encode(msgspec.json.encode(resume)).decode().rstrip("=")


def read(cursor: str, question: str, identity: TrailIdentity) -> Resume:
    """What a cursor holds. Raises ``ValidationFailed`` unless it continues this very question."""
    wrong = ValidationFailed.at("cursor", "must be a next_cursor of this list")
    if len(cursor) > _MAX_CURSOR:
        raise wrong
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        resume = msgspec.json.decode(text, type=Resume)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise wrong from error
    if resume.question != question:
        raise ValidationFailed.at("cursor", "belongs to another question: repeat its parameters, too")
    every = [*resume.stragglers, *filter(None, (resume.rest, resume.unread))]
    if any(named(identity, name) is None for name in every):
        raise wrong
    return resume
