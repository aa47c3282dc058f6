"""An interrupt while another program works is that program's: it ends in order, and then we do."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held(pass_on: Callable[[int], None], said: str = "") -> Iterator[list[int]]:
    """While inside, an interrupt calls `pass_on` with its number; yields those that came.

    That is Ctrl-C, a polite kill, or a terminal that goes away, unless nobody is to notice that (nohup).
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came  # signals are the main thread's alone
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        pass_on(number)
        if said and len(came) == 1:
            with suppress(OSError):  # of a terminal that is gone
                os.write(sys.stderr.fileno(), f"\n{said}\n".encode())

    heeded = [number for number in _SIGNALS if number == signal.SIGINT or not _ignored(number)]
    before = {number: signal.signal(number, handle) for number in heeded}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN
