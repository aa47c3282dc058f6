"""Versions: published once with the next number, and read by number, alias or ``latest``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from service.domain.names import LATEST
from service.domain.versions import Manifest, Verdict, VersionState
from service.errors import NotFound
from service.ports import Page
from service.registry import keys
from service.registry.aliases import find_alias
from service.registry.cards import require_model
from service.registry.records import decode, find_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.domain.names import ModelId
    from service.ports import ObjectStore, Workspace

# A manifest may hold a thousand files: a page of a thousand of them must not be in memory at once.
_READ_AT_ONCE: Final = 16


class Version(msgspec.Struct, frozen=True):
    """A version as readers see it: what was published, and what the verifier made of it so far."""

    manifest: Manifest
    state: VersionState
    reason: str | None


class Summary(msgspec.Struct, frozen=True):
    """A version in a list: a manifest without files and metadata, and what they came to; sizes in bytes."""

    manifest: Manifest
    state: VersionState
    reason: str | None
    file_count: int
    total_size: int


def read(workspace: Workspace, model: ModelId, reference: int | str) -> Version:
    """The version that ``reference`` (a number, an alias, ``latest``) means now. Raises ``NotFound``."""
    return read_number(workspace.objects, model, resolve(workspace, model, reference))


def resolve(workspace: Workspace, model: ModelId, reference: int | str) -> int:
    """The number that ``reference`` means now. Raises ``NotFound``; a plain number is not looked up."""
    if isinstance(reference, int):
        return reference
    if reference == LATEST:
        newest = newest_available(workspace.objects, model)
        if newest is None:
            message = f"model {model} has no available version yet"
            raise NotFound(message)
        return newest
    pointer = find_alias(workspace.objects, model, reference)
    if pointer is None or pointer.value.version is None:
        message = f"model {model} has no alias {reference!r}"
        raise NotFound(message)
    return pointer.value.version


def read_number(objects: ObjectStore, model: ModelId, number: int) -> Version:
    """The version with that number. Raises ``NotFound``."""
    manifest, verdict = objects.get_many(
        [(keys.manifest(model, number), None), (keys.verdict(model, number), None)]
    )
    if manifest is None:
        message = f"model {model} has no version {number}"
        raise NotFound(message)
    return _joined(decode(manifest, Manifest), decode(verdict, Verdict) if verdict else None)


def newest_available(objects: ObjectStore, model: ModelId) -> int | None:
    """The number of the newest version that can be fetched, or None."""
    after: str | None = None
    while True:
        page = objects.entries(keys.verdicts(model), after=after, limit=10)
        verdicts = find_many(objects, [entry.key for entry in page.items], Verdict)
        for verdict in verdicts:
            if verdict and verdict.state is VersionState.AVAILABLE:
                return verdict.version
        if page.next is None:
            return None
        after = page.next


def newest_available_of(objects: ObjectStore, models: Sequence[ModelId]) -> list[int | None]:
    """``newest_available`` of many models at once: most often the newest verdict is a good one."""
    first = objects.first_of([keys.verdicts(model) for model in models])
    verdicts = iter(find_many(objects, [entry.key for entry in first if entry], Verdict))
    newest: list[int | None] = []
    for model, entry in zip(models, first, strict=True):
        verdict = next(verdicts) if entry else None
        if verdict and verdict.state is VersionState.AVAILABLE:
            newest.append(verdict.version)
        else:
            newest.append(newest_available(objects, model) if entry else None)
    return newest


def newest(objects: ObjectStore, model: ModelId) -> int:
    """The highest version number taken, 0 before the first."""
    after, limit = None, 1
    while True:
        page = objects.entries(keys.manifests(model), after=after, limit=limit)
        numbers = (keys.version_in(entry.key) for entry in page.items)
        found = next((number for number in numbers if number), None)
        if found or page.next is None:
            return found or 0
        after, limit = page.next, 1000


def list_versions(workspace: Workspace, model: ModelId, *, after: str | None, limit: int) -> Page[Summary]:
    """The model's versions, newest first; ``after`` is a key of an earlier page. Raises ``NotFound``."""
    page = workspace.objects.entries(keys.manifests(model), after=after, limit=limit)
    if not page.items and after is None:
        require_model(workspace.objects, model)
    numbers = [number for entry in page.items if (number := keys.version_in(entry.key))]
    summaries: list[Summary] = []
    for start in range(0, len(numbers), _READ_AT_ONCE):
        summaries += _summaries(workspace.objects, model, numbers[start : start + _READ_AT_ONCE])
    return Page(tuple(summaries), page.next)


def _summaries(objects: ObjectStore, model: ModelId, numbers: Sequence[int]) -> list[Summary]:
    manifests = find_many(objects, [keys.manifest(model, number) for number in numbers], Manifest)
    verdicts = find_many(objects, [keys.verdict(model, number) for number in numbers], Verdict)
    return [
        _shortened(_joined(manifest, verdict))
        for manifest, verdict in zip(manifests, verdicts, strict=True)
        if manifest
    ]


def _shortened(version: Version) -> Summary:
    """The version without its files, which may weigh most of a megabyte."""
    whole = version.manifest
    short = replace(whole, files=(), metadata={})
    return Summary(short, version.state, version.reason, len(whole.files), whole.total_size)


def _joined(manifest: Manifest, verdict: Verdict | None) -> Version:
    if verdict is None:
        return Version(manifest, VersionState.VERIFYING, None)
    return Version(manifest, verdict.state, verdict.reason)
