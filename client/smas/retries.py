"""Trying again: how often, how long to wait, and when to stop because the user wants to."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Statuses that another try may cure: S3 and gateways use all of them.
PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_ASKED_SECONDS: Final = 60.0
_DOUBLINGS: Final = 64  # far beyond any pause; many more would be no number any more


class Cancelled(Exception):
    """Somebody asked to stop; what is done so far stays."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Up to ``attempts`` tries; before the n-th repetition a random pause up to ``first * 2**n`` seconds.

    That is "full jitter" (AWS Architecture Blog, "Exponential Backoff And Jitter"): many clients that failed
    together do not come back together.
    """

    attempts: int = 8
    first_seconds: float = 0.25
    longest_seconds: float = 20.0

    def pause_seconds(self, repetition: int, headers: Mapping[str, str] | None = None) -> float:
        """How long to wait before the ``repetition``-th repetition (from 1); a ``Retry-After`` wins."""
        if headers and (asked := retry_after_seconds(headers)) is not None:
            return asked
        ceiling = min(self.longest_seconds, self.first_seconds * 2.0 ** min(repetition - 1, _DOUBLINGS))
        return random.uniform(0, ceiling)  # noqa: S311 - no secret


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds of a ``Retry-After`` in seconds, at most a minute; None without one."""
    text = headers.get("Retry-After", "").strip()
    return min(float(text), LONGEST_ASKED_SECONDS) if text.isascii() and text.isdigit() else None


@dataclass(frozen=True, slots=True)
class Stop:
    """Shared by all threads of one transfer: set once, everybody ends at the next block."""

    _event: threading.Event = field(default_factory=threading.Event)

    def set(self) -> None:
        """Ask everybody to stop."""
        self._event.set()

    def check(self) -> None:
        """Raise ``Cancelled`` if somebody asked to stop."""
        if self._event.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Sleep, but not through a request to stop. Raises ``Cancelled``."""
        if self._event.wait(seconds):
            raise Cancelled
