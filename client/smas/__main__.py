"""``python -m smas``."""

from __future__ import annotations

from smas.cli.main import main

main()
