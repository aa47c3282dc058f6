"""A few threads that work off tasks together; the first error stops all of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from smas.retries import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from smas.retries import Stop

# How long those who are still at work may take to notice that it is over.
_GRACE_SECONDS: Final = 3.0


class Crew:
    """``size`` threads, started when there is something to do.

    They are daemons, not a ``ThreadPoolExecutor``: that would have the process wait for a stalled connection
    after Ctrl-C. As a context manager it waits for all tasks, and on any error asks everybody to stop.
    """

    def __init__(self, size: int, stop: Stop) -> None:
        self._size = size
        self._stop = stop
        self._tasks: deque[Callable[[], None]] = deque()
        self._unfinished = 0
        self._error: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def submit(self, task: Callable[[], None], *, first: bool = False) -> None:
        """Have ``task`` done; ``first`` puts it before those that wait."""
        with self._changed:
            (self._tasks.appendleft if first else self._tasks.append)(task)
            self._unfinished += 1
            if len(self._threads) < min(self._size, self._unfinished):
                thread = threading.Thread(target=self._work, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()

    def wait(self, at_most: int = 0) -> None:
        """Wait until no more than ``at_most`` tasks are unfinished. Raises the first error of any task."""
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._unfinished <= at_most)
        self.check()

    def check(self) -> None:
        """Raise the first error of any task."""
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.wait()
        finally:
            if error is not None or self._error is not None:
                self._stop.set()
            with self._changed:
                self._closed = True
                self._tasks.clear()
                self._changed.notify_all()
            deadline = time.monotonic() + _GRACE_SECONDS
            for thread in self._threads:
                thread.join(max(0.0, deadline - time.monotonic()))
            if isinstance(error, Cancelled):
                # The caller stopped because a task failed: what failed is what counts.
                self.check()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tasks or self._closed)
                if not self._tasks:
                    return
                task = self._tasks.popleft()
            try:
                if self._error is None:
                    task()
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                with self._changed:
                    # Those who stopped because another one failed have nothing to say.
                    if self._error is None or isinstance(self._error, Cancelled):
                        self._error = error
                self._stop.set()
            finally:
                with self._changed:
                    self._unfinished -= 1
                    self._changed.notify_all()
