"""The SQL of `infra/athena/`, rendered as Terraform's `templatefile` renders it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[3] / "infra" / "athena"
QUERIES: Final = FOLDER / "queries"

TABLES: Final = ("cloudtrail_table", "access_log_table")
# In the order in which they are made: a view reads what came before it.
VIEWS: Final = ("audit_records", "audit_events")

VALUES: Final = {
    "database": "smas_audit",
    "table": "cloudtrail",
    "access_log_table": "access_log",
    "bucket": "trail-bucket",
    "prefix": "",
    "account": "111122223333",
    "region": "eu-central-1",
    "regions": "eu-central-1,us-east-1",
    "first_day": "2025/01/01",
    "role_prefix": "arn:aws:iam::111122223333:role/smas-",
    "models_bucket": "model-bucket",
    "access_log_bucket": "smas-access-logs",
    "access_log_prefix": "s3/",
}


# ``${name}`` is a placeholder, ``$${`` stands for ``${``, any other ``$`` for itself. JSON paths begin with
# one, which ``string.Template`` would not let pass
# (https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences).
_SEQUENCE: Final = re.compile(r"\$(?P<escaped>\$)?\{(?:(?P<name>[a-z_]+)\})?")


@dataclass(frozen=True, slots=True)
class Query:
    """A named query: what its header says, and its text (header included), rendered.

    ``described`` tells of each parameter by name; ``order`` names the ``?`` one after the other, so that a
    parameter used twice is there twice.
    """

    file: str
    name: str
    description: str
    described: dict[str, str]
    order: tuple[str, ...]
    text: str

    def values(self, **given: object) -> list[object]:
        """Parameters by name, as Athena wants them: by position."""
        assert set(given) == set(self.described), f"{self.file} takes {', '.join(self.described)}"
        return [given[name] for name in self.order]


def template(name: str) -> str:
    """The text of ``<name>.sql`` as it is shipped."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def rendered(name: str, **changed: str) -> str:
    """One template with the values above, some of them changed."""
    values = VALUES | changed

    def value(found: re.Match[str]) -> str:
        return found[0].removeprefix("$") if found["escaped"] else values[found["name"]]

    return _SEQUENCE.sub(value, template(name))


def query_names() -> list[str]:
    """The files under `queries/`, without `.sql`."""
    return sorted(path.stem for path in QUERIES.glob("*.sql"))
