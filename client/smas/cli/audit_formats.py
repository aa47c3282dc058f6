"""Events of the audit as CSV and as JSON lines: for spreadsheets and scripts, a page at a time."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import quote

from smas.cli.output import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smas.audit_results import AuditEvent

# The API's fields, in its order.
FIELDS: Final = (
    "event_id",
    "time",
    "actor",
    "subject",
    "role",
    "action",
    "key",
    "model",
    "version",
    "path",
    "published_as",
    "sha256",
    "bytes",
    "outcome",
    "error_code",
    "source_ip",
    "user_agent",
    "auth_method",
    "request_id",
    "source",
)
# Where a spreadsheet may take a cell to begin, and what it then takes for a formula (in full width too, as
# Excel does); and the mark itself, so that taking one away brings back what was written.
_FORMULA: Final = re.compile(r"""(^|[\s,;|"])(?=[=+\-@'＝＋－＠])""")


class Row(NamedTuple):
    """An event, and the document it was read from."""

    event: AuditEvent
    document: dict[str, Any]


class Format(Protocol):
    """How events are written; holds none of them."""

    def add(self, rows: Sequence[Row]) -> str:
        """The text of some more events, with headings before the first ones."""


class JsonLines:
    """An object a line (https://jsonlines.org), with the store's own fields and values.

    On a terminal (``escaped``) all but ASCII is written as escapes: the same values, steering nothing.
    """

    def __init__(self, *, escaped: bool) -> None:
        self._escaped = escaped

    def add(self, rows: Sequence[Row]) -> str:
        """See ``Format.add``."""
        return "".join(
            json.dumps(row.document, ensure_ascii=self._escaped, separators=(",", ":")) + "\n" for row in rows
        )


class Csv:
    """RFC 4180 with a header, safe to open in a spreadsheet.

    User agents, paths and names are whatever somebody sent. What a spreadsheet would take for a formula gets
    an apostrophe before it (https://owasp.org/www-community/attacks/CSV_Injection): at the beginning of a
    cell, and after whatever might begin one where cells are parted by semicolons, tabs or spaces. A cell's
    own apostrophes at such places are doubled, so that ``restored`` finds what was written.
    """

    def __init__(self, *, on_terminal: bool) -> None:
        self._on_terminal = on_terminal
        self._begun = False

    def add(self, rows: Sequence[Row]) -> str:
        """See ``Format.add``."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if not self._begun:
            writer.writerow(FIELDS)
            self._begun = True
        writer.writerows([self._cell(cell) for cell in cells(row.event)] for row in rows)
        return text.getvalue()

    def _cell(self, text: str) -> str:
        return harmless(printable(text) if self._on_terminal else text)


def cells(event: AuditEvent) -> list[str]:
    """Every field as text, null as an empty cell, in the order of ``FIELDS``.

    ``published_as`` is ``version/path`` of each place, percent-encoded, with spaces between.
    """
    places = " ".join(f"{place.version}/{quote(place.path)}" for place in event.published_as)
    return [places if name == "published_as" else _text(getattr(event, name)) for name in FIELDS]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'", text)


def restored(cell: str) -> str:
    """What was written into a harmless cell."""
    return re.sub(r"""(^|[\s,;|"])'(?=[=+\-@'＝＋－＠])""", r"\1", cell)
