"""What a benchmark found, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEADINGS = ("figure", "median", "lowest", "highest", "target")
_LARGE, _SMALL = 100, 10


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured once in each run; ``target`` is the most its median should be."""

    name: str
    unit: str
    runs: tuple[float, ...]
    target: float | None = None

    @property
    def missed(self) -> bool:
        """Whether the median is above the target."""
        return self.target is not None and median(self.runs) > self.target

    def cells(self) -> tuple[str, ...]:
        """The row of a table."""
        target = "" if self.target is None else f"≤ {self.target:g} {self.unit}: {self._verdict}"
        return (self.name, *(self._written(pick(self.runs)) for pick in (median, min, max)), target)

    @property
    def _verdict(self) -> str:
        return "missed" if self.missed else "met"

    def _written(self, value: float) -> str:
        digits = 0 if abs(value) >= _LARGE else 1 if abs(value) >= _SMALL else 2
        return f"{value:,.{digits}f} {self.unit}"


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one benchmark."""

    name: str
    title: str
    figures: tuple[Figure, ...]

    def as_text(self) -> str:
        """A table for a terminal, numbers under each other."""
        rows = [_HEADINGS, *(figure.cells() for figure in self.figures)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
        lines = [f"{self.name}: {self.title}"]
        for name, *numbers, target in rows:
            aligned = "  ".join(
                number.rjust(width) for number, width in zip(numbers, widths[1:-1], strict=True)
            )
            lines.append(f"  {name.ljust(widths[0])}  {aligned}  {target}".rstrip())
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """The same as a Markdown section."""
        rows = [_HEADINGS, ("---", "--:", "--:", "--:", "---"), *(figure.cells() for figure in self.figures)]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return f"### {self.name}\n\n{self.title}\n\n{table}\n"


def percentile(values: Iterable[float], percent: int) -> float:
    """The value that ``percent`` of all ``values`` do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def columns(runs: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    """From what each run measured, in a fixed order, the runs of each measure."""
    return [tuple(column) for column in zip(*runs, strict=True)]
