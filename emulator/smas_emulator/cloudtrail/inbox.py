"""What many threads hand to one: in order, bounded, and refused once it is closed."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")
_AT_ONCE = 256


class Inbox(Generic[Item]):
    """A queue that knows its end: each item is either taken or refused, and both are counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._news = threading.Condition(self._lock)
        self._items: deque[Item] = deque()
        self._closed = False
        self.refused = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item, *, wait: bool = True) -> bool:
        """Append an item, once there is room for it if `wait`; False when the inbox is closed."""
        with self._lock:
            while wait and len(self._items) >= self._most and not self._closed:
                self._room.wait()
            if self._closed:
                self.refused += 1
                return False
            self._items.append(item)
            self._news.notify()
            return True

    def take(self, seconds: float) -> list[Item]:
        """Some items, oldest first; none when none came within a time."""
        with self._lock:
            if not self._items and seconds > 0:
                self._news.wait(seconds)
            taken = [self._items.popleft() for _ in range(min(_AT_ONCE, len(self._items)))]
            if taken:
                self._room.notify_all()
            return taken

    def close(self) -> list[Item]:
        """Take no more, and give up what is left; who waits for room is refused."""
        with self._lock:
            self._closed = True
            left = list(self._items)
            self._items.clear()
            self._room.notify_all()
            return left
