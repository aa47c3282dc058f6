"""Terraform, run on a configuration where it stands, without leaving anything in its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.infra.terraform.provider import provider_mirror

if TYPE_CHECKING:
    from collections.abc import Mapping

TERRAFORM: Final = shutil.which("terraform")
_NOT_OURS: Final = ("AWS_", "TF_")


@dataclass(frozen=True, slots=True)
class Terraform:
    """One configuration; `data` is where Terraform keeps what it would put into `.terraform`.

    `attached` are variables that make it use a provider which runs already.
    """

    configuration: Path
    data: Path
    attached: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, however it ends."""
        if TERRAFORM is None:
            pytest.skip("terraform is not on the path")
        return subprocess.run(
            [TERRAFORM, *arguments, "-no-color"],
            cwd=self.configuration,
            env={
                **_environment(),
                **self.attached,
                "TF_DATA_DIR": str(self.data),
                "CHECKPOINT_DISABLE": "1",
                "TF_INPUT": "0",
            },
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def init(self) -> None:
        """Get the provider that is locked and the modules; skip the test where there is no such provider."""
        mirror = provider_mirror()
        where = () if mirror is None else (f"-plugin-dir={mirror}",)
        ended = self.run("init", "-backend=false", "-lockfile=readonly", *where)
        said = ended.stdout + ended.stderr
        if ended.returncode != 0 and mirror is None and "Failed to query available provider" in said:
            pytest.skip("terraform finds no provider hashicorp/aws: TF_PLUGIN_DIR may name a mirror of it")
        assert ended.returncode == 0, said


def _environment() -> dict[str, str]:
    """The caller's, without credentials and settings that would change what is tested."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    configured = os.environ.get("TF_CLI_CONFIG_FILE")
    if configured and Path(configured).is_file():
        kept["TF_CLI_CONFIG_FILE"] = configured
    return kept
