"""How far a long question is: one line on a terminal that is written over, else a line now and then."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

_REDRAWN_SECONDS: Final = 0.1
_LINE_SECONDS: Final = 10.0


class Status:
    """``stream`` is where it is told; None tells nobody."""

    def __init__(self, stream: TextIO | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._drawn = False
        # Lines begin after a while: what is answered soon needs none.
        self._told = clock() if stream and not stream.isatty() else float("-inf")

    def tell(self, text: str) -> None:
        """Where it stands now; not every word of it is shown."""
        if self._stream is None:
            return
        terminal, now = self._stream.isatty(), self._clock()
        if now - self._told < (_REDRAWN_SECONDS if terminal else _LINE_SECONDS):
            return
        self._told = now
        if not terminal:
            self._stream.write(f"{text}\n")
            self._stream.flush()
            return
        # One less, or the cursor would go to the next line.
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r{text[:width]}\x1b[K")
        self._stream.flush()
        self._drawn = True

    def clear(self) -> None:
        """Make room for what is printed next."""
        if self._stream is not None and self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False
            self._told = float("-inf")
