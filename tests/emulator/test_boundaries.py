"""What may import what."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "emulator" / "smas_emulator"


def imported(module: Path) -> set[str]:
    """The top-level packages a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_one_package_knows_the_engine() -> None:
    """Only `localstack_binding` imports LocalStack or its libraries: the engine can be changed there."""
    engine = {"localstack", "moto", "rolo", "plux", "twisted"}

    knowing = {module for module in PACKAGE.rglob("*.py") if imported(module) & engine}

    assert knowing
    assert {module.parent for module in knowing} == {PACKAGE / "localstack_binding"}


def test_the_emulator_does_not_know_the_service() -> None:
    """Nothing in the emulator imports the product it stands in for AWS to."""
    assert {module.stem for module in PACKAGE.rglob("*.py") if "service" in imported(module)} == set()
