"""Every command that a page tells to type is one that there is, with the options that it is given."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.pages import broken
from tests.docs.terraform_files import INFRA, REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PAGES: Final = tuple(
    REPOSITORY / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/audit.md",
        "docs/deploy.md",
        "docs/operations.md",
        "docs/testing-on-aws.md",
        "docs/threat-model.md",
        "infra/README.md",
        "infra/bootstrap/README.md",
    )
)
TEXTS: Final = {page.relative_to(REPOSITORY).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
# What follows a command up to the end of its line, of its code span, or to a comment.
_REST: Final = r"([^\n`#|]*)"
DEPLOYMENT: Final = sorted(
    {found for text in TEXTS.values() for found in re.findall(rf"-m deployment ([a-z-]+){_REST}", text)}
)
CLIENT: Final = sorted(
    {
        found
        for text in TEXTS.values()
        for found in re.findall(rf"(?:^\$ |^|`)smas ((?:audit )?[a-z]+){_REST}", text, re.MULTILINE)
    }
)


@cache
def told(*command: str) -> str:
    """What a command says of itself."""
    asked = [sys.executable, "-m", *command, "--help"]
    return subprocess.run(asked, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def unknown(rest: str, told: str) -> list[str]:
    """Options that are given and that it does not know."""
    return [option for option in re.findall(r"(?<!\S)--[a-z-]+", rest) if not re.search(rf"{option}\b", told)]


@pytest.mark.parametrize(("command", "rest"), DEPLOYMENT)
def test_commands_of_the_deployment(command: str, rest: str) -> None:
    """`python -m deployment bar ada --vars our.tfvars`."""
    assert unknown(rest, told("deployment", command)) == []


@pytest.mark.parametrize(("command", "rest"), CLIENT)
def test_commands_of_the_client(command: str, rest: str) -> None:
    """`smas audit events --denied`."""
    assert unknown(rest, told("smas", *command.split())) == []


@pytest.mark.parametrize("page", TEXTS)
def test_targets_of_make(page: str) -> None:
    """Those in code: `make plan VARS=our.tfvars`."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE))
    said = set(re.findall(r"(?:^|`|^ +|^\$ |\()make (?:-s )?([a-z][a-z-]*)", TEXTS[page], re.MULTILINE))
    assert said - targets == set()


@pytest.mark.parametrize("page", [page for page in TEXTS if not page.startswith("infra/")])
def test_outputs_of_terraform(page: str) -> None:
    """And that the store's configuration is asked, by somebody who stands at the root of the repository."""
    outputs = set(
        re.findall(r'^output "(\w+)"', (INFRA / "outputs.tf").read_text(encoding="utf-8"), re.MULTILINE)
    )
    asked = re.findall(r"terraform( -chdir=infra)? output(?: -raw| -json)? ([a-z_]+)", TEXTS[page])
    assert [name for folder, name in asked if not folder or name not in outputs] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Of the pages that are not in docs/, too."""
    assert broken(page) == []


def test_plans_are_made_by_make() -> None:
    """`terraform plan` alone would ask for the image, and then plan another one."""
    assert re.findall(r"`?terraform[^\n`]* (?:plan|apply)\b", TEXTS["docs/operations.md"]) == []
    assert re.findall(r"`?terraform[^\n`]* (?:plan|apply)\b", TEXTS["docs/testing-on-aws.md"]) == []


def test_there_are_commands_to_look_at() -> None:
    """The patterns find what the pages say."""
    assert {
        "bar",
        "barred",
        "unbar",
        "restore",
        "failover",
        "rotate-key",
        "rotate-secret",
        "check-store",
    } <= {command for command, _ in DEPLOYMENT}
    assert {"login", "push", "pull", "show", "audit events", "audit integrity"} <= {
        command for command, _ in CLIENT
    }
