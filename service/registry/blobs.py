"""Which bytes a model already holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from service.registry import keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.domain.names import ModelId
    from service.ports import EntryVersion, ObjectStore

STATE_TAG: Final = "smas-state"
RELEASE_TAG: Final = "smas-release"
VERIFIED: Final = "verified"
QUARANTINED: Final = "quarantined"
RELEASED: Final = "yes"


def stored_versions(
    objects: ObjectStore, model: ModelId, digests: Iterable[str]
) -> dict[str, list[EntryVersion]]:
    """The S3 versions, newest first, of each of the digests that the model holds.

    One list answers for a model of up to a thousand blobs; a larger model is asked digest by digest.
    """
    wanted = set(digests)
    held: dict[str, list[EntryVersion]] = {}
    first = objects.versions(keys.blobs(model))
    if first.next is None:
        found: Iterable[EntryVersion] = first.items
    else:
        asked = objects.versions_of([keys.blob(model, digest) for digest in sorted(wanted)])
        found = [entry for entries in asked for entry in entries]
    for entry in found:
        digest = keys.last_segment(entry.key)
        # A team may write odd keys under its prefix; only the blob's own key holds the blob.
        if digest in wanted and entry.key == keys.blob(model, digest):
            held.setdefault(digest, []).append(entry)
    return held


def verified_versions(objects: ObjectStore, held: dict[str, list[EntryVersion]]) -> dict[str, EntryVersion]:
    """The newest verified S3 version of each digest that has one."""
    every = [entry for entries in held.values() for entry in entries]
    tags = objects.tags_many([(entry.key, entry.version_id) for entry in every])
    verified: dict[str, EntryVersion] = {}
    for entry, tagged in zip(every, tags, strict=True):
        if tagged.get(STATE_TAG) == VERIFIED:
            verified.setdefault(keys.last_segment(entry.key), entry)
    return verified
