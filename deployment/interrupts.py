"""An interrupt while another program works is that program's: it ends in order, and then we do."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextmanager
def held(pass_on: Callable[[int], None], said: str = "") -> Iterator[list[int]]:
    """While inside, Ctrl-C and a polite kill call `pass_on` with their number; yields those that came."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came  # signals are the main thread's alone
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        if said and not came:
            os.write(sys.stderr.fileno(), f"\n{said}\n".encode())
        came.append(number)
        pass_on(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
