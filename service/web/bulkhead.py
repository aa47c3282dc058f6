"""Keeps a storage that does not answer from taking every thread.

A request that waits for S3 holds a thread for as long as S3 takes to answer or to be given up. When S3
freezes, every thread would soon wait, and nobody would be there to say so: not even ``/healthz`` would be
answered. So only as many may wait for it as there are permits. While permits come back, who finds none waits
for one; once none has for ``PATIENCE_SECONDS``, storage is taken for frozen, and more are refused at once.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from service.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Requests of a process that may be waiting for AWS at once.
PERMITS: Final = 16
# Far longer than a request takes, and half of the time after which S3 is given up once.
PATIENCE_SECONDS: Final = 5.0


class Bulkhead:
    """Hands out the permits of one process; safe to use from several threads."""

    def __init__(
        self,
        permits: int = PERMITS,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = permits
        self._patience = patience_seconds
        self._clock = clock
        self._moved_at = clock()
        self._returned = threading.Condition()

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Hold a permit within the block. Raises ``Unavailable`` if none can be had any time soon."""
        self._take()
        try:
            yield
        finally:
            self._give_back()

    def _take(self) -> None:
        with self._returned:
            while not self._free:
                left = self._moved_at + self._patience - self._clock()
                if left <= 0:
                    raise Unavailable(
                        "storage does not answer the requests that came before: try again later"
                    )
                self._returned.wait(left)
            self._free -= 1
            self._moved_at = self._clock()

    def _give_back(self) -> None:
        with self._returned:
            self._free += 1
            self._moved_at = self._clock()
            self._returned.notify()
