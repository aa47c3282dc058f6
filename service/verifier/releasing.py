"""Releases: the tag that lets deployers read exactly what a protected alias points to.

The record of releases is written twice: before tagging with everything that may carry the tag, and after
it with what does. Whoever comes next, after a crash or a lost message, starts from that record and ends in
the same state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from service.domain.access import is_subject
from service.domain.models import Pointer, Releases
from service.domain.names import MAX_VERSION
from service.domain.versions import Manifest, Verdict, VersionState
from service.ports import KeyChanged, KeyExists, KeyMissing
from service.registry import keys
from service.registry.aliases import read_settings
from service.registry.blobs import RELEASE_TAG, RELEASED, STATE_TAG, VERIFIED
from service.registry.records import Stored, encode, find, find_many

if TYPE_CHECKING:
    from service.domain.names import ModelId
    from service.ports import ObjectStore

_RACES: Final = 50


def release(objects: ObjectStore, model: ModelId) -> Releases:
    """Make tags and record agree with where the model's protected aliases point; answers the record.

    A version counts when it is available and somebody else than its publisher moved the alias there: the
    mover's word for that lies under a key that IAM lets only the mover write.
    """
    tagged: set[str] = set()
    for _ in range(_RACES):
        known = find(objects, keys.releases(model), Releases)
        recorded = known.value if known else Releases()
        # A twin may have finished between our first record and our tags: what we tagged is ours to undo.
        before = replace(recorded, blobs=tuple(sorted(tagged.union(recorded.blobs))))
        wanted = _wanted(objects, model)
        if wanted == before and not _strays(objects, model, wanted):
            return wanted
        etag = _record(objects, model, _union(before, wanted), known)
        if etag is None:
            continue
        tagged.update(wanted.blobs)
        _tag(objects, model, wanted.blobs, released=True)
        _tag(objects, model, sorted(set(before.blobs) - set(wanted.blobs)), released=False)
        if wanted != _wanted(objects, model):
            continue  # an alias moved meanwhile
        if _record(objects, model, wanted, Stored(before, etag)) is not None:
            return wanted
    message = f"the protected aliases of {model} do not come to rest"
    raise TimeoutError(message)


def _wanted(objects: ObjectStore, model: ModelId) -> Releases:
    names = read_settings(objects, model).protected_aliases
    pointers = find_many(objects, [keys.alias(model, name, protected=True) for name in names], Pointer)
    versions: set[int] = set()
    blobs: set[str] = set()
    for name, pointer in zip(names, pointers, strict=True):
        if pointer is None or pointer.version is None or not 1 <= pointer.version <= MAX_VERSION:
            continue
        manifest = find(objects, keys.manifest(model, pointer.version), Manifest)
        verdict = find(objects, keys.verdict(model, pointer.version), Verdict)
        if not manifest or not verdict or verdict.value.state is not VersionState.AVAILABLE:
            continue
        if manifest.value.subject == pointer.subject or not _is_word_of(objects, model, name, pointer):
            continue
        versions.add(pointer.version)
        blobs |= {f"{file.sha256}:{file.s3_version_id}" for file in manifest.value.files}
    return Releases(tuple(sorted(versions)), tuple(sorted(blobs)))


def _is_word_of(objects: ObjectStore, model: ModelId, name: str, pointer: Pointer) -> bool:
    """Whether the one whom the alias names as its mover says so too."""
    if not is_subject(pointer.subject):
        return False
    said = find_many(objects, [keys.move(model, name, pointer.version or 0, pointer.subject)], Pointer)
    return said[0] is not None and said[0].subject == pointer.subject


def _union(before: Releases, wanted: Releases) -> Releases:
    """What may carry the tag while tags are being set; only versions released before and after count."""
    versions = sorted(set(before.versions) & set(wanted.versions))
    return Releases(tuple(versions), tuple(sorted({*before.blobs, *wanted.blobs})))


def _record(
    objects: ObjectStore, model: ModelId, releases: Releases, known: Stored[Releases] | None
) -> str | None:
    """Write the record over the state it was read in; answers its etag, None if somebody was faster."""
    try:
        if known:
            return objects.replace(keys.releases(model), encode(releases), known.etag)
        return objects.create(keys.releases(model), encode(releases))
    except (KeyExists, KeyChanged):
        return None


def _strays(objects: ObjectStore, model: ModelId, releases: Releases) -> bool:
    """Whether some released blob lost its tag, as when a twin tagged its state at the same moment."""
    tagged = objects.tags_many([_pin(model, blob) for blob in releases.blobs])
    return any(tags.get(RELEASE_TAG) != RELEASED for tags in tagged)


def _tag(objects: ObjectStore, model: ModelId, blobs: tuple[str, ...] | list[str], *, released: bool) -> None:
    for blob in blobs:
        key, version_id = _pin(model, blob)
        try:
            tags = objects.tags(key, version_id)
        except KeyMissing:
            continue  # deleted since: nothing is left to read
        if released and tags.get(STATE_TAG) == VERIFIED and RELEASE_TAG not in tags:
            objects.set_tags(key, version_id, {**tags, RELEASE_TAG: RELEASED})
        if not released and RELEASE_TAG in tags:
            kept = {name: value for name, value in tags.items() if name != RELEASE_TAG}
            objects.set_tags(key, version_id, kept)


def _pin(model: ModelId, blob: str) -> tuple[str, str]:
    digest, _, version_id = blob.partition(":")
    return keys.blob(model, digest), version_id
