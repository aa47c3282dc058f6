"""What commands print: data on stdout (JSON, tables or one line), talk on stderr."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from smas.errors import SmasError
    from smas.progress import Progress

MAX_FAULTS_SHOWN = 20


@dataclass(slots=True)
class Output:
    """How this run of the command prints."""

    as_json: bool = False
    quiet: bool = False

    @property
    def colour(self) -> bool:
        """Colours only on a terminal, and never with ``NO_COLOR`` (no-color.org)."""
        return sys.stderr.isatty() and not os.environ.get("NO_COLOR")

    def data(self, text: str) -> None:
        """A line of the result."""
        click.echo(text)

    def json(self, value: Any) -> None:
        """The whole result as one JSON document."""
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))

    def say(self, text: str) -> None:
        """A line of talk."""
        if not self.quiet:
            click.echo(text, err=True)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns, left-aligned, two spaces apart; no headings where there is nothing."""
        lines = [[printable(cell) for cell in row] for row in rows]
        if not lines:
            return
        every = [list(headings), *lines]
        widths = [max(len(line[column]) for line in every) for column in range(len(headings))]
        for number, line in enumerate(every):
            text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            if number == 0:
                text = click.style(text, bold=True) if sys.stdout.isatty() and self.colour else text
            click.echo(text)

    def pairs(self, values: Mapping[str, str]) -> None:
        """Names and values, aligned."""
        width = max(map(len, values))
        for name, value in values.items():
            click.echo(f"{name.ljust(width)}  {printable(value)}".rstrip())

    def progress(self) -> Progress:
        """A bar on a terminal, lines elsewhere, nothing with ``--quiet``."""
        if self.quiet:
            from smas.progress import Silent  # noqa: PLC0415

            return Silent()
        if sys.stderr.isatty():
            from smas.progress_bar import Bar  # noqa: PLC0415 - rich takes a while to import

            return Bar(sys.stderr, colour=self.colour)
        from smas.cli.plain_progress import PlainLines  # noqa: PLC0415

        return PlainLines(sys.stderr)

    def error(self, error: SmasError) -> None:
        """What happened, what to do next, and the request id; with ``--json`` one JSON line."""
        if self.as_json:
            click.echo(json.dumps({"error": error_as_json(error)}, ensure_ascii=False), err=True)
            return
        prefix = click.style("smas:", fg="red", bold=True) if self.colour else "smas:"
        click.echo(f"{prefix} {printable(error.detail)}", err=True)
        for fault in error.errors[:MAX_FAULTS_SHOWN] if len(error.errors) > 1 else ():
            click.echo(f"  - {printable(fault.location)}: {printable(fault.message)}", err=True)
        if len(error.errors) > MAX_FAULTS_SHOWN:
            click.echo(f"  - and {len(error.errors) - MAX_FAULTS_SHOWN} more", err=True)
        if error.hint:
            click.echo(f"  next: {error.hint}", err=True)
        if error.request_id:
            click.echo(f"  request id: {error.request_id}", err=True)


def error_as_json(error: SmasError) -> dict[str, Any]:
    """An error's stable shape."""
    return {
        "kind": type(error).__name__,
        "exit_code": error.exit_code,
        "code": error.code,
        "detail": error.detail,
        "next": error.hint or None,
        "request_id": error.request_id,
        "errors": [{"location": fault.location, "message": fault.message} for fault in error.errors],
    }


def printable(text: str) -> str:
    """Text from elsewhere without what would steer a terminal."""
    return "".join(
        c if unicodedata.category(c) not in {"Cc", "Cs", "Cf"} else c.encode("unicode_escape").decode()
        for c in text
    )
