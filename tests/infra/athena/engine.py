"""Runs Athena's SQL in DuckDB: the shipped text, translated by sqlglot.

All is left to sqlglot's translation from its dialect `athena` to `duckdb` but for what it does not know:
three functions of Trino differ from DuckDB's of the same name, and are replaced by the macros below; a
replacement names groups as `$1`, in DuckDB with a backslash; the length of a binary and the normal form NFC
have functions of other names.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import duckdb
import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.infra.athena.templates import Query

# https://trino.io/docs/current/functions/json.html#json_extract_scalar: NULL for what is no scalar and for
# what is no JSON, where DuckDB gives JSON text or fails.
# https://trino.io/docs/current/functions/regexp.html#regexp_extract: NULL without a match, DuckDB gives ''.
# https://trino.io/docs/current/functions/url.html#url_decode is Java's URLDecoder: "+" is a space, and a "%"
# that begins no escape an error. DuckDB lets both stand, but fails at what is not UTF-8.
_MACROS: Final = (
    """CREATE MACRO trino_json_extract_scalar(document, path) AS CASE
         WHEN NOT json_valid(document) THEN NULL
         WHEN json_type(document, path) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL
         ELSE json_extract_string(document, path) END""",
    """CREATE MACRO trino_regexp_extract(text, expression, part) AS CASE
         WHEN regexp_matches(text, expression) THEN regexp_extract(text, expression, part) END""",
    """CREATE MACRO trino_url_decode(value) AS CASE
         WHEN regexp_matches(value, '\\A(?:[^%]|%[0-9A-Fa-f]{2})*\\z')
         THEN url_decode(replace(value, '+', ' ')) ELSE url_decode('%ff' || value) END""",
)


def parsed(text: str) -> exp.Expr:
    """One statement of Athena. Raises ``sqlglot.ParseError``, also for syntax it would only pass on."""
    statement = sqlglot.parse_one(text, read="athena")
    assert not isinstance(statement, exp.Command), f"not understood: {text[:60]}"
    return statement


@cache
def translated(text: str) -> str:
    """One statement of Athena as DuckDB has it."""
    statement = parsed(text)
    for node in reversed(list(statement.walk())):  # what lies inside first
        if (meant := _as_trino_means_it(node)) is not node:
            node.replace(meant)
    return statement.sql("duckdb")


def _as_trino_means_it(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.JSONExtractScalar():
            path = sqlglot.parse_one(node.expression.sql("duckdb"), read="duckdb")
            return exp.func("trino_json_extract_scalar", node.this, path)
        case exp.RegexpExtract():
            part = node.args.get("group") or exp.Literal.number(0)
            return exp.func("trino_regexp_extract", node.this, node.expression, part)
        case exp.RegexpReplace(args={"replacement": exp.Literal() as by}):
            by.replace(exp.Literal.string(re.sub(r"\$(\d)", r"\\\1", by.name)))
        case exp.Anonymous() if node.name.lower() == "url_decode":
            return exp.func("trino_url_decode", *node.expressions)
        case exp.Length(this=exp.Encode() as encoded):
            return exp.func("octet_length", encoded)
        case exp.Normalize():
            return exp.func("nfc_normalize", node.this)
    return node


class Engine:
    """A database in memory that takes statements of Athena."""

    def __init__(self, database: str) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"CREATE SCHEMA {database}")
        for macro in _MACROS:
            self._connection.execute(macro)

    def close(self) -> None:
        """Give back its memory."""
        self._connection.close()

    def load(self, table: str, columns: dict[str, str], lines: Path) -> None:
        """A table from a file with a JSON object on each line; ``columns`` are DuckDB's types by name."""
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
        self._connection.execute(
            f"CREATE TABLE {table} AS SELECT * FROM read_json(?, format = 'newline_delimited',"  # noqa: S608
            f" maximum_object_size = 16777216, columns = {{{types}}})",
            [str(lines)],
        )

    def make(self, statement: str) -> None:
        """Carry out a statement without an answer: a view."""
        self._connection.execute(translated(statement))

    def ask(self, question: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a SELECT, in order, by column name."""
        answer = self._connection.execute(translated(question), list(parameters))
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def run(self, query: Query, **parameters: object) -> list[dict[str, Any]]:
        """A named query with its parameters by name."""
        return self.ask(query.text, query.values(**parameters))


def columns_of(rows: Iterable[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of every row."""
    return [tuple(row[name] for name in names) for row in rows]
