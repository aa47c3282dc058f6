"""Pages of lists whose items may be large, cut where one more would be too many bytes for an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from service.web.bodies import written_cursor
from service.web.wire.base import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item", bound=msgspec.Struct)
Found = TypeVar("Found")

# A load balancer takes 1 MB of a function, everything around the body in it; API Gateway takes 6 MB:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
MOST_BYTES: Final = 900_000


def fitting(
    found: Sequence[Found],
    shown: Callable[[Found], Item],
    place: Callable[[Found], str],
    following: str | None,
) -> Page[Item]:
    """What of ``found`` fits into an answer, and at least one of it, as ``shown``.

    The list goes on after one of them at its ``place``, and after the last at ``following`` (None: nowhere).
    """
    items: list[Item] = []
    weight = 0
    for index, each in enumerate(found):
        item = shown(each)
        weight += _weight(item)
        if items and weight > MOST_BYTES:
            return Page(items, written_cursor(place(found[index - 1])))
        items.append(item)
    return Page(items, written_cursor(following))


def _weight(item: msgspec.Struct) -> int:
    """Bytes of ``item`` in an answer of a function, where the body is a text of JSON once more."""
    return len(json.dumps(msgspec.json.encode(item).decode()))
