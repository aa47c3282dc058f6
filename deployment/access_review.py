"""`access-review`: who may do what, user by role, for the people who have to sign it."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deployment import entitlements, store
from deployment.barring import policies
from deployment.entitlements import Entitlement
from deployment.errors import DeploymentError
from deployment.options import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployment.store import Aws, Store

_DESCRIPTION = """\
Print who holds which role: people with their groups, machines with their scopes, and whoever may assume a
role of the store in IAM. Changes nothing. What somebody should look at is in the last column.

People of an identity provider have what its groups mean here, as they were at their last sign-in.

examples:
  python -m deployment access-review --vars our.tfvars
  python -m deployment access-review --vars our.tfvars --team fraud --format csv > fraud.csv
  python -m deployment access-review --local             the local stack that make up started
"""
_COLUMNS: Final = {
    "person": ("who", "role", "team", "enabled", "status", "mfa", "changed", "remarks"),
    "machine": ("who", "identity", "role", "team", "changed", "remarks"),
    "iam": ("who", "role", "through", "remarks"),
}
# What makes a spreadsheet take a cell for a formula (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Review:
    """Everybody and everything that may do something, at one time."""

    store: Store
    taken_at: datetime
    rows: tuple[Entitlement, ...]

    def of_team(self, team: str) -> Review:
        """The same, of the roles in one team."""
        return Review(self.store, self.taken_at, tuple(row for row in self.rows if row.team == team))


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `access-review`."""
    parser = subparsers.add_parser(
        "access-review",
        help="who may do what, user by role",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--format", choices=sorted(FORMATS), default="table", help="(default: table)")
    parser.add_argument(
        "--team", metavar="TEAM", help="the roles in one team alone, for whoever answers for it"
    )
    parser.add_argument(
        "--factors", action="store_true", help="ask for everybody's second factor: one call a user"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there, for nobody else to read")
    store.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the review."""
    which, aws = store.opened(arguments)
    taken = review(which, aws, each_device=arguments.factors)
    if arguments.team:
        taken = taken.of_team(arguments.team)
    text = FORMATS[arguments.format](taken)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        _write(arguments.output, text)
    return 0


def _write(file: Path, text: str) -> None:
    """Written for its owner alone, also where it was there and others could read it."""
    try:
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{file} cannot be written ({error.strerror}): name another file with --output."
        raise DeploymentError(message) from error


def review(which: Store, aws: Aws, *, each_device: bool = False) -> Review:
    """Ask the user pool and IAM."""
    cognito = aws.client("cognito-idp")
    barred = policies(which, aws)[0].barred()
    found = [
        *entitlements.people(cognito, which, barred=barred, each_device=each_device),
        *entitlements.machines(cognito, which, barred=barred),
        *entitlements.principals(aws.client("iam"), which),
    ]
    kinds = ("person", "machine", "iam")
    found.sort(key=lambda row: (kinds.index(row.kind), row.who, row.team, row.role))
    return Review(which, datetime.now(UTC), tuple(found))


def as_table(taken: Review) -> str:
    """For a terminal, in three parts, with what is to be looked at at the end of each line."""
    of = f"{taken.store.name} in {taken.store.region}, user pool {taken.store.user_pool_id}"
    parts = [f"{of}, {taken.taken_at:%Y-%m-%d %H:%M} UTC"]
    for kind, title in (
        ("person", "People"),
        ("machine", "Machines"),
        ("iam", "IAM: who may assume which role"),
    ):
        rows = [row for row in taken.rows if row.kind == kind]
        count = len({row.who for row in rows})
        parts.append("\n".join([f"{title} ({count})", *_lines(_COLUMNS[kind], rows)]))
    return "\n\n".join(parts) + "\n"


def _lines(columns: Sequence[str], rows: Sequence[Entitlement]) -> list[str]:
    cells = [
        [column.upper() for column in columns],
        *([_cell(row, name) for name in columns] for row in rows),
    ]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _cell(row: Entitlement, column: str) -> str:
    value: Any = getattr(row, column)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    if isinstance(value, tuple):
        return "; ".join(value)
    return shown(str(value or ""))


def as_csv(taken: Review) -> str:
    """For a spreadsheet: a line for each user and role; nothing in it is a formula."""
    text = io.StringIO()
    names = [field.name for field in fields(Entitlement)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in taken.rows:
        cells = (_cell(row, name) for name in names)
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue()


def as_json(taken: Review) -> str:
    """For a program."""
    document = {
        "store": taken.store.name,
        "account": taken.store.account,
        "region": taken.store.region,
        "user_pool_id": taken.store.user_pool_id,
        "taken_at": taken.taken_at.isoformat(timespec="seconds"),
        "entitlements": [
            {field.name: _value(getattr(row, field.name)) for field in fields(Entitlement)}
            for row in taken.rows
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return list(value) if isinstance(value, tuple) else value


FORMATS: Final[dict[str, Callable[[Review], str]]] = {"csv": as_csv, "json": as_json, "table": as_table}
