"""The sweep finds what a lost message forgot: versions without a verdict, aliases without a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.registry import keys
from service.verifier.events import Event, ProtectedAliasMoved, VersionPublished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.ports import ObjectStore


def forgotten(objects: ObjectStore) -> Iterator[Event]:
    """What should be looked at again, model by model.

    Lists keys only: two lists a model of up to a thousand versions, and no more than that in memory.
    """
    for card in _keys_under(objects, keys.cards()):
        model = keys.model_in(card)
        if model is None:
            continue
        decided = {keys.version_in(key) for key in _keys_under(objects, keys.verdicts(model))}
        for key in _keys_under(objects, keys.manifests(model)):
            number = keys.version_in(key)
            if number and number not in decided:
                yield VersionPublished(model, number)
        if objects.entries(keys.aliases(model, protected=True), limit=1).items:
            yield ProtectedAliasMoved(model)


def _keys_under(objects: ObjectStore, prefix: str) -> Iterator[str]:
    after: str | None = None
    while True:
        page = objects.entries(prefix, after=after)
        yield from (entry.key for entry in page.items)
        if page.next is None:
            return
        after = page.next
