"""The least that an operation of AWS can be asked with, made from its own model in botocore."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.model import ListShape, MapShape, StringShape, StructureShape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import ServiceModel, Shape

# Operations whose names begin so look at things and change none; `FilterLogEvents` reads lines.
_LOOKING = re.compile(
    r"(Get|List|Describe|Head|Lookup|Search|Filter|Simulate|Verify|Validate|Test|Select|Decode)"
)
_NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@cache
def service_model(service: str) -> ServiceModel:
    """Botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


def changing(service: str) -> Iterator[str]:
    """The operations of a service that may change something."""
    yield from (name for name in service_model(service).operation_names if not _LOOKING.match(name))


def members(service: str, operation: str) -> Mapping[str, Shape]:
    """What a request may hold, by name."""
    shape = service_model(service).operation_model(operation).input_shape
    return shape.members if isinstance(shape, StructureShape) else {}


def least(service: str, operation: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the operation cannot be called without; members of these names have the values of `known`."""
    shape = service_model(service).operation_model(operation).input_shape
    return _structure(shape, known) if isinstance(shape, StructureShape) else {}


def _structure(shape: StructureShape, known: Mapping[str, Any]) -> dict[str, Any]:
    if shape.is_tagged_union:  # exactly one member has to be there
        name = next(iter(shape.members))
        return {name: _value(shape.members[name], name, known)}
    return {
        name: _value(member, name, known)
        for name, member in shape.members.items()
        if name in shape.required_members or name in known
    }


def _value(shape: Shape, name: str, known: Mapping[str, Any]) -> Any:
    if name in known:
        return known[name]
    least_length = max(int(shape.metadata.get("min", 1)), 1)
    if isinstance(shape, StructureShape):
        return _structure(shape, known)
    if isinstance(shape, ListShape):
        return [_value(shape.member, "", known)]
    if isinstance(shape, MapShape):
        return {"a": _value(shape.value, "", known)}
    if isinstance(shape, StringShape):
        return shape.enum[0] if shape.enum else "x" * least_length
    scalars: dict[str, Any] = {"boolean": True, "timestamp": _NOW, "blob": b"x"}
    return scalars.get(shape.type_name, least_length)
