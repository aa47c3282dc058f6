"""Records as JSON: one way to read them, one way to write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from service.ports import KeyMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.ports import ObjectStore, Record

Document = TypeVar("Document")


@dataclass(frozen=True, slots=True)
class Stored(Generic[Document]):
    """A record's meaning together with the state it was read in."""

    value: Document
    etag: str


def encode(document: object) -> bytes:
    """A dataclass of ``service.domain`` as the JSON that is stored."""
    return msgspec.json.encode(document)


def decode(record: Record, kind: type[Document]) -> Document:
    """The dataclass in a record. Raises ``msgspec.ValidationError`` if it holds something else."""
    return msgspec.json.decode(record.body, type=kind)


def find(objects: ObjectStore, key: str, kind: type[Document]) -> Stored[Document] | None:
    """The record under ``key``, or None."""
    try:
        record = objects.get(key)
    except KeyMissing:
        return None
    return Stored(decode(record, kind), record.etag)


def find_many(objects: ObjectStore, keys: Sequence[str], kind: type[Document]) -> list[Document | None]:
    """The records under ``keys`` at once, in order, None where there is none."""
    found = objects.get_many([(key, None) for key in keys])
    return [decode(record, kind) if record else None for record in found]
