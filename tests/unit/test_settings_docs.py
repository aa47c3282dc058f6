"""The documentation names every setting, and none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from service.settings import SettingsError, service_settings, worker_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


class Asked(Mapping[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        """Note the name; there is no such variable."""
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Nothing to iterate."""
        return iter(())

    def __len__(self) -> int:
        """Empty."""
        return 0


def test_documented_and_read_settings_are_the_same() -> None:
    """Each variable with whom it is for: the service, the worker, or both."""
    read: dict[str, set[str]] = {}
    for whom, settings in (("service", service_settings), ("worker", worker_settings)):
        asked = Asked()
        with pytest.raises(SettingsError):
            settings(asked)
        read[whom] = asked.names
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    told = {whom: {name for name, of in rows if of in {whom, "both"}} for whom in ("service", "worker")}
    assert told == read
