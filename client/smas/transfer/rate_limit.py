"""A bandwidth limit that all threads of a transfer share."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smas.retries import Stop

# Larger ones cost page faults: allocators give big buffers back to the system each time.
BLOCK_BYTES: Final = 256 << 10
_SMALLEST_BLOCK: Final = 4096
# So small that a limited connection still moves several times a second: S3 hangs up on idle ones.
_BLOCKS_PER_SECOND: Final = 8


class RateLimit:
    """At most ``bytes_per_second`` in the long run; None does not limit."""

    def __init__(self, bytes_per_second: int | None, stop: Stop) -> None:
        self._rate = bytes_per_second
        self._stop = stop
        self._lock = threading.Lock()
        self._free_at = 0.0
        self.block_bytes = (
            BLOCK_BYTES
            if bytes_per_second is None
            else max(_SMALLEST_BLOCK, min(BLOCK_BYTES, bytes_per_second // _BLOCKS_PER_SECOND))
        )

    def take(self, count: int) -> None:
        """Wait until ``count`` more bytes may pass. Raises ``Cancelled``."""
        self._stop.check()
        if self._rate is None:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._free_at)
            self._free_at = start + count / self._rate
        if start > now:
            self._stop.pause(start - now)
