"""Progress where nobody watches a terminal: a line now and then, for logs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from smas.cli.sizes import duration_text, size_text

if TYPE_CHECKING:
    from typing import TextIO

_EVERY_SECONDS: Final = 10.0


class PlainLines:
    """``Progress`` as lines on ``stream``, every ten seconds and when something is worth one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._task = ""
        self._total = self._done = 0
        self._begun = self._told = 0.0

    def begin(self, task: str, total: int) -> None:
        """See ``Progress.begin``."""
        self._task, self._total, self._done = task, total, 0
        self._begun = self._told = time.monotonic()

    def advance(self, count: int) -> None:
        """See ``Progress.advance``."""
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now - self._told < _EVERY_SECONDS or not self._total:
                return
            self._told = now
            rate = max(self._done, 1) / (now - self._begun)
            left = duration_text((self._total - self._done) / rate)
            percent = 100 * self._done // self._total
            line = f"{self._task}: {percent} % of {size_text(self._total)}, {size_text(rate)}/s, {left} left"
        self.say(line)

    def end(self) -> None:
        """See ``Progress.end``."""
        self._total = 0

    def say(self, line: str) -> None:
        """See ``Progress.say``."""
        self._stream.write(f"{line}\n")
        self._stream.flush()
