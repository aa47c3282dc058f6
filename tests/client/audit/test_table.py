"""The table: everything is in it, and it fits its terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas.audit_results import AuditEvent
from smas.cli.audit_formats import Row
from smas.cli.audit_table import Table

from tests.client.audit.store import event, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence


def rows(*documents: dict[str, Any]) -> list[Row]:
    """The events as the command has them."""
    return [Row(msgspec.convert(document, AuditEvent), document) for document in documents]


def table(width: int | None, *, with_model: bool = True, colour: bool = False, more: bool = False) -> Table:
    """A table."""
    return Table(width, with_model=with_model, colour=colour, more_to_come=more)


def lines(found: Sequence[Row], width: int | None, **options: bool) -> list[str]:
    """What it prints of them."""
    return table(width, **options).add(found).splitlines()


A_DAY = rows(
    event(3),
    refusal(2),
    event(1, actor="approver-fraud", role="approver", outcome="denied", error_code="AccessDenied"),
    event(0, action="s3:PutObject"),
)


def test_a_pipe_gets_one_line_an_event() -> None:
    """However wide: for grep, sort and cut; columns two spaces apart."""
    found = lines([*A_DAY, *rows(event(9, path="a/" * 120 + "b"))], None)
    assert found[0].split() == ["TIME", "WHO", "ROLE", "WHAT", "MODEL", "OUTCOME"]
    assert len(found) == 6
    assert [column.strip() for column in found[2].split("  ") if column.strip()] == [
        "2026-11-24T00:00:02Z",
        "ds-nlp",
        "data-scientist",
        "tried to fetch files of version 3 (not_found)",
        "fraud/credit-risk",
        "denied: store",
    ]
    assert "a/" * 120 + "b of version 3" in found[5]


def test_a_wide_terminal_has_a_column_for_the_model() -> None:
    """Unless only one model was asked for."""
    assert "MODEL" in lines(A_DAY, 140)[0]
    assert "MODEL" not in lines(A_DAY, 140, with_model=False)[0]
    assert len(lines(A_DAY, 140)) == 5


def test_an_ordinary_terminal_has_the_model_in_the_sentence() -> None:
    """At 100 columns: a heading, and sentences that go on below."""
    assert (
        "\n".join(lines(A_DAY[:2], 100))
        == """\
TIME                  WHO       ROLE            WHAT                                   OUTCOME
2026-11-24T00:00:03Z  ds-fraud  data-scientist  downloaded model.joblib of             success
                                                fraud/credit-risk@3
2026-11-24T00:00:02Z  ds-nlp    data-scientist  tried to fetch files of                denied: store
                                                fraud/credit-risk@3 (not_found)"""
    )


def test_a_narrow_terminal_gets_two_lines_an_event() -> None:
    """At 80 columns: when, how it ended and who, then what."""
    assert lines(A_DAY[:2], 80) == [
        "2026-11-24T00:00:03Z  success        ds-fraud (data-scientist)",
        "  downloaded model.joblib of fraud/credit-risk@3",
        "2026-11-24T00:00:02Z  denied: store  ds-nlp (data-scientist)",
        "  tried to fetch files of fraud/credit-risk@3 (not_found)",
    ]


def test_headings_are_printed_once_and_columns_stay() -> None:
    """Page after page, as the first rows decided."""
    printed = table(None, more=True)
    first, empty, second = printed.add(A_DAY[:1]), printed.add([]), printed.add(A_DAY[1:])
    assert empty == ""
    assert first.splitlines()[0].startswith("TIME")
    assert "TIME" not in second
    starts = {line.index("data-scientist") for line in (first + second).splitlines()[1:3]}
    assert len(starts) == 1


def test_refusals_stand_out_in_colour_and_in_words() -> None:
    """Colours say nothing that the text does not."""
    coloured = table(140, colour=True).add(rows(*(row.document for row in A_DAY), event(outcome="error")))
    assert click.unstyle(coloured) == table(140).add(
        rows(*(r.document for r in A_DAY), event(outcome="error"))
    )
    red = [line for line in coloured.splitlines() if line.startswith("\x1b[31m")]
    yellow = [line for line in coloured.splitlines() if line.startswith("\x1b[33m")]
    assert (len(red), len(yellow)) == (2, 1)
    assert all("denied" in line for line in red)


@pytest.mark.parametrize("width", [None, 60, 100, 140])
def test_no_text_of_others_steers_the_terminal(width: int | None) -> None:
    """Whatever a client called itself, or a file."""
    hostile = event(
        actor="a\x1b[31m", role="r\x07", path="p\u202e\x9b", model="m\x1b]0;t\x07", error_code="\x1b"
    )
    no_file = {"path": None, "sha256": None, "version": None}
    keys = [f"{kind}/{hostile['model']}/\x1b\x07.json" for kind in ("aliases", "moves", "findings")]
    of_keys = [{**hostile, **no_file, "key": key, "action": "s3:PutObject"} for key in keys]
    of_keys.append({**hostile, **no_file, "key": f"cards/{hostile['model']}.json"})
    printed = table(width).add(rows(hostile, {**hostile, "outcome": "error"}, *of_keys))
    assert not set(printed) & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert "\\x1b[31m" in printed


names = st.none() | st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=60)
documents = st.builds(
    event,
    st.integers(0, 80_000),
    actor=names,
    role=names,
    path=names,
    model=names,
    outcome=st.sampled_from(["success", "denied", "error"]),
)


@given(found=st.lists(documents, min_size=1, max_size=5), width=st.integers(45, 200), options=st.booleans())
def test_it_fits_and_nothing_is_cut_off(found: list[dict[str, Any]], width: int, *, options: bool) -> None:
    """No line is wider than its terminal, and all that a pipe gets is there but for spaces."""
    printed = lines(rows(*found), width, more=options)
    assert max(map(len, printed)) <= width
    for document in found:
        alone = "".join(lines(rows(document), width, more=options)).replace(" ", "")
        for part in (document["actor"], document["role"], document["path"], document["model"]):
            # Cells stand side by side, so only their characters can be looked for.
            assert not part or not set(part.replace(" ", "")) - set(alone)
