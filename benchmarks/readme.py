"""Writes the figures into ``README.md``, between two marks: the sections measured anew, others stay."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.figures import Report

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- figures: begin (written by --markdown) -->", "<!-- figures: end -->"


def record(machine: Mapping[str, str], command: str, reports: Sequence[Report], order: Iterable[str]) -> None:
    """Replace the sections of ``reports`` in the README; ``order`` names all there may be."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    figures, _, after = rest.partition(END)
    held = sections(figures) | {report.name: section(machine, command, report) for report in reports}
    text = "\n".join(held[name] for name in order if name in held)
    README.write_text(f"{before}{BEGIN}\n\n{text}{END}{after}", encoding="utf-8")


def section(machine: Mapping[str, str], command: str, report: Report) -> str:
    """A report as Markdown, with the command and the machine it was measured by."""
    described = "; ".join(f"{name}: {value}" for name, value in machine.items())
    return f"{report.as_markdown()}\nWritten by `{command}`. {described}.\n"


def sections(figures: str) -> dict[str, str]:
    """The sections that stand in the README, by the names of their benchmarks."""
    found = re.split(r"^### (\S+)$", figures, flags=re.MULTILINE)[1:]
    pairs = zip(found[::2], found[1::2], strict=True)
    return {name: f"### {name}\n\n{body.strip()}\n" for name, body in pairs}
