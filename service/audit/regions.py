"""A trail of all regions: in which of them it recorded anything, and its files as those of one region.

Whoever assumes a role may ask any region's STS; what is looked for everywhere must be looked for in each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service.audit.ports import TrailFile, TrailFiles, TrailIdentity
    from service.ports import Page

# Follows the slash: a key that begins so comes after all those in the region's folder.
_AFTER_ITS_FOLDER = "0"


class FilesOfRegion(msgspec.Struct, frozen=True):
    """``TrailFiles`` of the same trail, whose identity names another region."""

    all: TrailFiles
    region: str

    @property
    def identity(self) -> TrailIdentity:
        """See ``TrailFiles.identity``."""
        return replace(self.all.identity, region=self.region)

    def files(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[TrailFile]:
        """See ``TrailFiles.files``."""
        return self.all.files(prefix, after=after, limit=limit)

    def read(self, key: str) -> bytes:
        """See ``TrailFiles.read``."""
        return self.all.read(key)

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """See ``TrailFiles.read_many``."""
        return self.all.read_many(keys)

    def metadata(self, key: str) -> Mapping[str, str]:
        """See ``TrailFiles.metadata``."""
        return self.all.metadata(key)


def regions(files: TrailFiles) -> Iterator[str]:
    """The regions that have log files, in order; one short list for each."""
    folder = f"{files.identity.prefix}AWSLogs/{files.identity.account}/CloudTrail/"
    after: str | None = None
    while found := files.files(folder, after=after, limit=1).items:
        region = found[0].key.removeprefix(folder).partition("/")[0]
        yield region
        after = f"{folder}{region}{_AFTER_ITS_FOLDER}"
