"""Small file systems of other kinds, mounted for one process alone and gone with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# What the shell says where it could not mount: the test is skipped, by name.
_NOT_HERE = 77


def _alone() -> list[str]:
    """The command that gives a program mounts of its own; people who are not root get a user namespace."""
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]


def run_mounted(mount: str, folder: Path, code: str, *arguments: Path) -> Any:
    """Mount something at ``folder`` (``$1`` in the shell line ``mount``), run Python there; its JSON.

    ``code`` finds ``folder`` and the arguments in ``sys.argv[1:]``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = f'({mount}) >&2 || exit {_NOT_HERE}; exec "$0" -c "$CODE" "$@"'
    try:
        done = subprocess.run(
            [*_alone(), "sh", "-c", script, sys.executable, str(folder), *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CODE": code},
        )
    except FileNotFoundError:
        pytest.skip("this system has no unshare")
    if done.returncode == _NOT_HERE or "unshare failed" in done.stderr:
        pytest.skip(f"this system does not let us: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
