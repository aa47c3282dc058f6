"""Events of the audit as a table that fits its terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import click

from smas.cli import audit_words
from smas.cli.output import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smas.audit_results import AuditEvent
    from smas.cli.audit_formats import Row

_GAP: Final = "  "
# What usual names need, where the rows to come are not known yet.
_USUAL: Final = {"WHO": 14, "ROLE": 14, "OUTCOME": 13}
_WIDEST: Final = {"WHO": 24, "ROLE": 24, "MODEL": 36}
# Narrower, and sentences fall apart.
_NARROWEST_SENTENCE: Final = 26
_COLOURS: Final = {"denied": "red", "error": "yellow"}


class Table:
    """An event a line, in columns that fit ``width`` (None: as wide as it takes, for pipes).

    What is longer than its column goes on below it; nothing is cut off. Where sentences would get too narrow
    the model is named in them instead of in a column; where that is not enough, an event takes two lines of
    its own. The first rows decide; ``more_to_come`` keeps room for names of usual length.
    """

    def __init__(self, width: int | None, *, with_model: bool, colour: bool, more_to_come: bool) -> None:
        self._width = width
        self._with_model = with_model
        self._colour = colour
        self._least = _USUAL if more_to_come else {}
        self._columns: Mapping[str, int] | None = None

    def add(self, rows: Sequence[Row]) -> str:
        """See ``Format.add``."""
        if not rows:
            return ""
        lines: list[str] = []
        if self._columns is None:
            self._columns = self._fitting([row.event for row in rows])
            if self._columns:
                heading = _aligned([list(self._columns)], self._columns)
                lines += [click.style(line, bold=True) if self._colour else line for line in heading]
        for row in rows:
            lines += self._lines(row.event, self._columns)
        return "".join(f"{line}\n" for line in lines)

    def _fitting(self, events: Sequence[AuditEvent]) -> Mapping[str, int]:
        """The columns and how wide each is, in order; none at all where no table fits."""
        for in_sentence in (False, True) if self._with_model else (False,):
            cells = [self._cells(event, in_sentence=in_sentence) for event in events]
            widths = {
                name: max(len(name), self._least.get(name, 0), *(len(one[name]) for one in cells))
                for name in cells[0]
            }
            if self._width is None or _whole(widths) <= self._width:
                return widths
            widths |= {name: min(widths[name], most) for name, most in _WIDEST.items() if name in widths}
            left = self._width - (_whole(widths) - widths["WHAT"])
            if left >= min(_NARROWEST_SENTENCE, widths["WHAT"]):
                return widths | {"WHAT": min(left, widths["WHAT"])}
        return {}

    def _cells(self, event: AuditEvent, *, in_sentence: bool) -> dict[str, str]:
        model = {} if in_sentence or not self._with_model else {"MODEL": event.model or "-"}
        cells = {
            "TIME": event.time,
            "WHO": audit_words.who(event),
            "ROLE": event.role or "-",
            "WHAT": audit_words.what(event, with_model=in_sentence),
            **model,
            "OUTCOME": audit_words.outcome(event),
        }
        return {name: printable(text) for name, text in cells.items()}

    def _lines(self, event: AuditEvent, columns: Mapping[str, int]) -> list[str]:
        cells = self._cells(event, in_sentence="MODEL" not in columns and self._with_model)
        if columns and self._width is None:
            lines = _aligned([list(cells.values())], columns)
        elif columns:
            lines = _row([_wrapped(text, columns[name]) for name, text in cells.items()], columns)
        else:
            lines = self._stacked(cells)
        colour = _COLOURS.get(event.outcome) if self._colour else None
        return [click.style(line, fg=colour) if colour else line for line in lines]

    def _stacked(self, cells: Mapping[str, str]) -> list[str]:
        """When, how it ended and who; below it, what."""
        width = self._width or 0
        columns = {"TIME": len(cells["TIME"]), "OUTCOME": _USUAL["OUTCOME"]}
        columns["WHO"] = width - _whole(columns) - len(_GAP)
        who = f"{cells['WHO']} ({cells['ROLE']})"
        first = [[cells["TIME"]], [cells["OUTCOME"]], _wrapped(who, columns["WHO"])]
        below = _wrapped(cells["WHAT"], width - len(_GAP))
        return _row(first, columns) + [f"{_GAP}{line}" for line in below]


def _whole(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _wrapped(text: str, width: int) -> list[str]:
    """At words where possible: paths and names are broken only if they are longer than a line."""
    return textwrap.wrap(text, max(width, 1), break_on_hyphens=False) or [""]


def _row(cells: Sequence[Sequence[str]], columns: Mapping[str, int]) -> list[str]:
    """A row whose cells have several lines each."""
    height = max(map(len, cells))
    lines = [[cell[line] if line < len(cell) else "" for cell in cells] for line in range(height)]
    return _aligned(lines, columns)


def _aligned(lines: Sequence[Sequence[str]], columns: Mapping[str, int]) -> list[str]:
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(line, columns.values(), strict=True)).rstrip()
        for line in lines
    ]
