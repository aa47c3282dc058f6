"""The sweep finds what a lost message forgot: versions without a verdict, aliases without a release."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from service.registry import keys
from service.verifier.events import Event, ProtectedAliasMoved, VersionPublished, event_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.ports import ObjectStore


def _go_on() -> None:
    """Nothing ends the sweep."""


def forgotten(objects: ObjectStore, check: Callable[[], None] = _go_on) -> Iterator[Event]:
    """What should be looked at again: versions by their keys, then models with protected aliases.

    Lists keys only, a thousand at a time: for any number of models two lists for a thousand versions, and no
    more than two pages in memory. ``check`` is called before each list, and ends the sweep by raising.
    """
    for key in _undecided(objects, check):
        event = event_of(key, "")
        if isinstance(event, VersionPublished) and key == keys.manifest(event.model, event.number):
            yield event
    moved = (event_of(key, "") for key in _keys_under(objects, keys.PROTECTED, check))
    for alias, _ in groupby(event for event in moved if isinstance(event, ProtectedAliasMoved)):
        yield alias


def _undecided(objects: ObjectStore, check: Callable[[], None]) -> Iterator[str]:
    """Keys of manifests to which no verdict belongs.

    Both lists name versions alike after their kind, and S3 lists by UTF-8 bytes, which is Python's order of
    strings: so one pass over both finds them.
    """
    verdicts = (key.removeprefix(keys.VERDICTS) for key in _keys_under(objects, keys.VERDICTS, check))
    decided = next(verdicts, None)
    for key in _keys_under(objects, keys.MANIFESTS, check):
        name = key.removeprefix(keys.MANIFESTS)
        while decided is not None and decided < name:
            decided = next(verdicts, None)
        if decided != name:
            yield key


def _keys_under(objects: ObjectStore, prefix: str, check: Callable[[], None]) -> Iterator[str]:
    after: str | None = None
    while True:
        check()
        page = objects.entries(prefix, after=after)
        yield from (entry.key for entry in page.items)
        if page.next is None:
            return
        after = page.next
