"""What may import what."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "emulator" / "smas_emulator"
# What AWS does, from the inside out: each may import what stands in lines before it, and itself.
LAYERS = (
    {"gateway"},
    {"iam"},
    {"authorization", "cloudtrail", "cognito", "logs"},
)
LOGIC = sorted(set().union(*LAYERS))


def imported(module: Path) -> set[str]:
    """The modules that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages(module: Path) -> set[str]:
    """The top-level packages that a module imports."""
    return {name.split(".")[0] for name in imported(module)}


def test_one_package_knows_the_engine() -> None:
    """Only `localstack_binding` imports LocalStack or its libraries: the engine can be changed there."""
    engine = {"localstack", "moto", "rolo", "plux", "twisted"}

    knowing = {module for module in PACKAGE.rglob("*.py") if packages(module) & engine}

    assert knowing
    assert {module.parent for module in knowing} == {PACKAGE / "localstack_binding"}


def test_the_emulator_does_not_know_the_service() -> None:
    """Nothing in the emulator imports the product it stands in for AWS to."""
    assert {module.stem for module in PACKAGE.rglob("*.py") if "service" in packages(module)} == set()


@pytest.mark.parametrize("package", LOGIC)
def test_the_logic_imports_inward(package: str) -> None:
    """How AWS behaves does not depend on how the local stack is started, nor a decision on its record."""
    (level,) = [number for number, layer in enumerate(LAYERS) if package in layer]
    allowed = {package, *set().union(*LAYERS[:level])}

    known = {
        name.split(".")[1]
        for module in (PACKAGE / package).rglob("*.py")
        for name in imported(module)
        if name.startswith("smas_emulator.")
    }

    assert known <= allowed
