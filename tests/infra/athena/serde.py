"""What Athena's input format, SerDe and partition projection do, for the tables that tests fill.

The definition is the shipped one: columns, types and the places of the files are read from it.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from tests.infra.athena.engine import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.infra.athena.engine import Engine

_SHAPES = {"day": r"\d{4}/\d{2}/\d{2}", "region": "[a-z0-9-]+"}


@dataclass(frozen=True, slots=True)
class Definition:
    """A table as its CREATE EXTERNAL TABLE defines it; ``properties`` are its TBLPROPERTIES and SerDe's."""

    name: str
    columns: dict[str, exp.DataType]
    partitions: dict[str, exp.DataType]
    properties: dict[str, str]

    def partition_of(self, url: str) -> dict[str, str] | None:
        """The partition that a file's `s3://` address lies in, None if the table does not reach it."""
        place = re.escape(self.properties["storage.location.template"])
        for name, shape in _SHAPES.items():
            place = place.replace(rf"\$\{{{name}\}}", f"(?P<{name}>{shape})")
        found = re.fullmatch(rf"{place}/[^/]+", url)
        if found is None:
            return None
        first, _, last = self.properties["projection.day.range"].partition(",")
        assert last == "NOW", "no file of these tests is of the future"
        regions = self.properties.get("projection.region.values", "").split(",")
        partition = found.groupdict()
        return partition if partition["day"] >= first and partition.get("region", "") in regions else None


def definition(text: str) -> Definition:
    """The table that a rendered statement defines."""
    statement = parsed(text)
    assert isinstance(statement, exp.Create)
    schema = statement.this
    given = statement.args["properties"].expressions
    properties = {each.name: each.args["value"].name for each in given if type(each) is exp.Property}
    for each in given:
        if isinstance(each, exp.RowFormatSerdeProperty) and (serde := each.args.get("serde_properties")):
            properties |= {pair.name: pair.args["value"].name for pair in serde.expressions}
    (by,) = (each for each in given if isinstance(each, exp.PartitionedByProperty))
    return Definition(
        name=schema.this.sql("duckdb"),
        columns={column.name: column.kind for column in schema.expressions},
        partitions={column.name: column.kind for column in by.this.expressions},
        properties=properties,
    )


def fill(engine: Engine, table: Definition, files: Mapping[str, bytes], scratch: Path) -> None:
    """Make the table from files by their `s3://` addresses."""
    lines = scratch / "rows.json"
    with lines.open("w", encoding="utf-8") as out:
        for url, body in files.items():
            if (partition := table.partition_of(url)) is not None:
                out.writelines(
                    json.dumps(_row(table, record) | partition) + "\n" for record in _records(body)
                )
    kinds = {name: kind.sql("duckdb") for name, kind in (table.columns | table.partitions).items()}
    engine.load(table.name, kinds, lines)


def _records(body: bytes) -> Iterator[dict[str, Any]]:
    """`CloudTrailInputFormat`: each of a file's `Records` is a row."""
    yield from json.loads(gzip.decompress(body))["Records"]


def _row(table: Definition, record: Mapping[str, Any]) -> dict[str, Any]:
    members = {name.lower(): value for name, value in record.items()}
    return {name: _value(kind, members.get(name)) for name, kind in table.columns.items()}


def _value(kind: exp.DataType, value: Any) -> Any:
    """A member as its column's type has it; names of members are compared in lower case, as Hive's are."""
    if value is None:
        return None
    if kind.is_type(exp.DType.STRUCT):
        members = {name.lower(): each for name, each in value.items()}
        return {each.name: _value(each.args["kind"], members.get(each.name)) for each in kind.expressions}
    if kind.is_type(exp.DType.ARRAY):
        return [_value(kind.expressions[0], each) for each in value]
    if kind.is_type(exp.DType.MAP):
        return {name: _value(kind.expressions[1], each) for name, each in value.items()}
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
