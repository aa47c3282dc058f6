"""`infra/README.md` lists the variables and files that there are."""

from __future__ import annotations

import re
from typing import Final

from tests.infra.terraform.configurations import INFRA

README: Final = (INFRA / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """What stands under one heading."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def variables() -> list[tuple[str, str]]:
    """Name and default of each variable, in their order; the default is empty for none."""
    text = (INFRA / "variables.tf").read_text(encoding="utf-8")
    found = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    defaults = [(name, re.search(r"^  default\s+= (.+)$", body, re.MULTILINE)) for name, body in found]
    return [(name, default[1] if default else "") for name, default in defaults]


def test_every_variable_is_in_the_table_with_its_default() -> None:
    """In the order of `variables.tf`; those without a default are bold."""
    table = re.findall(
        r"^\| (\*\*)?`(\w+)`(?:\*\*)? \| (?:`([^`]*)`)? ?\|", section("Variables"), re.MULTILINE
    )

    assert [(name, default) for _, name, default in table] == variables()
    assert all(bool(bold) == (default == "") for bold, _, default in table)


def test_every_file_is_in_the_table() -> None:
    """Each `*.tf` and each folder, and none that is not there."""
    named = set(
        re.findall(
            r"`([\w.-]+/?)`",
            "".join(
                line.split("|")[1] for line in section("What is in which file").splitlines() if "|" in line
            ),
        )
    )
    there = {path.name for path in INFRA.glob("*.tf")} | {
        f"{path.name}/" for path in INFRA.iterdir() if path.is_dir() and not path.name.startswith(".")
    }

    assert there - {"versions.tf"} <= named
    assert all((INFRA / name).exists() for name in named)
