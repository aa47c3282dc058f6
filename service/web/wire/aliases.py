"""Bodies of aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from service.web.wire.base import Given, Sent, Time

if TYPE_CHECKING:
    from service.domain.models import Pointer
    from service.registry.aliases import Alias as DomainAlias


class AliasMove(Sent):
    """Where the alias goes; expected_version null means it must not exist, absent means don't check."""

    version: int
    expected_version: int | UnsetType | None = UNSET


class Alias(Given):
    """An alias as it is, or was."""

    alias: str
    version: int
    protected: bool
    updated_at: Time
    updated_by: str

    @classmethod
    def of(cls, alias: DomainAlias) -> Alias:
        """The alias, rendered. It must point to something."""
        if alias.pointer.version is None:
            message = "a removed alias is not an alias"
            raise ValueError(message)
        return cls(
            alias.name,
            alias.pointer.version,
            alias.protected,
            alias.pointer.updated_at,
            alias.pointer.updated_by,
        )


class AliasMoved(Given):
    """One move of an alias; version null means it was removed."""

    version: int | None
    updated_at: Time
    updated_by: str

    @classmethod
    def of(cls, pointer: Pointer) -> AliasMoved:
        """The move, rendered."""
        return cls(pointer.version, pointer.updated_at, pointer.updated_by)
