"""Models: what people say about them and how they are governed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from service.domain.models import Card, Settings, check_card, check_settings
from service.domain.times import written
from service.errors import Conflict, NotFound
from service.ports import KeyChanged, KeyExists, Page
from service.registry import keys
from service.registry.aliases import read_settings
from service.registry.cards import require_model
from service.registry.records import encode, find, find_many
from service.registry.versions import newest_available, newest_available_of

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from datetime import datetime

    from service.domain.names import ModelId
    from service.ports import Workspace

_RACES: Final = 20


class Model(msgspec.Struct, frozen=True):
    """A model as readers see it; ``etag`` names this state of its card."""

    id: ModelId
    card: Card
    latest_version: int | None
    etag: str


def read(workspace: Workspace, model: ModelId) -> Model:
    """The model. Raises ``NotFound``."""
    known = find(workspace.objects, keys.card(model), Card)
    if known is None:
        message = f"no model {model}"
        raise NotFound(message)
    return Model(model, known.value, newest_available(workspace.objects, model), known.etag)


def list_models(
    workspace: Workspace, team: str | None, prefix: str, *, after: str | None, limit: int
) -> Page[Model]:
    """Models of ``team`` (None: of all teams) whose name starts with ``prefix``; ``after`` is a key."""
    page = workspace.objects.entries(keys.cards(team, prefix), after=after, limit=limit)
    ids = [model for entry in page.items if (model := keys.model_in(entry.key))]
    cards = find_many(workspace.objects, [keys.card(model) for model in ids], Card)
    models = [
        Model(model, card, latest, etag="")
        for model, card, latest in zip(ids, cards, newest_available_of(workspace.objects, ids), strict=True)
        if card and model.model.startswith(prefix)
    ]
    return Page(tuple(models), page.next)


def describe(
    workspace: Workspace,
    model: ModelId,
    description: str | None,
    tags: Mapping[str, str | None] | None,
    if_match: Container[str] | None,
    now: datetime,
) -> Model:
    """Merge into the card: None leaves the description, a tag of None is removed, others stay.

    ``if_match`` holds the states, as etags without their quotes, that the card may be in; None: any.

    Raises ``NotFound``; ``Conflict`` if the card is in another state; ``ValidationFailed``.
    """
    tried: Card | None = None
    for _ in range(_RACES):
        known = find(workspace.objects, keys.card(model), Card)
        if known is None:
            message = f"no model {model}: publishing a first version creates it"
            raise NotFound(message)
        if known.value == tried:  # the write that seemed lost was ours: its answer went astray
            return Model(model, tried, newest_available(workspace.objects, model), known.etag)
        if if_match is not None and known.etag.strip('"') not in if_match:
            message = (
                f"model {model} was changed since you read it; nothing was changed: read it and try again"
            )
            raise Conflict(message)
        merged = {**known.value.tags, **(tags or {})}
        card = replace(
            known.value,
            description=known.value.description if description is None else description,
            tags={key: value for key, value in merged.items() if value is not None},
            updated_at=written(now),
        )
        check_card(card.description, card.tags)
        tried = card
        try:
            etag = workspace.objects.replace(keys.card(model), encode(card), known.etag)
        except KeyChanged:
            continue
        return Model(model, card, newest_available(workspace.objects, model), etag)
    message = f"model {model} is being changed by others: read it and try again"
    raise Conflict(message)


def settings(workspace: Workspace, model: ModelId) -> Settings:
    """How the model is governed. Raises ``NotFound``."""
    require_model(workspace.objects, model)
    return read_settings(workspace.objects, model)


def govern(workspace: Workspace, model: ModelId, wanted: Settings) -> Settings:
    """Replace the model's settings. Raises ``NotFound``, ``ValidationFailed``, ``Conflict``."""
    check_settings(wanted)
    require_model(workspace.objects, model)
    key = keys.settings(model)
    for _ in range(_RACES):
        known = find(workspace.objects, key, Settings)
        try:
            if known:
                workspace.objects.replace(key, encode(wanted), known.etag)
            else:
                workspace.objects.create(key, encode(wanted))
        except (KeyExists, KeyChanged):
            continue
        return wanted
    message = f"the settings of {model} are being changed by others: read them and try again"
    raise Conflict(message)
