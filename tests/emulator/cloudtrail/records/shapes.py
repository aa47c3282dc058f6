"""Values for botocore's shapes: one with every member, and random ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import Shape

_DEEPEST = 5
_TIMES = st.datetimes(timezones=st.just(UTC))


def whole(shape: Shape, text: Callable[[str, Shape], str], name: str = "", depth: int = 0) -> Any:
    """A value with every member down to a depth; `text` makes texts from a member's name and shape."""
    kind = shape.type_name
    if kind == "structure":
        if depth >= _DEEPEST:
            return {}
        return {
            each: whole(member, text, each, depth + 1)
            for each, member in shape.members.items()  # type: ignore[attr-defined]  # a structure has them
        }
    if kind == "list":
        return [whole(shape.member, text, name, depth + 1)]  # type: ignore[attr-defined]  # a list has one
    if kind == "map":
        return {"key": whole(shape.value, text, name, depth + 1)}  # type: ignore[attr-defined]  # a map has one
    scalars: dict[str, Any] = {
        "blob": text(name, shape).encode(),
        "boolean": True,
        "double": 1.5,
        "float": 0.5,
        "integer": 1,
        "long": 2**40,
        "timestamp": datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC),
    }
    return scalars.get(kind, text(name, shape))


def some(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Any value of a shape, with any of its members, also such as clients should not send."""
    kind = shape.type_name
    if kind == "structure":
        members = shape.members if depth < _DEEPEST else {}  # type: ignore[attr-defined]  # a structure has them
        return st.fixed_dictionaries(
            {}, optional={each: st.none() | some(member, depth + 1) for each, member in members.items()}
        )
    if kind == "list":
        return st.lists(some(shape.member, depth + 1), max_size=2)  # type: ignore[attr-defined]  # a list has one
    if kind == "map":
        values = some(shape.value, depth + 1)  # type: ignore[attr-defined]  # a map has one
        return st.dictionaries(st.text(max_size=5), values, max_size=2)
    scalars: dict[str, st.SearchStrategy[Any]] = {
        "blob": st.binary(max_size=5),
        "boolean": st.booleans(),
        "double": st.floats(),
        "float": st.floats(),
        "integer": st.integers(),
        "long": st.integers(),
        "timestamp": _TIMES | st.floats() | st.text(max_size=5),
    }
    return scalars.get(kind, st.text(max_size=5))
