"""What Terraform is run on: every folder of `infra/` that can be applied, or is a module that others use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

INFRA: Final = Path(__file__).parents[3] / "infra"
CONFIGURATIONS: Final = (
    INFRA,
    INFRA / "bootstrap",
    INFRA / "cloudtrail",
    INFRA / "cloudtrail" / "examples" / "alone",
)
LOCK: Final = ".terraform.lock.hcl"


def name_of(path: Path) -> str:
    """A configuration, or a file of one, from the repository's root: the id of its tests."""
    return path.relative_to(INFRA.parent).as_posix()


def tftest_files() -> list[Path]:
    """Every file of `terraform test`; its configuration is the folder above `tests/`."""
    return sorted(
        path for configuration in CONFIGURATIONS for path in configuration.glob("tests/*.tftest.hcl")
    )


def terraform_files() -> list[Path]:
    """Every `*.tf`."""
    return sorted(path for path in INFRA.rglob("*.tf") if ".terraform" not in path.parts)
