"""docs/architecture.png shows what `infra/` makes, and is of the source that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from docs.sources import architecture
from docs.sources.__main__ import PICTURE
from docs.sources.rendering import digest, stamp
from tests.docs.terraform_files import REPOSITORY, resources

if TYPE_CHECKING:
    from docs.sources.shapes import Arrow, Box

DRAWN = {address: box.title for box in architecture.BOXES for address in box.shows}


def test_what_is_drawn_exists() -> None:
    """Each resource that a box stands for is in `infra/`."""
    assert {address: title for address, title in DRAWN.items() if address not in resources()} == {}


def test_what_exists_is_drawn() -> None:
    """Every resource is in a box, unless it only says how one that is drawn is set up."""
    assert {
        address
        for address in resources()
        if address not in DRAWN and address.partition(".")[0] not in architecture.DETAILS
    } == set()


def test_a_detail_is_one() -> None:
    """Nothing is called a detail that is drawn, or that there is not."""
    types = {address.partition(".")[0] for address in resources()}
    assert types >= architecture.DETAILS
    assert architecture.DETAILS.isdisjoint(address.partition(".")[0] for address in DRAWN)


def test_nothing_is_drawn_twice() -> None:
    """A resource stands in one box."""
    assert len(DRAWN) == sum(len(box.shows) for box in architecture.BOXES)


def test_the_picture_is_of_this_source() -> None:
    """Whoever changes the source runs `make docs`."""
    assert stamp(PICTURE.read_bytes()) == digest(architecture.svg())


def test_the_source_is_well_formed() -> None:
    """It is XML, and says in words what it shows."""
    root = ET.fromstring(architecture.svg())  # noqa: S314 - it is our own
    described = root.find("{http://www.w3.org/2000/svg}desc")
    assert described is not None
    assert described.text == " ".join(words for _, words in architecture.STEPS)


def _covers(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def _inside(inner: Box, outer: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def test_boxes_do_not_cover_each_other() -> None:
    """They stand beside each other, or one within another."""
    pairs = ((a, b) for index, a in enumerate(architecture.BOXES) for b in architecture.BOXES[index + 1 :])
    assert [
        (a.title, b.title) for a, b in pairs if _covers(a, b) and not (_inside(a, b) or _inside(b, a))
    ] == []


def _crosses(start: tuple[int, int], end: tuple[int, int], box: Box) -> bool:
    left, right = sorted((start[0], end[0]))
    top, bottom = sorted((start[1], end[1]))
    return left < box.x + box.width and right > box.x and top < box.y + box.height and bottom > box.y


@pytest.mark.parametrize("arrow", architecture.ARROWS, ids=lambda arrow: f"{arrow.points[0]}")
def test_an_arrow_crosses_no_box(arrow: Arrow) -> None:
    """It touches boxes where it begins and ends, and goes around all others."""
    legs = zip(arrow.points[:-1], arrow.points[1:], strict=True)
    assert [box.title for start, end in legs for box in architecture.BOXES if _crosses(start, end, box)] == []


@pytest.mark.parametrize("page", ["docs/deploy.md"])
def test_it_is_shown(page: str) -> None:
    """With words for those who do not see it."""
    assert "](architecture.png)" in (REPOSITORY / page).read_text(encoding="utf-8")
