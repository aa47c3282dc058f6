"""Aliases: names that move from version to version, one compare-and-set at a time.

A protected alias (``production`` unless the model's settings say otherwise) lives under its own prefix,
where IAM lets only approvers write. Protecting a name therefore starts with what approvers last set under
it, usually nothing: whatever the unprotected alias pointed to does not count. An alias's S3 versions are
its history; removing one writes a pointer to nothing, so that who removed it stays known.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from service.domain.models import Pointer, Settings
from service.domain.times import parsed, written
from service.domain.versions import Manifest, Verdict, VersionState
from service.errors import Conflict, NotApproved, NotFound, Quarantined, ValidationFailed
from service.ports import KeyChanged, KeyExists, KeyMissing, Page
from service.registry import keys
from service.registry.cards import require_model
from service.registry.records import Stored, decode, encode, find, find_many, readable

if TYPE_CHECKING:
    from datetime import datetime

    from service.domain.names import ModelId
    from service.ports import ObjectStore, Record, Workspace

# Clocks of service and storage may differ by this much when history is searched by time.
_CLOCK_SKEW: Final = timedelta(minutes=5)
_RACES: Final = 20


class Alias(msgspec.Struct, frozen=True):
    """An alias as readers see it."""

    name: str
    protected: bool
    pointer: Pointer


class Unchecked:
    """Stands for "move it whatever it points to"."""


UNCHECKED: Final = Unchecked()


def read_settings(objects: ObjectStore, model: ModelId) -> Settings:
    """The model's settings, the defaults if nobody set any."""
    known = find(objects, keys.settings(model), Settings)
    return known.value if known else Settings()


def find_alias(objects: ObjectStore, model: ModelId, name: str) -> Stored[Pointer] | None:
    """The alias's record, removed ones included, or None."""
    protected = read_settings(objects, model).protects(name)
    return find(objects, keys.alias(model, name, protected=protected), Pointer)


def is_protected(workspace: Workspace, model: ModelId, name: str) -> bool:
    """Whether only approvers may move the alias."""
    return read_settings(workspace.objects, model).protects(name)


def read(workspace: Workspace, model: ModelId, name: str, at: datetime | None = None) -> Alias:
    """The alias as it is, or as it was at the second ``at`` (inclusive). Raises ``NotFound``."""
    protected = is_protected(workspace, model, name)
    key = keys.alias(model, name, protected=protected)
    if at is None:
        known = find(workspace.objects, key, Pointer)
        pointer = known.value if known else None
    else:
        pointer = _pointer_at(workspace.objects, key, at)
    if pointer is None or pointer.version is None:
        when = f" at {written(at)}" if at else ""
        message = f"model {model} has no alias {name!r}{when}"
        raise NotFound(message)
    return Alias(name, protected, pointer)


def list_aliases(workspace: Workspace, model: ModelId, *, after: str | None, limit: int) -> Page[Alias]:
    """The model's aliases by name, protected and other ones together; ``after`` is a name.

    Raises ``NotFound``.
    """
    settings = read_settings(workspace.objects, model)
    names: dict[str, str] = {}
    horizon: str | None = None
    for protected in (False, True):
        start = keys.alias(model, after, protected=protected) if after else None
        page = workspace.objects.entries(keys.aliases(model, protected=protected), after=start, limit=limit)
        for entry in page.items:
            name = keys.last_segment(entry.key)
            if settings.protects(name) is protected and entry.key == keys.alias(
                model, name, protected=protected
            ):
                names[name] = entry.key
        if page.next is not None:
            last = keys.last_segment(page.next)
            horizon = min(horizon, last, key=_place) if horizon else last
    within = (name for name in names if horizon is None or _place(name) <= _place(horizon))
    reached = sorted(within, key=_place)
    shown = reached[:limit]
    found = find_many(workspace.objects, [names[name] for name in shown], Pointer)
    items = [
        Alias(name, settings.protects(name), pointer)
        for name, pointer in zip(shown, found, strict=True)
        if pointer and pointer.version is not None
    ]
    following = shown[-1] if len(reached) > limit else horizon
    if not items and after is None:
        require_model(workspace.objects, model)
    return Page(tuple(items), following)


def _place(name: str) -> str:
    """What storage sorts an alias by: its key ends in ``.json``, so ``a-b`` comes before ``a``."""
    return f"{name}.json"


def history(
    workspace: Workspace, model: ModelId, name: str, *, cursor: str | None, limit: int
) -> Page[Pointer]:
    """Every move of the alias, newest first.

    Raises ``NotFound`` if it never existed, ``ValidationFailed`` for a cursor that is not of this history.
    """
    objects = workspace.objects
    key = keys.alias(model, name, protected=is_protected(workspace, model, name))
    if cursor is not None:
        _require_place(objects, key, cursor)
    page = objects.versions(key, limit=limit, cursor=cursor)
    # The key itself is the first of all that begin like it; the others are no concern of this alias.
    moves = [entry for entry in page.items if entry.key == key]
    if not moves and cursor is None:
        message = f"model {model} never had an alias {name!r}"
        raise NotFound(message)
    records = objects.get_many([(entry.key, entry.version_id) for entry in moves])
    following = page.next if len(moves) == len(page.items) else None
    return Page(tuple(pointer for pointer in map(_pointer, records) if pointer), following)


def _require_place(objects: ObjectStore, key: str, cursor: str) -> None:
    """Storage itself may fail over a place that it never named."""
    of, _, version_id = cursor.rpartition(" ")
    try:
        if of == key and version_id:
            objects.get(key, version_id)
            return
    except KeyMissing:
        pass
    raise ValidationFailed.at("cursor", "must be a next_cursor of this list")


def _pointer(record: Record | None) -> Pointer | None:
    return readable(record, Pointer) if record else None


def move(
    workspace: Workspace,
    model: ModelId,
    name: str,
    version: int,
    expected: int | Unchecked | None,
    now: datetime,
    *,
    protected: bool,
) -> Alias:
    """Point the alias at ``version``, if it points to ``expected`` (None: it must not exist).

    Raises ``NotFound`` for an unknown version, ``Quarantined`` for a refused one, ``NotApproved`` when a
    protected alias may not move there, ``Conflict`` when the alias points elsewhere than expected.
    """
    _check_target(workspace, model, version, protected=protected)
    return _set(workspace, model, name, version, expected, now, protected=protected)


def remove(workspace: Workspace, model: ModelId, name: str, now: datetime, *, protected: bool) -> None:
    """Let the alias point to nothing. Raises ``NotFound`` if it does not exist."""
    read(workspace, model, name)
    _set(workspace, model, name, None, UNCHECKED, now, protected=protected)


def _set(
    workspace: Workspace,
    model: ModelId,
    name: str,
    version: int | None,
    expected: int | Unchecked | None,
    now: datetime,
    *,
    protected: bool,
) -> Alias:
    key = keys.alias(model, name, protected=protected)
    principal = workspace.principal
    pointer = Pointer(version, written(now), principal.name, principal.subject)
    for attempt in range(_RACES):
        known = find(workspace.objects, key, Pointer)
        if attempt and known and known.value == pointer:
            break  # the write that seemed lost was ours: its answer went astray and it was sent again
        current = known.value.version if known else None
        if not isinstance(expected, Unchecked) and current != expected:
            is_at = f"points to version {current}" if current else "does not exist"
            wanted = f"at version {expected}" if expected else "absent"
            message = f"alias {name!r} {is_at}, expected it {wanted}; nothing was changed"
            raise Conflict(message)
        if protected and version is not None:
            # Before the move, but only of one that may happen: the mover's own word, without which the
            # verifier releases nothing.
            with suppress(KeyExists):
                workspace.objects.create(keys.move(model, name, version, principal.subject), encode(pointer))
        try:
            if known:
                workspace.objects.replace(key, encode(pointer), known.etag)
            else:
                workspace.objects.create(key, encode(pointer))
        except (KeyExists, KeyChanged):
            continue
        break
    else:
        message = f"alias {name!r} is being moved by others: read it and try again"
        raise Conflict(message)
    return Alias(name, protected, pointer)


def _check_target(workspace: Workspace, model: ModelId, number: int, *, protected: bool) -> None:
    manifest_key, verdict_key = keys.manifest(model, number), keys.verdict(model, number)
    found, decided = workspace.objects.get_many([(manifest_key, None), (verdict_key, None)])
    if found is None:
        message = f"model {model} has no version {number}"
        raise NotFound(message)
    verdict = decode(decided, Verdict) if decided else None
    state = verdict.state if verdict else VersionState.VERIFYING
    if protected:
        if state is not VersionState.AVAILABLE:
            message = f"a protected alias moves only to an available version; {number} is {state}"
            raise NotApproved(message)
        if decode(found, Manifest).subject == workspace.principal.subject:
            message = f"version {number} is your own: somebody else must move a protected alias to it"
            raise NotApproved(message)
    elif verdict and state in {VersionState.REJECTED, VersionState.QUARANTINED}:
        message = f"version {number} is {state}: {verdict.reason}"
        raise Quarantined(message)


def _pointer_at(objects: ObjectStore, key: str, at: datetime) -> Pointer | None:
    cursor: str | None = None
    while True:
        page = objects.versions(key, limit=100, cursor=cursor)
        for entry in page.items:
            if entry.key != key:
                return None  # keys that merely begin like the alias's come after it
            if entry.last_modified - _CLOCK_SKEW > at:
                continue
            pointer = decode(objects.get(key, entry.version_id), Pointer)
            if parsed(pointer.updated_at) <= at:
                return pointer
        if page.next is None:
            return None
        cursor = page.next
