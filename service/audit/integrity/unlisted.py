"""Log files in the bucket that no digest lists.

A digest lists the files delivered in its hour, and CloudTrail may list a late one in a later digest or in a
backfill digest
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html).
So a file that nothing lists is suspicious, and no proof: anybody who may write into the bucket can add one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from service.audit.integrity.findings import NoteKind
from service.audit.integrity.listing import log_files_since

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from service.audit.integrity.chain import Span
    from service.audit.integrity.findings import Findings
    from service.audit.ports import TrailFiles

# The key tells the minute of the delivery alone.
_MINUTE: Final = timedelta(minutes=1)
_MOST_SUSPECTS: Final = 10_000
_MESSAGE: Final = (
    "No digest lists this log file: CloudTrail may list a late one in a later digest, else somebody else put "
    "it there. What it says is not proved."
)


class Unlisted:
    """Goes through the bucket in the order of delivery, some way behind the digests that were read."""

    def __init__(self, files: TrailFiles, start: datetime, end: datetime) -> None:
        self._delivered = log_files_since(files, start + _MINUTE, end)
        self._next: tuple[datetime, str] | None = None
        self._passed = ""
        self._listed: set[str] = set()
        self._suspects: dict[str, datetime] = {}

    def lists(self, keys: Iterable[str]) -> None:
        """A digest lists these."""
        for key in keys:
            if key in self._suspects:
                del self._suspects[key]
            elif key > self._passed:
                self._listed.add(key)

    def look_up_to(self, end: datetime) -> None:
        """All digests were read that list what was delivered before ``end``, unless it comes late."""
        for minute, key in self._up_to(end):
            if key not in self._listed and len(self._suspects) < _MOST_SUSPECTS:
                self._suspects[key] = minute
            self._passed = key
        self._listed = {key for key in self._listed if key > self._passed}

    def report(self, findings: Findings, unproved: Sequence[Span]) -> None:
        """Name those that no digest listed, but for times whose digests are missing anyway."""
        for key, minute in self._suspects.items():
            if not any(span.start - _MINUTE <= minute <= span.end for span in unproved):
                findings.note(NoteKind.LOG_UNLISTED, key, _MESSAGE)

    def _up_to(self, end: datetime) -> Iterator[tuple[datetime, str]]:
        while True:
            found = self._next or next(self._delivered, None)
            self._next = found
            if found is None or found[0] + _MINUTE > end:
                return
            self._next = None
            yield found
