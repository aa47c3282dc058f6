"""A trail's files for as long as there is time, for who does not ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from service.audit.ports import TrailFile, TrailFiles, TrailIdentity
    from service.ports import Page


class TimeUp(Exception):
    """There is no more time."""


class FilesInTime(msgspec.Struct, frozen=True):
    """``TrailFiles`` that raise ``TimeUp`` instead of listing or reading more once ``out_of_time``."""

    all: TrailFiles
    out_of_time: Callable[[], bool]

    @property
    def identity(self) -> TrailIdentity:
        """See ``TrailFiles.identity``."""
        return self.all.identity

    def files(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[TrailFile]:
        """See ``TrailFiles.files``."""
        self._require_time()
        return self.all.files(prefix, after=after, limit=limit)

    def read(self, key: str) -> bytes:
        """See ``TrailFiles.read``."""
        self._require_time()
        return self.all.read(key)

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """See ``TrailFiles.read_many``."""
        for data in self.all.read_many(keys):
            self._require_time()
            yield data

    def metadata(self, key: str) -> Mapping[str, str]:
        """See ``TrailFiles.metadata``."""
        self._require_time()
        return self.all.metadata(key)

    def _require_time(self) -> None:
        if self.out_of_time():
            raise TimeUp
