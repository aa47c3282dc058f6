"""The rendered policies, kept beside the tests so that a change of a template shows what it changes.

``PYTHONPATH=emulator .venv/bin/python -m tests.infra.golden`` writes them anew; read the difference first.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.infra.rendering import AWS_NAMES, NAMES, rendered

FOLDER = Path(__file__).parent / "golden"


def golden(name: str) -> str:
    """What is kept of one policy."""
    return json.dumps(rendered(name).document, indent=2) + "\n"


def main() -> None:
    """Write every policy, and remove what no template renders any more."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.stem not in (*NAMES, *AWS_NAMES):
            path.unlink()
    for name in (*NAMES, *AWS_NAMES):
        (FOLDER / f"{name}.json").write_text(golden(name), encoding="utf-8")


if __name__ == "__main__":
    main()
