"""Everything that can go wrong, as one tree; each kind ends the command line with an exit code of its own.

::

    SmasError                 1   anything else
    ├── WrongUsage            2   the call makes no sense as it stands
    ├── NotSignedIn           3   no credentials, or the store does not accept them
    ├── Forbidden             4   the caller's roles do not allow it
    ├── NotFound              5   no such model, version, alias or file (or one the caller may not see)
    │   └── Deleted               it existed once
    ├── Conflict              6   somebody was faster; nothing was changed
    ├── Invalid               7   well-formed but wrong: names, paths, sizes, files that can't be published
    ├── NotServed             8   the bytes exist but may not be read: not yet verified, or refused
    ├── Unavailable           9   the store or S3 can't be reached, or kept failing
    ├── Corrupt              10   bytes are not what their digest says
    └── LocalFault           11   this machine: disk full, no permission, a file in the way
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong place: where it is, and what is wrong with it."""

    location: str
    message: str


class SmasError(Exception):
    """Base of all errors.

    ``detail`` is what happened, in one sentence; ``hint`` what to do next, or "". ``code`` is the store's
    stable word for it where the store said so; ``request_id`` finds the request in the store's log.
    ``retry_after_seconds`` is set where waiting so long may help, and
    ``repeated`` says that an earlier try of the same request got no answer, so it may have been carried out.
    """

    exit_code: ClassVar[int] = 1
    default_hint: ClassVar[str] = ""

    def __init__(
        self,
        detail: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        errors: Sequence[Fault] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = self.default_hint if hint is None else hint
        self.code = code
        self.request_id = request_id
        self.errors = tuple(errors)
        self.repeated = False
        self.retry_after_seconds: float | None = None


class WrongUsage(SmasError):
    """The call makes no sense as it stands."""

    exit_code = 2


class NotSignedIn(SmasError):
    """There are no credentials, or the store does not accept them (any more)."""

    exit_code = 3
    default_hint = "sign in with `smas login`"


class Forbidden(SmasError):
    """The caller's roles do not allow it."""

    exit_code = 4
    default_hint = "`smas whoami` lists your roles; ask whoever administers the store for another"


class NotFound(SmasError):
    """It does not exist, or the caller may not know whether it does."""

    exit_code = 5
    default_hint = "`smas ls` lists what you may see"


class Deleted(NotFound):
    """It existed once; ``detail`` says when it went and who removed it."""

    default_hint = ""


class Conflict(SmasError):
    """Somebody was faster, or the store holds something else than expected; nothing was changed."""

    exit_code = 6
    default_hint = "look at what is there now, then run the command again"


class Invalid(SmasError):
    """Well-formed but wrong; ``errors`` names each place."""

    exit_code = 7


class NotServed(SmasError):
    """The bytes exist but may not be read: not yet verified, or refused for good."""

    exit_code = 8


class Unavailable(SmasError):
    """The store or S3 can't be reached, or kept failing after all retries; nothing is half-done."""

    exit_code = 9
    default_hint = "run the same command again: what was transferred is not sent twice"


class Corrupt(SmasError):
    """Bytes are not what their digest says; nothing of them stands under a final name."""

    exit_code = 10


class LocalFault(SmasError):
    """This machine refused: disk full, no permission, a file in the way."""

    exit_code = 11


EXIT_CODES: tuple[tuple[int, str], ...] = (
    (0, "done"),
    (1, "an error that none of the others names"),
    (2, "wrong usage"),
    (3, "not signed in"),
    (4, "not allowed"),
    (5, "not found"),
    (6, "conflict: somebody was faster, nothing was changed"),
    (7, "invalid: a name, path, size or file that can't be published"),
    (8, "not served: not yet verified, or refused for good"),
    (9, "unavailable: the store or S3 can't be reached"),
    (10, "corrupt: bytes are not what their digest says"),
    (11, "this machine: disk full, no permission, a file in the way"),
    (130, "interrupted (Ctrl-C); running the same command again continues"),
    (143, "ended (SIGTERM); running the same command again continues"),
)
