"""Everything that can go wrong on purpose, as one tree.

::

    StoreError
    ├── InvalidRequest          the body is not what the route reads
    ├── PayloadTooLarge         the body is over the limit
    ├── Unauthenticated         no token, or not one of ours
    ├── Forbidden               the caller's roles do not allow it
    │   └── RefusedByAws        AWS itself says no to the caller's session
    ├── NotFound                no such thing
    │   └── Invisible           of a team that the caller may not know of
    ├── Conflict                a compare-and-set was lost; nothing changed
    │   ├── BlobMissing         published bytes were never completely uploaded
    │   ├── UploadMismatch      storage does not confirm the part list
    │   └── NotApproved         a protected alias may not move there
    ├── ValidationFailed        well-formed but wrong; names each place
    ├── Quarantined             the bytes exist but may not be served
    │   └── NotYetVerified      not yet: ask again in a moment
    ├── Throttled               AWS asks us to slow down
    └── Unavailable             S3, STS or the key set cannot be reached

``service.web.problems`` holds the one table from these to HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fault(msgspec.Struct, frozen=True):
    """One wrong place in what a caller sent: where, and what is wrong with it."""

    location: str
    message: str


class StoreError(Exception):
    """Base of all expected errors; ``detail`` is one sentence fit for the caller's eyes."""

    def __init__(self, detail: str, *, errors: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class InvalidRequest(StoreError):
    """The body is not JSON, or not of the announced type."""


class PayloadTooLarge(StoreError):
    """The body is over the limit; bytes of models never travel in a body."""


class Unauthenticated(StoreError):
    """The caller is nobody we know; ``detail`` says which check failed and nothing more."""


class Forbidden(StoreError):
    """The caller's roles do not allow it, or AWS refused the caller's session."""


class RefusedByAws(Forbidden):
    """AWS refused the caller's session, so CloudTrail has it."""


class NotFound(StoreError):
    """It does not exist, or the caller may not know whether it does."""


class Invisible(NotFound):
    """The caller's roles reach nothing of that team: for them it does not exist."""


class Conflict(StoreError):
    """Somebody else was faster; nothing was changed."""


class BlobMissing(Conflict):
    """Bytes named by a version were never (completely) uploaded to this model."""


class UploadMismatch(Conflict):
    """The part list does not match what storage holds."""


class NotApproved(Conflict):
    """A protected alias may not move to this version."""


class ValidationFailed(StoreError):
    """Well-formed but wrong; ``errors`` names each place."""

    @classmethod
    def at(cls, location: str, message: str) -> ValidationFailed:
        """A failure with a single fault."""
        return cls(f"{location}: {message}", errors=[Fault(location, message)])

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> ValidationFailed:
        """A failure with several faults; the first one leads the sentence."""
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return cls(f"{first.location}: {first.message}{more}", errors=faults)


class Quarantined(StoreError):
    """The bytes exist but may not be served: not yet verified, or refused."""


class NotYetVerified(Quarantined):
    """The bytes may not be served yet; asking again in a moment will do."""


class Throttled(StoreError):
    """AWS asks for fewer requests; try again later."""


class Unavailable(StoreError):
    """A dependency cannot be reached; nothing was half-done."""
