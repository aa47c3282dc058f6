"""docs/deploy.md names commands, files, variables and outputs that there are."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.pages import broken, code
from tests.docs.terraform_files import INFRA, REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

DOCS: Final = REPOSITORY / "docs"
DEPLOY: Final = DOCS / "deploy.md"
TEXT: Final = DEPLOY.read_text(encoding="utf-8")
MAKEFILE: Final = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
PAGES: Final = sorted(path for path in DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To files, and to headings of pages."""
    assert broken(page) == []


def test_pages_lead_to_each_other() -> None:
    """Deploying to operating and back, and both to what they are about."""
    operations = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert "](operations.md" in TEXT
    assert "](deploy.md" in operations
    assert "](../infra/README.md" in TEXT
    assert "docs/deploy.md" in (INFRA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", code(DEPLOY, "bash"), ids=lambda block: block.splitlines()[0][:40])
def test_commands_are_ones_of_the_shell(block: str) -> None:
    """Each block can be read by it."""
    subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def test_targets_of_make_exist() -> None:
    """With the variables that they take."""
    said = re.findall(r"make ([a-z][a-z-]*)((?: [A-Z]+=\S+)*)", TEXT)
    assert said
    for target, given in said:
        found = re.search(rf"^{target}:.*## (.*)$", MAKEFILE, re.MULTILINE)
        assert found, f"no target {target}"
        for name in re.findall(r"([A-Z]+)=", given):
            assert f"{name}=" in found[1] or f"$({name})" in MAKEFILE, f"{target} takes no {name}"
    for name in re.findall(r"`([A-Z]+)=", TEXT):
        assert name == "AWS_PROFILE" or f"$({name})" in MAKEFILE or f",{name})" in MAKEFILE


def test_variables_exist() -> None:
    """Those in code of one word, and those of the example."""
    variables = set(
        re.findall(r'^variable "(\w+)"', (INFRA / "variables.tf").read_text(encoding="utf-8"), re.MULTILINE)
    )
    (example,) = code(DEPLOY, "hcl")
    assert set(re.findall(r"^(\w+) +=", example, re.MULTILINE)) <= variables
    named = set(
        re.findall(r"`(replica_\w+|alarm_\w+s|audit_\w+|identity_\w+|storage_\w+|log_\w+|url_\w+)`", TEXT)
    )
    assert named
    assert named <= variables


def test_outputs_exist() -> None:
    """What the commands ask of Terraform."""
    outputs = set(
        re.findall(r'^output "(\w+)"', (INFRA / "outputs.tf").read_text(encoding="utf-8"), re.MULTILINE)
    )
    asked = set(re.findall(r"terraform -chdir=infra output -(?:raw|json) (\w+)", TEXT))
    assert asked
    assert asked <= outputs


def test_commands_of_the_deployment_exist() -> None:
    """`python -m deployment bar`."""
    listed = subprocess.run(
        [sys.executable, "-m", "deployment", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for command in re.findall(r"-m deployment ([a-z-]+)", TEXT):
        assert re.search(rf"^    {command}\b", listed, re.MULTILINE)


def test_commands_of_the_client_exist() -> None:
    """With the options that they are given."""
    said = [line for block in code(DEPLOY, "bash") for line in block.splitlines() if line.startswith("smas ")]
    assert said
    for line in said:
        words = line.partition("#")[0].split()
        command = words[1:3] if words[1] == "audit" else words[1:2]
        told = subprocess.run(
            [sys.executable, "-m", "smas", *command, "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert all(option in told for option in words if option.startswith("--"))


def test_what_the_store_reserves_is_computed() -> None:
    """The API's concurrency, the verifier's and one more, and the trigger's ten."""
    small = (INFRA / "small.tfvars").read_text(encoding="utf-8")
    concurrency, verifications = (
        int(re.findall(rf"{name} += (\d+)", small)[0]) for name in ("concurrency", "verifications")
    )
    assert f"the store reserves {concurrency + verifications + 1 + 10} with `small.tfvars`" in TEXT


def test_the_policies_are_rendered_as_they_are_tested(tmp_path: Path) -> None:
    """By the very commands of the page: no placeholder is left."""
    (block,) = (block for block in code(DEPLOY, "bash") if "create-policy" in block)
    rendering = re.search(r"sed -e .*?\.json\"$", block, re.MULTILINE | re.DOTALL)
    assert rendering
    values = "account=111122223333 region=eu-central-1 name=smas"
    for part in ("access", "functions", "storage"):
        command = rendering[0].replace('"deployment-$part.json"', f'"{tmp_path}/{part}.json"')
        subprocess.run(["sh", "-c", f"{values}; part={part}\n{command}"], cwd=REPOSITORY, check=True)
        rendered = (tmp_path / f"{part}.json").read_text(encoding="utf-8")
        assert "${" not in rendered
        assert "111122223333" in rendered
