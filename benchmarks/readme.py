"""Writes the figures into ``README.md``, between two marks, so that the words around them stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.figures import Report

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- figures: begin (written by --markdown) -->", "<!-- figures: end -->"


def record(machine: Mapping[str, str], command: str, reports: Sequence[Report]) -> None:
    """Replace the figures in the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{section(machine, command, reports)}{END}{after}", encoding="utf-8")


def section(machine: Mapping[str, str], command: str, reports: Sequence[Report]) -> str:
    """Machine, command and all tables as Markdown."""
    described = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    return "\n".join(
        [described, f"\nWritten by `{command}`.\n", *(report.as_markdown() for report in reports)]
    )
