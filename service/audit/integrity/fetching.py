"""Digests and their signatures, fetched side by side a few ahead of the walk from one to the next."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Self

import msgspec

from service.audit.ports import FileMissing

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from concurrent.futures import Future

    from service.audit.ports import TrailFiles

_AHEAD: Final = 6


class Fetched(msgspec.Struct, frozen=True):
    """A digest as it is stored, and the metadata beside it."""

    data: bytes
    metadata: Mapping[str, str]


class DigestFiles:
    """Fetches digests; ``order`` is the keys as they will be asked for, as far as that is known."""

    def __init__(self, files: TrailFiles, order: Iterable[str]) -> None:
        self._files = files
        self._order = deque(order)
        self._ahead: dict[str, Future[Fetched | None]] = {}
        self._threads = ThreadPoolExecutor(_AHEAD, thread_name_prefix="digests")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def fetch(self, key: str) -> Fetched | None:
        """The digest, None if it is not there."""
        while self._order and len(self._ahead) < _AHEAD:
            following = self._order.popleft()
            self._ahead[following] = self._threads.submit(self._fetch, following)
        ahead = self._ahead.pop(key, None)
        return ahead.result() if ahead else self._fetch(key)

    def _fetch(self, key: str) -> Fetched | None:
        try:
            return Fetched(self._files.read(key), self._files.metadata(key))
        except FileMissing:
            return None


def several(files: TrailFiles, keys: Iterable[str]) -> Generator[bytes | None, None, None]:
    """``files.read_many``, to be closed when no more is wanted."""
    yield from files.read_many(keys)
