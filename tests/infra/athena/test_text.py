"""The text itself: Athena's SQL, templates that Terraform can render, headers that say what is true."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp

from tests.infra.athena.engine import parsed
from tests.infra.athena.headers import read_query
from tests.infra.athena.templates import FOLDER, TABLES, VALUES, VIEWS, query_names, rendered, template

if TYPE_CHECKING:
    from tests.infra.athena.templates import Query

QUERIES = query_names()
FILES = [*TABLES, *VIEWS, *(f"queries/{name}" for name in QUERIES)]
# What an Athena query may be long, in bytes
# (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html#service-limits-query-string-length).
MOST_BYTES = 262_144
IN_RANGE = (
    "day >= DATE_FORMAT(CAST(? AS TIMESTAMP), '%Y/%m/%d')",
    "day <= DATE_FORMAT(CAST(? AS TIMESTAMP) + INTERVAL '1' DAY, '%Y/%m/%d')",
    "time >= CAST(? AS TIMESTAMP)",
    "time < CAST(? AS TIMESTAMP)",
)


@pytest.fixture(params=QUERIES)
def query(request: pytest.FixtureRequest) -> Query:
    """Each named query."""
    return read_query(request.param)


def test_every_file_of_the_folder_is_known() -> None:
    """No statement is shipped that these tests do not look at."""
    shipped = {str(path.relative_to(FOLDER))[: -len(".sql")] for path in FOLDER.rglob("*.sql")}

    assert shipped == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_one_statement_of_athena(name: str) -> None:
    """Athena runs one statement at a time, and some of its clients take any semicolon for the end of one."""
    text = rendered(name)

    parsed(text)

    assert ";" not in text
    assert len(text.encode()) < MOST_BYTES


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_of_hive_s_dialect_too(name: str) -> None:
    """Athena hands statements about tables to Hive."""
    assert isinstance(sqlglot.parse_one(rendered(name), read="hive"), exp.Create)


@pytest.mark.parametrize("name", [name for name in FILES if name not in TABLES])
def test_views_and_queries_are_of_trino_s_dialect(name: str) -> None:
    """Athena's engine for all else is Trino."""
    statement = sqlglot.parse_one(rendered(name), read="trino")

    assert isinstance(statement, exp.Create if name in VIEWS else exp.Select)


@pytest.mark.parametrize("name", FILES)
def test_terraform_renders_it_to_the_same_text(name: str) -> None:
    """Placeholders are known ones, and nothing starts one of Terraform's directives."""
    text = template(name)

    assert set(re.findall(r"(?<!\$)\$\{([^}]*)\}", text)) <= set(VALUES)
    assert "%{" not in text
    assert "$$$" not in text


def test_every_placeholder_is_used() -> None:
    """The README's list of them is theirs."""
    used = set().union(*(re.findall(r"(?<!\$)\$\{([^}]*)\}", template(name)) for name in FILES))
    explained = re.findall(
        r"^\| `\$\{([a-z_]+)\}` \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )

    assert used == set(VALUES)
    assert sorted(explained) == sorted(VALUES)


def test_a_query_says_what_it_is(query: Query) -> None:
    """Its header names it and tells of each parameter; the text marks each place with the name of one."""
    statement = parsed(query.text)

    assert query.name
    assert query.description.endswith(".")
    assert set(query.order) == set(query.described)
    assert len(list(statement.find_all(exp.Placeholder))) == len(query.order)
    assert query.text.count("?") == len(query.order), "a question mark elsewhere may count as a parameter"


def test_names_are_unique() -> None:
    """Athena tells named queries apart by id only; people do so by name."""
    names = [read_query(name).name for name in QUERIES]

    assert len(set(names)) == len(names)


def test_the_readme_lists_every_query(query: Query) -> None:
    """By file and by name."""
    text = (FOLDER / "README.md").read_text("utf-8")

    assert f"| `{query.file}` | {query.name} |" in text


def test_a_query_reads_only_the_folders_of_its_range(query: Query) -> None:
    """Its innermost SELECT bounds the partition's own column by constants, and then the events' own time."""
    (innermost,) = [
        select
        for select in parsed(query.text).find_all(exp.Select)
        if isinstance(select.args["from_"].this, exp.Table)
    ]
    conditions = [each.sql("athena", comments=False) for each in innermost.args["where"].this.flatten()]

    assert innermost.args["from_"].this.name == "audit_records"
    assert [each for each in conditions if each.startswith(("day ", "time "))] == list(IN_RANGE)
    assert query.order[:4] == ("from", "to", "from", "to")


def test_a_query_removes_duplicates(query: Query) -> None:
    """It selects distinct rows by event before anything is counted."""
    (innermost,) = [
        select
        for select in parsed(query.text).find_all(exp.Select)
        if isinstance(select.args["from_"].this, exp.Table)
    ]

    assert innermost.args.get("distinct")
    assert innermost.expressions[0] == exp.column("event_id")
    assert "day" not in innermost.named_selects


def test_no_aggregate_is_ordered_by_again(query: Query) -> None:
    """In ORDER BY, Trino reads a name inside an aggregate as the output column, and refuses it."""
    order = parsed(query.text).args["order"]

    assert not list(order.find_all(exp.AggFunc))


def test_the_view_keeps_the_partition_columns_as_they_are() -> None:
    """A condition on them can only be pushed down to the table if nothing is done to them on the way."""
    statement = parsed(rendered("audit_records"))

    for select in statement.find_all(exp.Select):
        if not select.is_star:
            assert {exp.column("region"), exp.column("day")} <= set(select.expressions)
        assert not select.args.get("distinct")
        assert not select.args.get("group")
    assert not list(statement.find_all(exp.Window, exp.Limit, exp.Join))
