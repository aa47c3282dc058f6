"""`smas audit events` at work: pages in, rows out, and how far it is on stderr."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from smas.audit import require_readable
from smas.cli.audit_follow import Follower
from smas.cli.audit_formats import Csv, JsonLines, Row
from smas.cli.audit_table import Table
from smas.cli.audit_words import changes_nothing, is_by_the_way
from smas.cli.output import printable
from smas.cli.status import Status
from smas.errors import Unavailable
from smas.progress import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from smas.audit import EventQuery
    from smas.audit_results import AuditEvent
    from smas.cli.audit_formats import Format
    from smas.cli.context import Run
    from smas.store import Store

_LARGEST_PAGE: Final = 1000
_POLL_SECONDS: Final = 5.0
_UNREACHABLE_SECONDS: Final = 30.0
_INTERRUPTED: Final = 128 + signal.SIGINT


class Listing:
    """The events that ``query`` asks for, and of them only what ``kind`` and ``people`` leave.

    ``kind`` is reads, writes, or None for both; ``people`` leaves out what nobody asked for.
    """

    def __init__(
        self,
        run: Run,
        store: Store,
        query: EventQuery,
        kind: str | None,
        *,
        people: bool = False,
        as_csv: bool,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._run = run
        self._store = store
        self._query = query
        self._kind = kind
        self._people = people
        self._as_csv = as_csv
        self._pause = pause
        self._unreadable: dict[str, None] = {}

    def print(self, limit: int | None) -> None:
        """The newest ``limit`` (None: all), newest first.

        Raises ``Corrupt`` at the end if log files are gone or damaged, so that events are missing.
        """
        status = Status(None if self._run.output.quiet else sys.stderr)
        output, shown, pages, older = self._format(more_to_come=limit is None), 0, 0, False
        # One more than is shown tells whether there are more.
        size = _LARGEST_PAGE if limit is None or self._kind or self._people else min(limit + 1, _LARGEST_PAGE)
        status.tell("asking for events")
        try:
            for found, more in self._pages(self._query, size):
                rows = found if limit is None else found[: limit - shown]
                _write(output.add(rows), status)
                shown, pages = shown + len(rows), pages + 1
                older = len(found) > len(rows) or (more and shown == limit)
                if older:
                    break
                if more:
                    status.tell(_so_far(shown, pages, found))
        finally:
            status.clear()
        if older:
            self._run.output.say(f"the newest {shown:,}: --limit or --all shows older ones too")
        elif not shown:
            self._run.output.say(f"nothing {self._range()}: --since looks further back")
        require_readable(self._unreadable)

    def follow(self, count: int) -> None:
        """The newest ``count``, then whatever comes, oldest first, until Ctrl-C (exit code 130)."""
        status = Status(sys.stderr if sys.stderr.isatty() and not self._run.output.quiet else None)
        follower = Follower(self._rows, self._query.since, lambda: datetime.now(UTC))
        output = self._format(more_to_come=True)
        try:
            status.tell("asking for events")
            found = follower.latest(count)
            _write(output.add(found), status)
            if not sys.stderr.isatty():
                self._run.output.say("waiting for newer events")
            warned = 0
            while True:
                if len(self._unreadable) > warned:
                    warned = len(self._unreadable)
                    status.clear()
                    self._run.output.say(
                        f"{counted(warned, 'log file')} can't be read: `smas audit integrity` says why"
                    )
                status.tell(f"waiting for newer events since {_now()}; Ctrl-C ends")
                self._pause(_POLL_SECONDS)
                try:
                    found = follower.newer()
                except Unavailable as error:
                    status.clear()
                    self._run.output.say(f"{printable(error.detail)}: trying again")
                    self._pause(_UNREACHABLE_SECONDS)
                    continue
                _write(output.add(found), status)
        except KeyboardInterrupt as interrupt:
            status.clear()
            # The way out of it, and nothing that another run would continue. SIGTERM is told as everywhere.
            if type(interrupt) is KeyboardInterrupt:
                raise click.exceptions.Exit(_INTERRUPTED) from interrupt
            raise

    def _rows(self, since: str | None) -> Iterator[Row]:
        for rows, _ in self._pages(replace(self._query, since=since), _LARGEST_PAGE):
            yield from rows

    def _pages(self, query: EventQuery, size: int) -> Iterator[tuple[list[Row], bool]]:
        """The wanted rows of each page, and whether there may be older ones."""
        for page in self._store.audit_pages(query, size):
            rows = [Row(event, document) for event, document in zip(page.items, page.documents, strict=True)]
            rows = [row for row in rows if self._wanted(row.event)]
            self._unreadable |= dict.fromkeys(page.unreadable_files)
            yield rows, page.more

    def _wanted(self, event: AuditEvent) -> bool:
        if self._people and is_by_the_way(event):
            return False
        return self._kind is None or changes_nothing(event.action) == (self._kind == "reads")

    def _format(self, *, more_to_come: bool) -> Format:
        terminal = sys.stdout.isatty()
        if self._run.output.as_json:
            return JsonLines(escaped=terminal)
        if self._as_csv:
            return Csv(on_terminal=terminal)
        return Table(
            shutil.get_terminal_size().columns if terminal else None,
            with_model=self._query.model is None,
            colour=terminal and not os.environ.get("NO_COLOR"),
            more_to_come=more_to_come,
        )

    def _range(self) -> str:
        if self._query.since is None:
            return (
                f"in the 24 hours before {self._query.until}" if self._query.until else "in the last 24 hours"
            )
        return f"since {self._query.since}" + (
            f" and before {self._query.until}" if self._query.until else ""
        )


def _so_far(shown: int, pages: int, found: list[Row]) -> str:
    told = f"{counted(shown, 'event')} so far, {counted(pages, 'page')} read"
    return f"{told}, back to {found[-1].event.time}" if found else told


def _write(text: str, status: Status) -> None:
    if text:
        status.clear()
        click.echo(text, nl=False)


def _now() -> str:
    return f"{datetime.now(UTC):%H:%M:%SZ}"
