"""Whether a model exists: it does from its first publication on, when its card is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import NotFound
from service.ports import KeyMissing
from service.registry import keys

if TYPE_CHECKING:
    from service.domain.names import ModelId
    from service.ports import ObjectStore


def require_model(objects: ObjectStore, model: ModelId) -> None:
    """Raise ``NotFound`` unless something was ever published as ``model``."""
    try:
        objects.get(keys.card(model))
    except KeyMissing as error:
        message = f"no model {model}"
        raise NotFound(message) from error
