"""Every configuration is formatted and valid, and keeps the promises of its own tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.infra.terraform.command import Terraform
from tests.infra.terraform.configurations import CONFIGURATIONS, INFRA, LOCK, name_of, tftest_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Dozens of plans each, on a slow machine.
pytestmark = pytest.mark.timeout(900)
# A folder of its own, because the values for the other tests go before those of an example.
EXAMPLES = "tests/examples"
IMAGE = f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas@sha256:{'0' * 64}"


def test_everything_is_formatted(tmp_path: Path) -> None:
    """As `terraform fmt` would have it."""
    ended = Terraform(INFRA, tmp_path).run("fmt", "-check", "-recursive", "-diff")

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=name_of)
def test_a_configuration_is_valid(terraform: Callable[[Path], Terraform], configuration: Path) -> None:
    """With the provider that its lock file names: another one ends `init`."""
    ended = terraform(configuration).run("validate")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Warning" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("file", tftest_files(), ids=name_of)
def test_a_configuration_keeps_its_promises(terraform: Callable[[Path], Terraform], file: Path) -> None:
    """Each `run` of one file of `terraform test`, on a mock of AWS."""
    ended = terraform(file.parents[1]).run("test", f"-filter=tests/{file.name}")

    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    runs = len(re.findall(r'^run "', file.read_text(encoding="utf-8"), re.MULTILINE))
    assert f"Success! {runs} passed, 0 failed." in said


@pytest.mark.parametrize("example", sorted(INFRA.glob("*.tfvars")), ids=lambda path: path.name)
def test_an_example_can_be_planned(terraform: Callable[[Path], Terraform], example: Path) -> None:
    """Its values pass every validation, and everything that they ask for fits together."""
    ended = terraform(INFRA).run(
        "test", f"-test-directory={EXAMPLES}", f"-var-file={example.name}", f"-var=image={IMAGE}"
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=name_of)
def test_all_are_locked_to_one_provider(configuration: Path) -> None:
    """One version, by the hash of its package and by the registry's hashes of those of all platforms."""
    lock = (configuration / LOCK).read_text(encoding="utf-8")

    assert lock == (INFRA / LOCK).read_text(encoding="utf-8")
    assert len(re.findall(r'"h1:[A-Za-z0-9+/]{43}="', lock)) == 1
    # 14 platforms, and the manifest: https://developer.hashicorp.com/terraform/language/files/dependency-lock
    assert len(set(re.findall(r'"zh:([0-9a-f]{64})"', lock))) == 15
