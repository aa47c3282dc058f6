"""Log files held against the hashes in their digest."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from service.audit.integrity.fetching import several
from service.audit.integrity.findings import NoteKind, ProblemKind
from service.audit.integrity.unpacking import NoGzip, hashed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.audit.integrity.digests import ListedLog
    from service.audit.integrity.findings import Findings
    from service.audit.ports import TrailFiles


def check_logs(
    files: TrailFiles,
    digest: str,
    listed: Sequence[ListedLog],
    findings: Findings,
    out_of_time: Callable[[], bool],
) -> int | None:
    """How many of the log files of a digest (its key) were looked into; None if time was up before."""
    here = [log for log in listed if _is_here(files, log)]
    for log in listed:
        if not _is_here(files, log):
            message = (
                f"This digest lists s3://{log.s3_bucket}/{log.s3_object}, which is not looked into from "
                "here: the trail delivered elsewhere then. Validate it with `aws cloudtrail validate-logs`."
            )
            findings.note(NoteKind.LOG_ELSEWHERE, digest, message)
    with closing(several(files, (log.s3_object for log in here))) as read:
        for log, data in zip(here, read, strict=True):
            _check(log, data, findings)
            if out_of_time():
                return None
    return len(here)


def _is_here(files: TrailFiles, log: ListedLog) -> bool:
    identity = files.identity
    folder = f"{identity.prefix}AWSLogs/{identity.account}/"
    return log.s3_bucket == identity.bucket and log.s3_object.startswith(folder)


def _check(log: ListedLog, data: bytes | None, findings: Findings) -> None:
    if data is None:
        findings.problem(ProblemKind.LOG_MISSING, log.s3_object)
        return
    try:
        found = hashed(data)
    except NoGzip:
        findings.problem(ProblemKind.LOG_UNREADABLE, log.s3_object)
        return
    if found.sha256 != log.hash_value:
        findings.problem(ProblemKind.LOG_CHANGED, log.s3_object)
    elif not found.tidy:
        message = (
            "The text of this log file is what CloudTrail delivered, but the gzip around it is cut off or "
            "followed by something else: somebody changed the file, and readers may refuse it. "
            "Look for the original among the versions of the object, and for who wrote over it."
        )
        findings.note(NoteKind.LOG_DAMAGED, log.s3_object, message)
