"""A file of a version, read where it is: seekable, by ranged requests, without fetching all of it."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Final

from smas.transfer.presigned import get, persist

if TYPE_CHECKING:
    from smas.results import File
    from smas.retries import RetryPolicy, Stop
    from smas.transfer.download import Urls
    from smas.transport import Transport

# One request brings as much; libraries that read a header and a few columns need few of them.
BUFFER_BYTES: Final = 1 << 20
_BLOCK_BYTES: Final = 1 << 20


class RangedFile(io.RawIOBase):
    """The bytes of ``file``, pinned to the S3 version that was published.

    Ranges can't be held against the digest of the whole, which S3's own checks and TLS must stand for; what
    is to be checked is pulled. Wrap it in ``io.BufferedReader``. Safe for one thread at a time.
    """

    def __init__(
        self, file: File, urls: Urls, transport: Transport, retries: RetryPolicy, stop: Stop
    ) -> None:
        self.name = file.path
        self._file = file
        self._urls = urls
        self._transport = transport
        self._retries = retries
        self._stop = stop
        self._position = 0

    @property
    def size(self) -> int:
        """In bytes."""
        return self._file.size

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position, in bytes from the start."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; answers the new one."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}
        if whence not in base:
            message = f"whence must be 0, 1 or 2, not {whence}"
            raise ValueError(message)
        position = base[whence] + offset
        if position < 0:
            message = f"there is nothing before the start of a file (position {position})"
            raise ValueError(message)
        self._position = position
        return position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer``; the number of bytes, 0 at the end. Raises ``SmasError``."""
        if self.closed:
            message = "the file is closed"
            raise ValueError(message)
        view = memoryview(buffer).cast("B")
        start = self._position
        end = min(self.size, start + len(view))
        if start >= end:
            return 0
        filled = 0
        url = ""

        def attempt() -> None:
            nonlocal filled, url
            url = self._urls.url(self._file.path)
            for data in get(self._transport, url, start + filled, end, self.size, _BLOCK_BYTES):
                view[filled : filled + len(data)] = data
                filled += len(data)

        persist(
            attempt,
            self._retries,
            self._stop,
            renew_url=lambda: self._urls.forget(self._file.path, url),
            position=lambda: filled,
        )
        self._position = end
        return filled
