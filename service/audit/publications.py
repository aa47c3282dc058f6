"""Where bytes were published: every version and path of a model whose manifest names them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec

from service.domain.versions import Manifest, same_model
from service.registry import keys
from service.registry.records import readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from service.domain.names import ModelId
    from service.ports import ObjectStore

# A manifest may hold a thousand files: many of them must not be in memory at once.
_READ_AT_ONCE: Final = 16
# Files of manifests that one reader's memory holds, at about 200 bytes each.
REMEMBERED_FILES: Final = 20_000

# A file's digest and path.
_Files = tuple[tuple[bytes, str], ...]


class Publication(msgspec.Struct, frozen=True, order=True):
    """A place where bytes were published."""

    version: int
    path: str


class Publications:
    """Publications as one reader may see them; read manifests are remembered, the last used ones longest.

    Safe to use in several threads.
    """

    def __init__(self, remembered_files: int = REMEMBERED_FILES) -> None:
        self._room = remembered_files
        self._known: OrderedDict[str, _Files] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, objects: ObjectStore, model: ModelId, digests: Collection[str]
    ) -> dict[str, list[Publication]]:
        """Where each of ``digests`` was published in the model, by version and path.

        A manifest that cannot be read, or that is not the one its key says, is left out.
        """
        places: dict[str, list[Publication]] = {digest: [] for digest in digests}
        for version, files in self._manifests(objects, model):
            for sha256, path in files:
                if (digest := sha256.hex()) in places:
                    places[digest].append(Publication(version, path))
        for found in places.values():
            found.sort()
        return places

    def digests_of(self, objects: ObjectStore, model: ModelId, version: int) -> frozenset[str]:
        """The digests of a version's files; none if there is no such version."""
        key = keys.manifest(model, version)
        (files,) = self._read(objects, model, [key])
        return frozenset(sha256.hex() for sha256, _ in files)

    def _manifests(self, objects: ObjectStore, model: ModelId) -> Iterator[tuple[int, _Files]]:
        after: str | None = None
        while True:
            page = objects.entries(keys.manifests(model), after=after)
            numbered = [
                (version, entry.key)
                for entry in page.items
                if (version := keys.version_in(entry.key)) and entry.key == keys.manifest(model, version)
            ]
            for first in range(0, len(numbered), _READ_AT_ONCE):
                batch = numbered[first : first + _READ_AT_ONCE]
                found = self._read(objects, model, [key for _, key in batch])
                for (version, _), files in zip(batch, found, strict=True):
                    yield version, files
            after = page.next
            if after is None:
                return

    def _read(self, objects: ObjectStore, model: ModelId, wanted: Sequence[str]) -> list[_Files]:
        known = {key: files for key in wanted if (files := self._remembered(key)) is not None}
        missing = [key for key in wanted if key not in known]
        for key, record in zip(missing, objects.get_many([(key, None) for key in missing]), strict=True):
            manifest = readable(record, Manifest) if record else None
            version = keys.version_in(key)
            if manifest is None or version is None or not same_model(manifest, model, version):
                known[key] = ()
                continue
            known[key] = _files(manifest)
            self._remember(key, known[key])
        return [known[key] for key in wanted]

    def _remembered(self, key: str) -> _Files | None:
        with self._lock:
            files = self._known.get(key)
            if files is not None:
                self._known.move_to_end(key)
            return files

    def _remember(self, key: str, files: _Files) -> None:
        with self._lock:
            if key not in self._known:
                self._known[key] = files
                self._room -= len(files)
            while self._room < 0 and self._known:
                _, forgotten = self._known.popitem(last=False)
                self._room += len(forgotten)


def _files(manifest: Manifest) -> _Files:
    files = []
    for file in manifest.files:
        try:
            files.append((bytes.fromhex(file.sha256), file.path))
        except ValueError:
            continue
    return tuple(files)
