"""State that somebody at the keyboard, or a loop of requests, can't grow without end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime, timedelta

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")


class Capped(dict[Key, Value]):
    """A dict that holds at most `cap` entries: the oldest makes room for a new one."""

    def __init__(self, cap: int) -> None:
        super().__init__()
        self._cap = cap
        self._lock = threading.Lock()

    def __setitem__(self, key: Key, value: Value) -> None:
        """Keep an entry; one that is replaced keeps its age."""
        with self._lock:
            super().__setitem__(key, value)
            while len(self) > self._cap:
                del self[next(iter(self))]


class Expiring(Generic[Value]):
    """Values by secret names, each for `lifetime`, at most `cap` of them; safe for several threads."""

    def __init__(self, lifetime: timedelta, cap: int, now: Callable[[], datetime]) -> None:
        self._lifetime = lifetime
        self._cap = cap
        self._now = now
        self._entries: dict[str, tuple[datetime, Value]] = {}  # in the order of their ends
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many are still good."""
        with self._lock:
            self._drop_ended()
            return len(self._entries)

    def put(self, name: str, value: Value) -> None:
        """Keep a value from now on; the oldest makes room when there are too many."""
        with self._lock:
            self._drop_ended()
            self._entries.pop(name, None)
            self._entries[name] = (self._now() + self._lifetime, value)
            while len(self._entries) > self._cap:
                del self._entries[next(iter(self._entries))]

    def get(self, name: str) -> Value | None:
        """The value, as long as it is good."""
        with self._lock:
            self._drop_ended()
            entry = self._entries.get(name)
            return entry[1] if entry else None

    def take(self, name: str) -> Value | None:
        """The same, once: afterwards it is gone."""
        with self._lock:
            self._drop_ended()
            entry = self._entries.pop(name, None)
            return entry[1] if entry else None

    def _drop_ended(self) -> None:
        now = self._now()
        for name, (ends, _) in list(self._entries.items()):
            if ends > now:
                break
            del self._entries[name]
