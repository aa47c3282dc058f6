"""The check of a range: whether the trail is what CloudTrail delivered, and up to when that is proved.

It says of every file what `aws cloudtrail validate-logs` says of it, and beyond that what that leaves out:
log files that nothing lists, times that no digest covers. The one verdict that differs: a range without any
digest passes there ("No digests found") and is not valid here, unless it is too young to have one or the next
digest, signed by CloudTrail, says that its chain begins after it.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-cli.html
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import TYPE_CHECKING, Final

import msgspec

from service.audit.integrity import digests
from service.audit.integrity.chain import Chain, Walk
from service.audit.integrity.coverage import judge_empty, judge_newest
from service.audit.integrity.digests import UnreadableDigest
from service.audit.integrity.fetching import DigestFiles, several
from service.audit.integrity.findings import Findings, Note, NoteKind, Problem, ProblemKind
from service.audit.integrity.listing import NEXT_DIGEST, digests_between
from service.audit.integrity.logs import check_logs
from service.audit.integrity.unlisted import Unlisted
from service.domain.times import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.audit.integrity.chain import Verified
    from service.audit.integrity.digests import Digest
    from service.audit.ports import PublicKeys, TrailFiles

# Digests that are looked into at once: seven days have 168.
MOST_DIGESTS: Final = 250


class Integrity(msgspec.Struct, frozen=True):
    """What the check of ``start`` to ``end`` found. Times are UTC in whole seconds.

    ``valid``: nothing is wrong with any file that was looked into. ``digests`` and ``logs`` are how many that
    were, right or wrong. Not ``complete``: it ended early, at ``checked_until``; another check goes on there.
    The good digests reach from ``proved_from`` to ``proved_until``, None if there is none; what happened last
    is proved by a digest that is not there yet. ``more_problems`` and ``more_notes`` are beyond those named.
    """

    valid: bool
    complete: bool
    digests: int
    logs: int
    start: datetime
    end: datetime
    checked_until: datetime
    proved_from: datetime | None
    proved_until: datetime | None
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]
    more_problems: int
    more_notes: int


def check_integrity(
    files: TrailFiles,
    keys: PublicKeys,
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    out_of_time: Callable[[], bool],
    most_digests: int = MOST_DIGESTS,
) -> Integrity:
    """Check the trail's files from ``start`` to ``end`` (both count, as in `validate-logs`), oldest first.

    ``out_of_time`` is asked between files; what was checked until then is the answer. Up to ``most_digests``
    digests are held in memory, and six files. Raises what ``files`` and ``keys`` raise.
    """
    return _Check(files, keys, start, end, now, out_of_time).run(most_digests)


class _Check(msgspec.Struct):
    files: TrailFiles
    keys: PublicKeys
    start: datetime
    end: datetime
    now: datetime
    out_of_time: Callable[[], bool]
    findings: Findings = msgspec.field(default_factory=Findings)
    logs: int = 0
    checked: list[Verified] = msgspec.field(default_factory=list)

    def run(self, most: int) -> Integrity:
        listed = digests_between(self.files, self.start, self.end, most)
        chain = self._walk(listed) if listed else Chain()
        if chain is None:
            return self._answer(0, self.start)
        good = sorted(chain.verified, key=lambda digest: digest.name)
        self._check_logs(good, chain)
        looked_into = len(self.checked) + chain.bad
        left = good[len(self.checked) :]
        if any(digest.start < self.end for digest in left):
            until = self.checked[-1].end if self.checked else self.start
            return self._answer(looked_into, min(until, self.end))
        if len(listed) == most and listed[-1].end < self.end:
            return self._answer(looked_into, listed[-1].end)
        if not looked_into:
            judge_empty(self.files, self.keys, self.start, self.end, self.now, self.findings)
        elif self.checked:
            judge_newest(self.checked[-1], self.end, self.now, self.findings)
        return self._answer(looked_into, self.end, complete=True)

    def _walk(self, listed: list[digests.DigestName]) -> Chain | None:
        """The chain of the listed digests, those of late files beside the others."""
        known = self.keys.between(self.start, min(self.end + NEXT_DIGEST, max(self.now, self.start)))
        whole = Chain()
        for backfill in (False, True):
            some = [name for name in listed if name.backfill == backfill]
            with DigestFiles(self.files, (name.key for name in reversed(some))) as fetching:
                walk = Walk(self.files.identity, fetching, self.keys, known, self.findings)
                chain = walk.back_to(self.start, some, self.out_of_time)
            if chain is None:
                return None
            whole.verified += chain.verified
            whole.bad += chain.bad
            whole.open += chain.open
        return whole

    def _check_logs(self, good: list[Verified], chain: Chain) -> None:
        if not good:
            return
        unlisted = Unlisted(self.files, good[0].start, good[-1].end)
        with closing(several(self.files, (digest.name.key for digest in good))) as read:
            for digest, data in zip(good, read, strict=True):
                says = _read_again(digest, data)
                if says is None:
                    self.findings.problem(ProblemKind.DIGEST_CHANGED, digest.name.key)
                else:
                    unlisted.lists(log.s3_object for log in says.log_files)
                    seen = check_logs(
                        self.files, digest.name.key, says.log_files, self.findings, self.out_of_time
                    )
                    if seen is None:
                        break
                    self.logs += seen
                self.checked.append(digest)
                if not digest.name.backfill:
                    unlisted.look_up_to(digest.start)
        unlisted.report(self.findings, chain.open)

    def _answer(self, looked_into: int, until: datetime, *, complete: bool = False) -> Integrity:
        if not complete:
            message = (
                f"This was too much for one answer: the files up to {written(until)} were checked. Ask again "
                "from there, or for a shorter range."
            )
            self.findings.note(NoteKind.TIME_UP, None, message)
        found = self.findings
        return Integrity(
            valid=found.valid,
            complete=complete,
            digests=looked_into,
            logs=self.logs,
            start=self.start,
            end=self.end,
            checked_until=until,
            proved_from=max(self.checked[0].start, self.start) if self.checked else None,
            proved_until=min(self.checked[-1].end, self.end) if self.checked else None,
            problems=tuple(found.problems),
            notes=tuple(found.notes),
            more_problems=found.more_problems,
            more_notes=found.more_notes,
        )


def _read_again(digest: Verified, data: bytes | None) -> Digest | None:
    """What a digest says that was found right a moment ago, if it is still the same."""
    if data is None:
        return None
    try:
        text = digests.unpacked(data)
    except UnreadableDigest:
        return None
    return digests.parsed(text) if hashlib.sha256(text).hexdigest() == digest.sha256 else None
