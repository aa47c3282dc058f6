"""Times that no digest covers: whether that is as it should be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from service.audit.integrity.chain import Walk, begins
from service.audit.integrity.fetching import DigestFiles
from service.audit.integrity.findings import Findings, NoteKind, ProblemKind
from service.audit.integrity.listing import NEXT_DIGEST, first_digest_after, first_log_file
from service.domain.times import written

if TYPE_CHECKING:
    from datetime import datetime

    from service.audit.integrity.chain import Verified
    from service.audit.ports import PublicKeys, TrailFiles

# A digest comes every hour, also when nothing happened, some minutes after it.
DUE: Final = timedelta(hours=2)


def judge_empty(
    files: TrailFiles, keys: PublicKeys, start: datetime, end: datetime, now: datetime, findings: Findings
) -> None:
    """Say why a range has no digest: it or the trail is too young, a chain begins after it, or a problem."""
    first = first_log_file(files) if start < now - DUE < end else None
    if start >= now - DUE or (first and first >= now - DUE):
        message = (
            "Nothing is proved yet: CloudTrail delivers a digest every hour, and none covers this range. Ask "
            "again in two hours."
        )
        findings.note(NoteKind.NOT_YET_PROVED, None, message)
        return
    following = _following(files, keys, end)
    if following and following.first:
        begins(following.name, following.start, findings)
    else:
        findings.problem(ProblemKind.NO_DIGESTS, None)


def judge_newest(newest: Verified, end: datetime, now: datetime, findings: Findings) -> None:
    """Say so if there should be a digest after the newest one."""
    if newest.end < min(end, now) - DUE:
        message = (
            f"Nothing is proved after {written(newest.end)}. CloudTrail delivers a digest every hour while "
            "logging is on, also when nothing happens: logging or validation was turned off, or the newest "
            "digests were deleted. Look for StopLogging, UpdateTrail, DeleteTrail and DeleteObject."
        )
        findings.note(NoteKind.DIGEST_OVERDUE, newest.name.key, message)


def _following(files: TrailFiles, keys: PublicKeys, end: datetime) -> Verified | None:
    """The next digest after a range without any, if CloudTrail signed it."""
    name = first_digest_after(files, end + NEXT_DIGEST)
    if name is None:
        return None
    known = keys.between(name.end - NEXT_DIGEST, name.end)
    with DigestFiles(files, [name.key]) as fetching:
        walk = Walk(files.identity, fetching, keys, known, Findings())
        chain = walk.back_to(name.end, [name], lambda: False)
    return chain.verified[0] if chain and chain.verified else None
