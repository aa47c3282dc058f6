"""Tables of Markdown, and the places in a page where a computed one stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_CENT, _WHOLE = 0.01, 100


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, a line a row."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *rows)]
    return "\n".join(lines)


def dollars(value: float) -> str:
    """An amount of money, to the cent, whole dollars from a hundred on."""
    if value == 0:
        return "0"
    if value < _CENT:
        return "< 0.01"
    return f"{value:,.2f}" if round(value, 2) < _WHOLE else f"{value:,.0f}"


def amount(value: float) -> str:
    """A number as one reads it: whole where it is large."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")  # noqa: PLR2004 - two digits


def filled(page: str, texts: Mapping[str, str]) -> str:
    """The page with each text between its marks, `<!-- NAME: begin … -->` and `<!-- NAME: end -->`.

    Raises:
        ValueError: a mark is missing, or is there twice.
    """
    for name, text in texts.items():
        between = re.compile(rf"(<!-- {name}: begin[^>]*-->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        places = list(between.finditer(page))
        if len(places) != 1:
            message = f"no place, or more than one, for {name}"
            raise ValueError(message)
        (place,) = places
        page = f"{page[: place.start()]}{place[1]}\n{text}\n\n{place[2]}{page[place.end() :]}"
    return page
