"""A copy of `infra/` to apply: the same files, and beside them how addresses are formed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from deployment.rehearsal.endpoints import OVERRIDE, override

INFRA: Final = Path(__file__).resolve().parents[2] / "infra"
# What Terraform and people leave there, and what no plan reads.
_LEFT_OUT: Final = shutil.ignore_patterns(".terraform", "*.tfstate*", "state.config", "tests", "*.tfplan")
# The providers of each configuration that is applied.
_ALIASES: Final = {".": ("replica",), "bootstrap": ()}


def infra_copy(folder: Path, infra: Path = INFRA) -> Path:
    """Make `folder` a fresh copy of `infra`, with the override files; answers it."""
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(infra, folder, ignore=_LEFT_OUT)
    for configuration, aliases in _ALIASES.items():
        (folder / configuration / OVERRIDE).write_text(override(aliases), encoding="utf-8")
    return folder
