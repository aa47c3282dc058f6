"""Writes `docs/access.md`: who may do what, from the tables that the tests hold service and policies to.

``PYTHONPATH=emulator .venv/bin/python -m tests.infra.access_page`` writes it anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.infra.access import BYTES, DELETES, LISTS, READS, WRITES
from tests.infra.policy_rules import KINDS
from tests.infra.rendering import PERSONAS, TEAM_PERSONAS, VERIFIERS
from tests.web.test_access import ALLOWED

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
PEOPLE = (
    "ds-fraud",
    "ds-nlp",
    "approver-fraud",
    "deployer-fraud",
    "compliance",
    "auditor",
    "custodian",
    "nobody",
)
HEAD = """\
# Who may do what

Two layers decide, each by itself: the service, for every route, and IAM, for every call to S3 and KMS. The
tables are generated from what the tests hold both to, so they cannot be out of date:
`PYTHONPATH=emulator .venv/bin/python -m tests.infra.access_page` writes this page.

## The service: routes and the local users

Below `/v1/models/fraud/<model>`. `ds-nlp` is a data scientist of another team, to whom the models of `fraud`
do not exist (404); everybody else who may not is refused with 403. `tests/web/test_access.py` asks every
route as every user.

"""
BUCKET_HEAD = """
## IAM: roles and the kinds of objects in the bucket

What a session may do with S3 itself, without the service: **r** read objects and their versions, **l** list,
**w** write, **d** delete (by a marker; no version is deleted by anybody). A role with `@team` has all of it
below `<kind>/<team>/` only, and of `authors`, `moves`, `approvals` and `requests` it writes its own name's
alone. `manifests`, `authors`, `findings` and `moves` are only ever created: the bucket's own policy says so.
Nobody tags, locks or destroys, but for the verifier's tagging role, which sets the two tags of blobs. The
roles of service and worker may do nothing here.

`tests/infra/test_personas.py` decides all of it from the policies, `tests/stack/test_access_matrix.py` tries
it on the local AWS.

"""
BYTES_HEAD = """
Blobs are read only with these tags, and with the bytes key, which works through S3 alone:

"""


def page() -> str:
    """The whole page."""
    return HEAD + _routes() + BUCKET_HEAD + _objects() + BYTES_HEAD + _bytes()


def _routes() -> str:
    rows: list[tuple[str, ...]] = [("route", *PEOPLE)]
    for (method, rule), allowed in ALLOWED.items():
        path = rule.replace("<path:path>", "<path>").removeprefix("/v1/models/<team>/<model>") or "/"
        rows.append((f"`{method} …{path}`", *("✓" if name in allowed else "–" for name in PEOPLE)))
    return _table(rows)


def _objects() -> str:
    roles = (*PERSONAS, *VERIFIERS)
    names = [role.removeprefix("persona-") + ("@team" if role in TEAM_PERSONAS else "") for role in roles]
    rows = [("kind", *names)]
    rows += [(f"`{kind}/`", *(_letters(role, kind) for role in roles)) for kind in sorted(KINDS)]
    return _table(rows)


def _letters(role: str, kind: str) -> str:
    reads = BYTES[role] is not None if kind == "blobs" else kind in READS[role]
    can = {"r": reads, "l": kind in LISTS[role], "w": kind in WRITES[role], "d": kind in DELETES[role]}
    return " ".join(letter for letter, allowed in can.items() if allowed) or "–"


def _bytes() -> str:
    rows = [("role", "reads blobs with")]
    for role in (*PERSONAS, *VERIFIERS):
        tags = BYTES[role]
        if tags is None:
            told = "none, whatever their tags"
        else:
            told = (
                ", ".join(f"`{name}={value}`" for name, value in tags.items()) or "any tags, to verify them"
            )
        rows.append((role.removeprefix("persona-"), told))
    return _table(rows)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
