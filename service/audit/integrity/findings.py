"""What a check may find: problems, which make the trail invalid, and notes, which do not."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

# What is named of each; of the others there is a number.
MOST_PROBLEMS: Final = 1_000
MOST_NOTES: Final = 200


class ProblemKind(StrEnum):
    """What is wrong with a file."""

    DIGEST_MISSING = "digest_missing"
    DIGEST_UNREADABLE = "digest_unreadable"
    DIGEST_UNSIGNED = "digest_unsigned"
    DIGEST_MOVED = "digest_moved"
    DIGEST_CHANGED = "digest_changed"
    SIGNATURE_INVALID = "signature_invalid"
    KEY_UNKNOWN = "key_unknown"
    LOG_MISSING = "log_missing"
    LOG_UNREADABLE = "log_unreadable"
    LOG_CHANGED = "log_changed"
    NO_DIGESTS = "no_digests"


class NoteKind(StrEnum):
    """What an auditor wants to know."""

    GAP = "gap"
    CHAIN_BEGINS = "chain_begins"
    DIGEST_OVERDUE = "digest_overdue"
    NOT_YET_PROVED = "not_yet_proved"
    DIGEST_ELSEWHERE = "digest_elsewhere"
    LOG_ELSEWHERE = "log_elsewhere"
    LOG_DAMAGED = "log_damaged"
    LOG_UNLISTED = "log_unlisted"
    TIME_UP = "time_up"
    SESSIONS_UNCHECKED = "sessions_unchecked"


class Problem(msgspec.Struct, frozen=True):
    """Why the trail is not valid: the kind, the key of the file, and what it means and what to do."""

    kind: ProblemKind
    file: str | None
    message: str


class Note(msgspec.Struct, frozen=True):
    """What does not make the trail invalid; ``file`` is the key of the file it is about, if any."""

    kind: NoteKind
    file: str | None
    message: str


class Findings(msgspec.Struct):
    """Collects what is found, in bounded memory; ``more`` counts problems and notes that are not named."""

    problems: list[Problem] = msgspec.field(default_factory=list)
    notes: list[Note] = msgspec.field(default_factory=list)
    more_problems: int = 0
    more_notes: int = 0

    @property
    def valid(self) -> bool:
        """Nothing is wrong with any file."""
        return not self.problems

    def problem(self, kind: ProblemKind, file: str | None) -> None:
        """A file is wrong."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(kind, file, _MEANING[kind]))
        else:
            self.more_problems += 1

    def note(self, kind: NoteKind, file: str | None, message: str) -> None:
        """Something else is worth knowing."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(Note(kind, file, message))
        else:
            self.more_notes += 1


_UNPROVED: Final = "The log files of its time are proved by nothing."
_VERSIONS: Final = "Look for the original among the versions of the object, and for who wrote over it."
_DELETED: Final = "Look for it among the versions of the object, and for who deleted it."

_MEANING: Final = {
    ProblemKind.DIGEST_MISSING: (
        "The next digest of the chain names this one, but it is not in the bucket: it was deleted. "
        f"{_UNPROVED} {_DELETED}"
    ),
    ProblemKind.DIGEST_UNREADABLE: (
        "This is not a digest that CloudTrail wrote: no gzip, no JSON, or not the fields of a digest. "
        f"{_UNPROVED} {_VERSIONS}"
    ),
    ProblemKind.DIGEST_UNSIGNED: (
        f"The signature that CloudTrail keeps in the metadata of this digest is gone. {_UNPROVED} {_VERSIONS}"
    ),
    ProblemKind.DIGEST_MOVED: (
        "This digest says that it belongs in another place: one digest was put over another. "
        f"{_UNPROVED} {_VERSIONS}"
    ),
    ProblemKind.DIGEST_CHANGED: (
        "The text of this digest is not what the next digest of the chain says it was: it was changed. "
        f"{_UNPROVED} {_VERSIONS}"
    ),
    ProblemKind.SIGNATURE_INVALID: (
        "The signature of this digest does not fit: the digest or its signature was changed after CloudTrail "
        f"signed it. {_UNPROVED} {_VERSIONS}"
    ),
    ProblemKind.KEY_UNKNOWN: (
        "This digest is signed with a key that was not CloudTrail's in this region then: somebody else made "
        f"it. {_UNPROVED} {_VERSIONS}"
    ),
    ProblemKind.LOG_MISSING: (
        "A digest lists this log file, but it is not in the bucket: it was deleted after CloudTrail "
        f"delivered it. {_DELETED}"
    ),
    ProblemKind.LOG_UNREADABLE: (
        "This log file is no gzip any more: it was changed after CloudTrail delivered it. What it says is "
        f"not to be trusted. {_VERSIONS}"
    ),
    ProblemKind.LOG_CHANGED: (
        "The hash of this log file is not the one in its digest: it was changed after CloudTrail delivered "
        f"it. What it says is not to be trusted. {_VERSIONS}"
    ),
    ProblemKind.NO_DIGESTS: (
        "No digest covers this range, so nothing proves what happened in it: the trail was off or did not "
        "validate its log files, or all digests were deleted. "
        "Look for StopLogging, UpdateTrail, DeleteTrail and DeleteObject."
    ),
}
