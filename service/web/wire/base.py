"""What all bodies share."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec

Size = Annotated[int, msgspec.Meta(description="bytes")]
Sha256 = Annotated[str, msgspec.Meta(description="SHA-256, 64 lower-case hexadecimal digits")]
Time = Annotated[str, msgspec.Meta(description="RFC 3339 in UTC, whole seconds")]

Item = TypeVar("Item")


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """Base of request bodies."""


class Given(msgspec.Struct):
    """Base of answers."""


class Page(Given, Generic[Item]):
    """A page of a list; next_cursor continues it, null at the end."""

    items: list[Item]
    next_cursor: str | None
