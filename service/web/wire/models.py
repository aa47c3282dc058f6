"""Bodies of models and their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from service.web.wire.base import Given, Sent, Time

if TYPE_CHECKING:
    from service.domain.models import Settings as DomainSettings
    from service.registry.models import Model as DomainModel


class Model(Given):
    """A model; latest_version is the newest one that can be fetched."""

    id: str
    team: str
    name: str
    description: str
    tags: dict[str, str]
    latest_version: int | None
    created_at: Time
    created_by: str
    updated_at: Time

    @classmethod
    def of(cls, model: DomainModel) -> Model:
        """The model, rendered."""
        card = model.card
        return cls(
            id=str(model.id),
            team=model.id.team,
            name=model.id.model,
            description=card.description,
            tags=card.tags,
            latest_version=model.latest_version,
            created_at=card.created_at,
            created_by=card.created_by,
            updated_at=card.updated_at,
        )


class ModelChange(Sent):
    """What to change of a model's card; absent fields stay, a tag set to null goes."""

    description: str | UnsetType = UNSET
    tags: dict[str, str | None] | UnsetType = UNSET


class Settings(Given):
    """How a model is governed."""

    protected_aliases: list[str]
    required_approvals: int
    scan_policy: str
    default_retention_days: int | None

    @classmethod
    def of(cls, settings: DomainSettings) -> Settings:
        """The settings, rendered."""
        return cls(
            list(settings.protected_aliases),
            settings.required_approvals,
            settings.scan_policy,
            settings.default_retention_days,
        )


class SettingsChange(Sent):
    """All settings of a model; absent ones take their defaults."""

    protected_aliases: list[str] = msgspec.field(default_factory=lambda: ["production"])
    required_approvals: int = 0
    scan_policy: str = "digest"
    default_retention_days: int | None = None
