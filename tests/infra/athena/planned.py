"""What Terraform would make of `infra/`, planned with the mocks of `infra/tests/athena.tftest.hcl`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

from tests.infra.athena.templates import FOLDER
from tests.infra.terraform.provider import provider_mirror

if TYPE_CHECKING:
    from pathlib import Path

TERRAFORM: Final = shutil.which("terraform")
# Where `terraform init` finds hashicorp/aws without a network: see its option `-plugin-dir`.
PLUGINS: Final = provider_mirror()
_INFRA: Final = FOLDER.parent
_MOCKS: Final = _INFRA / "tests" / "athena.tftest.hcl"


def planned(folder: Path) -> dict[str, dict[str, Any]]:
    """Each resource's attributes by its address, planned in a copy of the configuration in ``folder``.

    Raises ``AssertionError`` with what Terraform said when it cannot plan.
    """
    kept = shutil.ignore_patterns(".terraform*", "*.tftest.hcl", "tests", "*.tfvars")
    shutil.copytree(_INFRA, folder, dirs_exist_ok=True, ignore=kept)
    mocks, _, _ = _MOCKS.read_text(encoding="utf-8").partition('\nrun "')
    (folder / "tests").mkdir()
    plan = f'{mocks}\nrun "everything" {{\n  command = plan\n}}\n'
    (folder / "tests" / "plan.tftest.hcl").write_text(plan, encoding="utf-8")
    _terraform(folder, "init", "-backend=false", f"-plugin-dir={PLUGINS}", "-no-color")
    lines = _terraform(folder, "test", "-json", "-verbose").splitlines()
    (plan,) = (line for line in map(json.loads, lines) if line["type"] == "test_plan")
    return {change["address"]: change["change"]["after"] for change in plan["test_plan"]["resource_changes"]}


def _terraform(folder: Path, *arguments: str) -> str:
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    ended = subprocess.run(
        [str(TERRAFORM), *arguments],
        cwd=folder,
        env={**environment, "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr
    return ended.stdout
