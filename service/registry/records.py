"""Records as JSON: one way to read them, one way to write them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from service.ports import KeyMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.ports import ObjectStore, Record

log = logging.getLogger(__name__)

Document = TypeVar("Document")


class Stored(msgspec.Struct, Generic[Document], frozen=True):
    """A record's meaning together with the state it was read in."""

    value: Document
    etag: str


def encode(document: object) -> bytes:
    """A struct of ``service.domain`` as the JSON that is stored."""
    return msgspec.json.encode(document)


class Unreadable(Exception):
    """A record holds something else than its key says."""


def decode(record: Record, kind: type[Document]) -> Document:
    """The struct in a record. Raises ``Unreadable`` if it holds something else."""
    try:
        return msgspec.json.decode(record.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(record.key) from error


def find(objects: ObjectStore, key: str, kind: type[Document]) -> Stored[Document] | None:
    """The record under ``key``, or None. Raises ``Unreadable``."""
    try:
        record = objects.get(key)
    except KeyMissing:
        return None
    return Stored(decode(record, kind), record.etag)


def find_many(objects: ObjectStore, keys: Sequence[str], kind: type[Document]) -> list[Document | None]:
    """The records under ``keys`` at once, in order, None where there is none that can be read.

    One record that somebody wrote past the service must not take a whole list away from everybody.
    """
    return [
        readable(record, kind) if record else None
        for record in objects.get_many([(key, None) for key in keys])
    ]


def readable(record: Record, kind: type[Document]) -> Document | None:
    """The struct in a record, None (and a line in the log) if it holds something else."""
    try:
        return decode(record, kind)
    except Unreadable:
        log.error("unreadable record left out", extra={"key": record.key})  # noqa: TRY400 - the key tells all
        return None
