"""Reads a named query: the comment it begins with, and the names of its parameters.

-- name: Who touched a model
-- description: What it answers,
--   on as many lines as it takes.
-- parameters:
--   model: a model's full name, 'team/model'
SELECT ... WHERE model = ? /* model */
"""

from __future__ import annotations

import re
from typing import Final

from tests.infra.athena.templates import Query, rendered

_FIELD: Final = re.compile(r"-- (name|description|parameters):(?: (.+))?")
_PARAMETER: Final = re.compile(r"--   ([a-z_]+): (.+)")
_MORE: Final = re.compile(r"--     ?(\S.*)|--   (\S.*)")
_NAMED_PLACE: Final = re.compile(r"\? /\* ([a-z_]+) \*/")


def read_query(file: str) -> Query:
    """The named query in `queries/<file>.sql`. Raises ``ValueError`` naming the line it cannot read."""
    return header_of(file, rendered(f"queries/{file}"))


def header_of(file: str, text: str) -> Query:
    """A query's text with what its header says. Raises ``ValueError`` naming the line it cannot read."""
    fields: dict[str, str] = {}
    described: dict[str, str] = {}
    current = ""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.startswith("--"):
            break
        if field := _FIELD.fullmatch(line):
            current = field[1]
            fields[current] = field[2] or ""
        elif current == "parameters" and (parameter := _PARAMETER.fullmatch(line)):
            described[parameter[1]] = parameter[2]
        elif more := _MORE.fullmatch(line):
            said = more[1] or more[2]
            if current == "parameters":
                described[list(described)[-1]] += f" {said}"
            else:
                fields[current] = f"{fields[current]} {said}"
        else:
            message = f"{file}.sql, line {number}: {line!r} is no line of a header"
            raise ValueError(message)
    return Query(
        file=file,
        name=fields["name"],
        description=fields["description"],
        described=described,
        order=tuple(_NAMED_PLACE.findall(text)),
        text=text,
    )
