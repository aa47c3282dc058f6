"""The commands of `supply_chain`, run as `make` runs them: in the environment that is made for them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.local_aws import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    said: str
    complained: str


@dataclass(frozen=True, slots=True)
class Tools:
    """The environment of requirements/supply.txt."""

    folder: Path

    @property
    def ready(self) -> bool:
        """Whether it is made, and not half."""
        return (self.folder / ".ready").exists()

    def run(self, *arguments: str, **variables: str) -> Ended:
        """Run Python there; ``variables`` are added to the environment."""
        ended = subprocess.run(
            [str(self.folder / "bin/python"), *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


TOOLS: Final = Tools(REPOSITORY / ".venv/supply")
