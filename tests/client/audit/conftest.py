"""The command and the SDK over a scripted audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from smas.cli.main import run
from smas.store import Store

from tests.client.audit.store import ADDRESS, AuditStore
from tests.client.cli.conftest import Ended
from tests.client.site.fixtures import SOON, folders

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["folders"]


@dataclass
class AuditCommand:
    """`smas audit`, as somebody who may."""

    store: AuditStore
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> Ended:
        """Run the command to its end."""
        self.capsys.readouterr()
        code = run(["audit", *(str(argument) for argument in arguments)], transport=self.store)
        printed = self.capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    def done(self, *arguments: object) -> Ended:
        """The same of a command that must succeed."""
        ended = self(*arguments)
        assert ended.code == 0, ended.err
        return ended

    def query(self, *arguments: object) -> dict[str, str]:
        """What the store is asked by a command that succeeds with one request."""
        self.store.asked.clear()
        self.done(*arguments)
        ((_, query),) = self.store.asked
        return query


@pytest.fixture
def store() -> AuditStore:
    """The audit; a test writes its events."""
    return AuditStore()


@pytest.fixture
def audit(
    store: AuditStore, folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AuditCommand:
    """The command."""
    assert folders
    monkeypatch.setenv("SMAS_STORE", ADDRESS)
    monkeypatch.setenv("SMAS_TOKEN", "token-of-compliance")
    return AuditCommand(store, capsys)


@pytest.fixture
def sdk(store: AuditStore, folders: Path) -> Store:
    """The SDK."""
    return Store(ADDRESS, token="token-of-compliance", transport=store, retries=SOON, cache=folders / "cache")
