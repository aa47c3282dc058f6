"""A small repository for the audit to look at: one lock, what is installed of it, and the two policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_HASH: Final = f"    --hash=sha256:{'0' * 64}\n    # via -r requirements/service.in\n"
POLICY: Final = """
[environments]
service = ".venv"
[use.shipped]
locks = ["service"]
[use.shipped.allowed]
"MIT" = ""
"BSD-3-Clause" = ""
"""


class Repository:
    """Written into a folder; every method says what one of its parts is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site_packages = folder / ".venv/lib/python3.11/site-packages"
        self.site_packages.mkdir(parents=True)
        (folder / "requirements").mkdir()
        (folder / ".venv/.ready").touch()
        self.lock("pleasant==1.0")
        self.install("pleasant", "1.0", "License-Expression: MIT")
        self.policy()
        self.accepted("")

    def lock(self, *requirements: str, name: str = "service") -> None:
        """What is locked."""
        text = "".join(f"{each} \\\n{_HASH}" for each in requirements)
        (self.folder / "requirements" / f"{name}.txt").write_text(text, encoding="utf-8")

    def install(self, name: str, version: str, *headers: str, licence: str = "do as you like") -> None:
        """What is installed, with these lines in its metadata and a licence file."""
        info = self.site_packages / f"{name}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *headers]
        (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (info / "LICENSE").write_text(licence, encoding="utf-8")
        (info / "RECORD").write_text(f"{info.name}/METADATA,,\n{info.name}/LICENSE,,\n", encoding="utf-8")

    def policy(self, more: str = "") -> None:
        """What licences may come in, and what was read."""
        reading = (
            more or '[[reading]]\npackage = "pleasant"\nlicence = "MIT"\nread = "https://pleasant.example"\n'
        )
        (self.folder / "licences.toml").write_text(POLICY + reading, encoding="utf-8")

    def accepted(self, entries: str) -> None:
        """Which known vulnerabilities stay."""
        (self.folder / "advisories.toml").write_text(entries, encoding="utf-8")
