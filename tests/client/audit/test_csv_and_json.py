"""Events for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smas.cli.audit_formats import FIELDS, Csv, JsonLines, cells, harmless, restored

from tests.client.audit.store import event, refusal
from tests.client.audit.test_table import rows

if TYPE_CHECKING:
    from collections.abc import Sequence


def read(text: str) -> list[list[str]]:
    """The records of a CSV file."""
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_header_names_the_fields_of_the_contract_in_order() -> None:
    """Once, whatever comes in how many pages; nothing else has a column."""
    written = Csv(on_terminal=False)
    first, second = written.add(rows(event(1))), written.add(rows(refusal(0)))
    header, one, two = read(first + second)
    assert tuple(header) == FIELDS == tuple(event())
    assert len(one) == len(two) == len(FIELDS)
    assert Csv(on_terminal=False).add([]) == ",".join(FIELDS) + "\r\n"


def test_records_are_those_of_rfc_4180() -> None:
    """CRLF, quotes where they must be and doubled, null an empty cell, numbers as they are."""
    text = Csv(on_terminal=False).add(rows(event(path='a,b "c"\nd', subject=None)))
    assert text.count("\r\n") == 2
    assert '"a,b ""c""\nd"' in text
    _, record = read(text)
    found = dict(zip(FIELDS, record, strict=True))
    assert found["path"] == 'a,b "c"\nd'
    assert (found["subject"], found["bytes"], found["version"]) == ("", "769973", "3")


def test_places_are_one_cell() -> None:
    """Version and path of each, percent-encoded, with spaces between."""
    places = [{"version": 1, "path": "a b/größe=1.bin"}, {"version": 12, "path": "c"}]
    (row,) = rows(event(published_as=places))
    assert cells(row.event)[FIELDS.index("published_as")] == "1/a%20b/gr%C3%B6%C3%9Fe%3D1.bin 12/c"


HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "a;=1",
    'a";=1',
    "a\t@b",
    "＝1",
    "'=1",
    "a|-1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_formulas_are_made_harmless(text: str) -> None:
    """Wherever a spreadsheet might take a cell to begin; the original can be had again."""
    assert harmless(text) != text
    assert restored(harmless(text)) == text


@pytest.mark.parametrize("text", ["", "a=1", "smas/0.1.0 python/3.11", "x-y", "m/E,c,a,N", "O'Neil", "7-2"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    """Equals signs and dashes inside words too."""
    assert harmless(text) == text


def begins_formula(line: str) -> bool:
    """Whether any way to part a line into cells makes one that begins like a formula."""
    return any(part[:1] in set("=+-@＝＋－＠") for part in re.split(r'[,;\t\r\n|" ]', line) if part)


texts = st.text(max_size=12) | st.text(st.sampled_from("=+-@'＝ ;,\t\n\"|a"), max_size=12)


@given(found=st.lists(texts, min_size=1, max_size=4))
@example(["''=", "'", "=", "a;'=b"])
def test_no_cell_of_any_dialect_is_a_formula(found: Sequence[str]) -> None:
    """Parted by commas, semicolons, tabs or spaces, quoted or not; and nothing is lost."""
    events = rows(*(event(user_agent=text, path=text, actor=text, key=text) for text in found))
    written = Csv(on_terminal=False).add(events)
    assert not begins_formula(written)
    _, *records = read(written)
    restored_cells = [restored(record[FIELDS.index("user_agent")]) for record in records]
    assert restored_cells == list(found)


def test_csv_steers_no_terminal() -> None:
    """Shown instead of sent: escapes; in a file the bytes are what they are."""
    hostile = rows(event(user_agent="a\x1b[31m\u202e", key="k\x1b[32m"))
    assert "\x1b" not in Csv(on_terminal=True).add(hostile)
    assert "k\\x1b[32m" in Csv(on_terminal=True).add(hostile)
    for sent in ("a\x1b[31m\u202e", "k\x1b[32m"):
        assert sent in Csv(on_terminal=False).add(hostile)


documents = st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=8), max_size=4)


@given(more=documents, escaped=st.booleans())
def test_json_lines_are_the_store_s_own(more: dict[str, Any], *, escaped: bool) -> None:
    """One object a line, with every field as it came, also those this client does not know."""
    found = [row._replace(document={**more, **row.document}) for row in rows(event(1), refusal(0))]
    lines = JsonLines(escaped=escaped).add(found).split("\n")[:-1]
    assert [json.loads(line) for line in lines] == [row.document for row in found]
    assert [list(json.loads(line)) for line in lines] == [list(row.document) for row in found]
    assert not escaped or all(line.isascii() for line in lines)
