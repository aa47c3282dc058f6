"""What Terraform makes for Athena is what the SQL says, so that what is tested in SQL is what is deployed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlglot import exp

from tests.infra.athena.engine import parsed
from tests.infra.athena.headers import header_of
from tests.infra.athena.planned import PLUGINS, TERRAFORM, planned
from tests.infra.athena.templates import VALUES, VIEWS, query_names, rendered

pytestmark = [
    pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed"),
    pytest.mark.skipif(
        PLUGINS is None, reason="no provider hashicorp/aws is found; TF_PLUGIN_DIR may name its folder"
    ),
]

# What `infra/athena.tf` gives the templates, by the names and mocks of `infra/tests/athena.tftest.hcl`.
DEPLOYED = {
    "database": "smas_audit",
    "table": "cloudtrail",
    "access_log_table": "access_log",
    "bucket": "smas-trail-111122223333-eu-central-1",
    "prefix": "",
    "account": "111122223333",
    "region": "eu-central-1",
    "regions": "eu-central-1,us-east-1",
    "first_day": "2026/11/01",
    "role_prefix": "arn:aws:iam::111122223333:role/smas-",
    "models_bucket": "smas-models-111122223333-eu-central-1",
    "access_log_bucket": "smas-access-logs-111122223333-eu-central-1",
    "access_log_prefix": "models/",
}
Plan = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Every resource's attributes by address."""
    return planned(tmp_path_factory.mktemp("infra"))


def test_every_placeholder_is_given() -> None:
    """The values below are those that the templates name."""
    assert set(DEPLOYED) == set(VALUES)


@pytest.mark.parametrize(
    ("statement", "table"), [("cloudtrail_table", "cloudtrail"), ("access_log_table", "access_log")]
)
def test_a_table_in_glue_is_what_its_statement_would_make(plan: Plan, statement: str, table: str) -> None:
    """Columns and partitions with their types, in order; files, SerDe and projection."""
    glue = plan[f"aws_glue_catalog_table.{table}"]

    assert as_glue_has_it(glue) == as_sql_has_it(rendered(statement, **DEPLOYED))
    assert glue["table_type"] == "EXTERNAL_TABLE"
    assert glue["parameters"]["EXTERNAL"] == "TRUE"


@pytest.mark.parametrize("name", query_names())
def test_a_named_query_is_the_text_that_was_tested(plan: Plan, name: str) -> None:
    """`templatefile` gives what these tests render; name and description are those of its header."""
    query = plan[f'aws_athena_named_query.audit["{name}"]']
    text = rendered(f"queries/{name}", **DEPLOYED)
    header = header_of(name, text)

    assert query["query"] == text
    assert (query["name"], query["description"]) == (header.name, header.description)
    assert (
        len(query["description"]) <= 1024
    )  # https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateNamedQuery.html


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_the_text_that_was_tested(plan: Plan, name: str) -> None:
    """It is saved as a statement to run once."""
    assert plan[f'aws_athena_named_query.view["{name}"]']["query"] == rendered(name, **DEPLOYED)


def test_nothing_else_is_saved(plan: Plan) -> None:
    """Each file is one named query, and there are no others."""
    saved = {address for address in plan if address.startswith("aws_athena_named_query.")}

    assert len(saved) == len(query_names()) + len(VIEWS)


def as_glue_has_it(table: dict[str, Any]) -> dict[str, Any]:
    """A table's definition as Terraform gives it."""
    (storage,) = table["storage_descriptor"]
    (serde,) = storage["ser_de_info"]
    own = {"EXTERNAL", "comment"}
    return {
        "name": f"{table['database_name']}.{table['name']}",
        "comment": {table["description"], table["parameters"]["comment"]},
        "columns": [(each["name"], each["type"]) for each in storage["columns"]],
        "partitions": [(each["name"], each["type"]) for each in table["partition_keys"]],
        "files": (storage["location"], storage["input_format"], storage["output_format"]),
        "serde": serde["serialization_library"],
        "serde properties": {
            name: value for name, value in serde["parameters"].items() if name != "serialization.format"
        },
        "properties": {name: value for name, value in table["parameters"].items() if name not in own},
    }


def as_sql_has_it(text: str) -> dict[str, Any]:
    """A table's definition as a CREATE EXTERNAL TABLE gives it, in Glue's spelling of types."""
    create = parsed(text)
    given = {type(each): each for each in create.args["properties"].expressions}
    serde, files = given[exp.RowFormatSerdeProperty], given[exp.FileFormatProperty].this
    of_serde = serde.args.get("serde_properties")
    return {
        "name": create.this.this.sql("athena"),
        "comment": {given[exp.SchemaCommentProperty].name},
        "columns": columns(create.this),
        "partitions": columns(given[exp.PartitionedByProperty].this),
        "files": (
            given[exp.LocationProperty].name,
            files.args["input_format"].name,
            files.args["output_format"].name,
        ),
        "serde": serde.name,
        "serde properties": properties(of_serde.expressions if of_serde else []),
        "properties": properties(create.args["properties"].expressions),
    }


def columns(schema: exp.Expr) -> list[tuple[str, str]]:
    """Name and type of each column as Glue writes them: lower case, no spaces."""
    return [
        (each.name, each.args["kind"].sql("hive").lower().replace(" ", "")) for each in schema.expressions
    ]


def properties(given: list[exp.Expr]) -> dict[str, str]:
    """Pairs of names and values."""
    return {each.name: each.args["value"].name for each in given if type(each) is exp.Property}
