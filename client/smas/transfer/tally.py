"""Counting what really travelled, from several threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Files that arrived whole, and bytes; what travelled twice counts twice."""

    files: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, size: int = 0, *, files: int = 0) -> None:
        """Count bytes, files, or both."""
        with self._lock:
            self.files += files
            self.bytes += size
