"""The files of a trail in its bucket, read in one persona's session."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from service.audit.ports import FileMissing, TrailFile
from service.aws.s3_objects import S3ObjectStore, found
from service.ports import KeyMissing, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from service.audit.ports import TrailIdentity
    from service.aws.personas import PersonaSession
    from service.aws.s3_objects import Bucket

# Log files and digests are a few MB at most; whatever else lies there must not fill the memory.
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
# Files fetched while an earlier one is being read: enough to hide S3's latency, few enough to hold.
_AHEAD: Final = 6


class S3TrailFiles(msgspec.Struct, frozen=True):
    """``TrailFiles`` in one persona's session; ``bucket`` is the trail's."""

    bucket: Bucket
    session: PersonaSession
    trail: TrailIdentity

    @property
    def identity(self) -> TrailIdentity:
        """See ``TrailFiles.identity``."""
        return self.trail

    def files(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[TrailFile]:
        """See ``TrailFiles.files``."""
        page = S3ObjectStore(self.bucket, self.session).entries(prefix, after=after, limit=limit)
        items = tuple(TrailFile(entry.key, entry.size, entry.last_modified) for entry in page.items)
        return Page(items, page.next)

    def read(self, key: str) -> bytes:
        """See ``TrailFiles.read``."""

        def fetch() -> bytes:
            with self.bucket.client.get_object(Bucket=self.bucket.name, Key=key)["Body"] as body:
                return body.read(MAX_FILE_BYTES)

        try:
            return found(fetch, self.bucket, self.session, key, None)
        except KeyMissing as error:
            raise FileMissing(key) from error

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """See ``TrailFiles.read_many``."""
        ahead: deque[Future[bytes | None]] = deque()
        # Many readers need but a file or two: the more were asked for, the more are fetched ahead.
        most = 1
        try:
            for key in keys:
                ahead.append(self.bucket.threads.submit(self._read_or_none, key))
                if len(ahead) > most:
                    most = min(most + 1, _AHEAD)
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()

    def metadata(self, key: str) -> Mapping[str, str]:
        """See ``TrailFiles.metadata``."""

        def look() -> Mapping[str, str]:
            return self.bucket.client.head_object(Bucket=self.bucket.name, Key=key)["Metadata"]

        try:
            found_metadata = found(look, self.bucket, self.session, key, None)
        except KeyMissing as error:
            raise FileMissing(key) from error
        return {name.lower(): value for name, value in found_metadata.items()}

    def _read_or_none(self, key: str) -> bytes | None:
        try:
            return self.read(key)
        except FileMissing:
            return None
