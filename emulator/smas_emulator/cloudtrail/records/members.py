"""Parameters and answers as records show them: by botocore's model, in lower camel case, without secrets.

A member is named as in the API with its first letter in lower case (`sAMLAssertionID`, `mD5OfMessageBody`);
keys of maps stay as they are. What the model does not know is not shown: nobody could say that it may be.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from smas_emulator.cloudtrail.records.secrets import HIDDEN, Showing, names_secret, showing, texts_in
from smas_emulator.cloudtrail.records.times import spelled_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import ListShape, MapShape, Shape, StructureShape

_Plan = dict[str, tuple[str, Showing, "Shape"]]


class Members:
    """Renders the structures of one service; each structure is looked through once."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._plans: dict[str, _Plan] = {}

    def render(
        self, shape: StructureShape, value: Mapping[str, Any], concealed: list[str] | None = None
    ) -> dict[str, Any]:
        """The structure as JSON; texts that were hidden or left out are added to `concealed`."""
        plan = self._plans.get(shape.name) or self._plan(shape)
        shown: dict[str, Any] = {}
        for name, member in value.items():
            if member is None:
                continue
            shown_as, how, member_shape = plan.get(name) or (name, Showing.LEFT_OUT, shape)
            if how is Showing.SHOWN:
                shown[shown_as] = self._value(member_shape, member, concealed)
                continue
            if how is Showing.HIDDEN:
                shown[shown_as] = HIDDEN
            if concealed is not None:
                concealed.extend(texts_in(member))
        return shown

    def _plan(self, shape: StructureShape) -> _Plan:
        plan = {
            name: (name[0].lower() + name[1:], showing(self._service, name, member), member)
            for name, member in shape.members.items()
        }
        self._plans[shape.name] = plan
        return plan

    def _value(self, shape: Shape, value: Any, concealed: list[str] | None) -> Any:
        kind = shape.type_name
        match kind:
            case "structure" if isinstance(value, dict) and not getattr(shape, "is_document_type", False):
                return self.render(cast("StructureShape", shape), value, concealed)
            case "list" if isinstance(value, list | tuple):
                item = cast("ListShape", shape).member
                if not _hides(item):
                    return [self._value(item, each, concealed) for each in value]
            case "map" if isinstance(value, dict):
                pairs = cast("MapShape", shape)
                if not _hides(pairs.key):
                    return {
                        str(key): self._entry(str(key), pairs.value, each, concealed)
                        for key, each in value.items()
                    }
            case "timestamp":
                return _time(value)
            case "string" | "character" | "boolean" | "integer" | "long" | "float" | "double" | "bigdecimal":
                return _scalar(value)
        if concealed is not None:
            concealed.extend(texts_in(value))
        return HIDDEN

    def _entry(self, key: str, shape: Shape, value: Any, concealed: list[str] | None) -> Any:
        if not _hides(shape) and not names_secret(key):
            return self._value(shape, value, concealed)
        if concealed is not None:
            concealed.extend(texts_in(value))
        return HIDDEN


def _hides(shape: Shape) -> bool:
    return shape.type_name == "blob" or bool(shape.metadata.get("sensitive"))


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str | bool | int | float):
        return value
    return HIDDEN


def _time(value: Any) -> Any:
    if isinstance(value, datetime):
        return spelled_out(value)
    if isinstance(value, int | float):
        try:
            return spelled_out(datetime.fromtimestamp(value, UTC))
        except (ValueError, OverflowError, OSError):
            return str(value)
    return _scalar(value)
