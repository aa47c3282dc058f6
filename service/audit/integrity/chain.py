"""The walk along the chain of digests, from the newest of a range back to its beginning.

Each digest signs for the one before and names it. Where a digest is missing or wrong, the walk goes on with
the next earlier one in the bucket, as `aws cloudtrail validate-logs` does
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-cli.html), so that
one bad file does not hide what the others prove.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from service.audit.integrity import digests
from service.audit.integrity.digests import UnreadableDigest
from service.audit.integrity.findings import NoteKind, ProblemKind
from service.domain.times import parse_moment, written
from service.errors import ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from service.audit.integrity.digests import Digest, DigestName
    from service.audit.integrity.fetching import DigestFiles, Fetched
    from service.audit.integrity.findings import Findings
    from service.audit.ports import PublicKeys, TrailIdentity

# Only backfill digests have it: when they were made, long after the hour they are about.
_MADE: Final = "backfill-generation-timestamp"
_HOUR: Final = timedelta(hours=1)


class Verified(msgspec.Struct, frozen=True):
    """A digest that CloudTrail signed; ``sha256`` is of its text; a chain begins with a ``first`` one."""

    name: DigestName
    start: datetime
    end: datetime
    sha256: str
    first: bool


class Span(msgspec.Struct, frozen=True):
    """A time of which nothing is proved."""

    start: datetime
    end: datetime


class Chain(msgspec.Struct):
    """What the walk found: the good digests, newest first; how many were bad; what time these leave open."""

    verified: list[Verified] = msgspec.field(default_factory=list)
    bad: int = 0
    open: list[Span] = msgspec.field(default_factory=list)


class _Bad(Exception):
    def __init__(self, kind: ProblemKind) -> None:
        super().__init__(kind)
        self.kind = kind


class Walk:
    """One walk over ``listed``, the digests of a range that are in the bucket, in the order of their ends."""

    def __init__(
        self,
        identity: TrailIdentity,
        files: DigestFiles,
        keys: PublicKeys,
        known: Mapping[str, bytes],
        findings: Findings,
    ) -> None:
        self._identity = identity
        self._files = files
        self._keys = keys
        self._known = dict(known)
        self._findings = findings
        self._chain = Chain()

    def back_to(
        self, start: datetime, listed: Sequence[DigestName], out_of_time: Callable[[], bool]
    ) -> Chain | None:
        """The chain back to the digest in which ``start`` lies; None when time is up before that."""
        if not listed:
            return self._chain
        waiting = list(listed)
        newest = waiting.pop()
        name: DigestName | None = newest
        reached = newest.end
        expected: str | None = None
        bad_since: datetime | None = None
        while name and start <= reached:
            if out_of_time():
                return None
            try:
                digest, text = self._verify(name, expected)
            except _Bad as error:
                self._findings.problem(error.kind, name.key)
                self._chain.bad += 1
                bad_since = bad_since or max(reached, name.end)
                name, expected = _before(name, waiting), None
                continue
            if bad_since:
                self._chain.open.append(Span(digest.start, bad_since))
                bad_since = None
            reached = digest.start
            sha256, first = hashlib.sha256(text).hexdigest(), digest.previous_key is None
            self._chain.verified.append(Verified(name, digest.start, digest.end, sha256, first))
            named = self._named(digest)
            if named:
                name, expected = named, digest.previous_sha256
            else:
                name, expected = self._over_the_end(name, digest, start, waiting), None
        if bad_since:
            self._chain.open.append(Span(start, bad_since))
        return self._chain

    def _verify(self, name: DigestName, expected: str | None) -> tuple[Digest, bytes]:
        """The digest and its text, if CloudTrail signed it for this place.

        ``expected`` is the text's hash as the next digest tells it, None where no digest does.
        """
        found = self._files.fetch(name.key)
        if found is None:
            raise _Bad(ProblemKind.DIGEST_MISSING)
        try:
            text = digests.unpacked(found.data)
            digest = digests.parsed(text)
        except UnreadableDigest as error:
            raise _Bad(ProblemKind.DIGEST_UNREADABLE) from error
        place = (digest.digest_s3_bucket, digest.digest_s3_object)
        if place != (self._identity.bucket, name.key):
            raise _Bad(ProblemKind.DIGEST_MOVED)
        changed = expected is not None and hashlib.sha256(text).hexdigest() != expected
        signature = found.metadata.get("signature")
        if signature is None or "signature-algorithm" not in found.metadata:
            raise _Bad(ProblemKind.DIGEST_CHANGED if changed else ProblemKind.DIGEST_UNSIGNED)
        key = self._key(name, digest, found)
        if key is None:
            raise _Bad(ProblemKind.KEY_UNKNOWN)
        if changed:
            raise _Bad(ProblemKind.DIGEST_CHANGED)
        if not digests.is_signed(digest, text, signature, key):
            raise _Bad(ProblemKind.SIGNATURE_INVALID)
        return digest, text

    def _key(self, name: DigestName, digest: Digest, found: Fetched) -> bytes | None:
        if digest.fingerprint not in self._known and name.backfill:
            try:
                made = parse_moment(found.metadata.get(_MADE, ""), _MADE)
                self._known.update(self._keys.between(made - _HOUR, made + _HOUR))
            except (ValidationFailed, OverflowError) as error:
                raise _Bad(ProblemKind.DIGEST_UNREADABLE) from error
        return self._known.get(digest.fingerprint)

    def _named(self, digest: Digest) -> DigestName | None:
        """The digest that this one names as the one before, if it is of this bucket."""
        if digest.previous_key is None or digest.previous_bucket != self._identity.bucket:
            return None
        return digests.named(self._identity, digest.previous_key)

    def _over_the_end(
        self, name: DigestName, digest: Digest, start: datetime, waiting: list[DigestName]
    ) -> DigestName | None:
        """The digest listed before one with which the chain ends here; says why it does."""
        before = _before(name, waiting)
        if digest.previous_key is not None:
            message = (
                f"The digest before is s3://{digest.previous_bucket}/{digest.previous_key}, which is not "
                "looked into from here: the trail delivered elsewhere then. "
                "Validate it with `aws cloudtrail validate-logs`."
            )
            self._findings.note(NoteKind.DIGEST_ELSEWHERE, name.key, message)
        elif before:
            message = (
                f"CloudTrail delivered no digest for {written(before.end)} to {written(digest.start)}: "
                "logging or the validation of log files was off. "
                "Look for StopLogging, UpdateTrail and DeleteTrail."
            )
            self._findings.note(NoteKind.GAP, name.key, message)
        elif digest.start > start and not name.backfill:
            begins(name, digest.start, self._findings)
        return before


def begins(name: DigestName, start: datetime, findings: Findings) -> None:
    """Note that a chain begins with a digest, and that there is none before."""
    message = (
        f"The chain of digests begins at {written(start)}: nothing that happened before is proved. The trail "
        "was made then, or logging or validation was turned on."
    )
    findings.note(NoteKind.CHAIN_BEGINS, name.key, message)


def _before(name: DigestName, waiting: list[DigestName]) -> DigestName | None:
    """The newest listed digest that ends before ``name``; those after it are passed over."""
    while waiting:
        earlier = waiting.pop()
        if earlier.end < name.end:
            return earlier
    return None
