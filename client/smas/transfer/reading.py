"""Reading a file from start to end, as fast as it can be hashed."""

from __future__ import annotations

import os
import queue
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# A block fits in a core's cache: larger ones hash a quarter slower.
BLOCK_BYTES: Final = 128 << 10
_BLOCKS: Final = 4
# A thread is worth its while from here on.
_LARGE_BYTES: Final = 16 << 20


def blocks_of(descriptor: int) -> Iterator[memoryview]:
    """The blocks of an open file; each is good until the next one is asked for. Raises ``OSError``.

    The blocks of a large file are read ahead by a thread of its own, while the caller hashes.
    """
    if os.fstat(descriptor).st_size < _LARGE_BYTES:
        return _in_turn(descriptor)
    return _ahead(descriptor)


def _in_turn(descriptor: int) -> Iterator[memoryview]:
    buffer, offset = memoryview(bytearray(BLOCK_BYTES)), 0
    while count := os.preadv(descriptor, [buffer], offset):
        yield buffer[:count]
        offset += count


def _ahead(descriptor: int) -> Iterator[memoryview]:
    free: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
    full: queue.SimpleQueue[tuple[memoryview, int] | OSError] = queue.SimpleQueue()

    def read() -> None:
        offset = 0
        while buffer := free.get():
            try:
                count = os.preadv(descriptor, [buffer], offset)
            except OSError as error:
                full.put(error)
                return
            full.put((buffer, count))
            offset += count

    for _ in range(_BLOCKS):
        free.put(memoryview(bytearray(BLOCK_BYTES)))
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while True:
            found = full.get()
            if isinstance(found, OSError):
                raise found
            buffer, count = found
            if not count:
                return
            yield buffer[:count]
            free.put(buffer)
    finally:
        free.put(None)
        reader.join()
