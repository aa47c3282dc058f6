"""The store as a read-only fsspec file system, for pandas and everything else that reads through fsspec.

    pandas.read_csv("smas://fraud/credit-risk@champion/scores.csv")

::

    smas://                         teams
    smas://fraud                    models of a team
    smas://fraud/credit-risk        versions and aliases, as folders named credit-risk@3
    smas://fraud/credit-risk@3      files and folders of a version
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from fsspec.spec import AbstractFileSystem

from smas.errors import NotFound
from smas.references import SCHEME
from smas.store import Store

if TYPE_CHECKING:
    from smas.results import Version


@dataclass(frozen=True, slots=True)
class _Place:
    """A path, taken apart: as deep as it goes."""

    team: str = ""
    model: str = ""
    ref: str = ""
    path: str = ""

    @classmethod
    def of(cls, path: str) -> _Place:
        team, _, rest = path.partition("/")
        named, _, inner = rest.partition("/")
        model, at, ref = named.partition("@")
        return cls(team, model, ref if at else ("latest" if inner else ""), inner)

    @property
    def reference(self) -> str:
        return f"{self.team}/{self.model}@{self.ref}"


class StoreFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """Versions as folders. Takes what ``Store`` takes (``address``, ``token``, ``cache``, …).

    Errors are ``FileNotFoundError`` where fsspec expects them, else those of ``smas.errors``.
    """

    protocol: ClassVar[str] = "smas"
    root_marker: ClassVar[str] = ""
    # fsspec tells instances apart by what is written of their options, in which two stores of different
    # people look alike: nobody may get another one's.
    cachable: ClassVar[bool] = False

    def __init__(self, *args: Any, store: Store | None = None, **options: Any) -> None:
        own = {name: options.pop(name) for name in ("address", "token", "cache") if name in options}
        super().__init__(*args, **options)
        self.store = store or Store(own.pop("address", None), **own)

    @classmethod
    def _strip_protocol(cls, path: str | list[str]) -> str | list[str]:
        if isinstance(path, list):
            return [str(cls._strip_protocol(one)) for one in path]
        return str(path).removeprefix(SCHEME).strip("/")

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:  # noqa: FBT001, FBT002 - fsspec's
        """What a folder holds: names, or with ``detail`` dictionaries of name, size and type."""
        stripped = str(self._strip_protocol(path))
        try:
            found = self._list(_Place.of(stripped))
        except NotFound as error:
            raise FileNotFoundError(path) from error
        if not found and stripped:
            raise FileNotFoundError(path)
        return found if detail else [entry["name"] for entry in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, size and type of a file or folder; for files also ``sha256``."""
        stripped = str(self._strip_protocol(path))
        place = _Place.of(stripped)
        if place.path:
            try:
                version = self.store.version(place.reference)
            except NotFound as error:
                raise FileNotFoundError(path) from error
            for file in version.files:
                if file.path == place.path:
                    return _file(stripped, file.size, file.sha256)
        if stripped:
            self.ls(stripped)
        return _folder(stripped)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode != "rb":
            message = f"{SCHEME} is read-only: publish with Store.push, not mode {mode!r}"
            raise ValueError(message)
        place = _Place.of(str(self._strip_protocol(path)))
        if not place.path:
            raise IsADirectoryError(path)
        try:
            return self.store.open(place.reference, place.path)
        except NotFound as error:
            raise FileNotFoundError(path) from error

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """The bytes of a file, or those of a range; negative limits count from its end, as in a slice."""
        with self.open(path) as file:
            first, last, _step = slice(start, end).indices(file.seek(0, os.SEEK_END))
            file.seek(first)
            return bytes(file.read(max(0, last - first)))

    def _list(self, place: _Place) -> list[dict[str, Any]]:
        if not place.team:
            return [_folder(team) for team in sorted({model.team for model in self.store.models()})]
        if not place.model:
            return [_folder(model.id) for model in self.store.models(place.team)]
        if not place.ref:
            name = f"{place.team}/{place.model}"
            refs = [str(version.version) for version in self.store.versions(name)]
            refs += [alias.alias for alias in self.store.aliases(name)]
            return [_folder(f"{name}@{ref}") for ref in refs]
        version = self.store.version(place.reference)
        return _entries(version, place)


def _entries(version: Version, place: _Place) -> list[dict[str, Any]]:
    """Files and folders directly below ``place`` in the version; a file is its own only entry."""
    inside = f"{place.path}/" if place.path else ""
    found: dict[str, dict[str, Any]] = {}
    for file in version.files:
        if file.path == place.path:
            return [_file(f"{place.reference}/{file.path}", file.size, file.sha256)]
        if file.path.startswith(inside):
            name, deeper, _ = file.path[len(inside) :].partition("/")
            full = f"{place.reference}/{inside}{name}"
            found[full] = _folder(full) if deeper else _file(full, file.size, file.sha256)
    return list(found.values())


def _folder(name: str) -> dict[str, Any]:
    return {"name": name, "size": 0, "type": "directory"}


def _file(name: str, size: int, sha256: str) -> dict[str, Any]:
    return {"name": name, "size": size, "type": "file", "sha256": sha256}
