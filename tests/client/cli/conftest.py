"""The command, run in this process against the application, its bucket and the user pool."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from smas.cli.main import run

from tests.client.site.fixtures import files, folders, people, signing_key, site, stores, wire
from tests.web.conftest import PUBLIC_URL, TOKENS

if TYPE_CHECKING:
    from tests.client.site.wire import WsgiTransport

__all__ = ["files", "folders", "people", "signing_key", "site", "stores", "wire"]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


@dataclass
class Command:
    """`smas`, as somebody who has set SMAS_STORE and SMAS_TOKEN."""

    wire: WsgiTransport
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object, stdin: str | None = None) -> Ended:
        """Run the command; ``stdin`` is what is piped into it."""
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            if stdin is not None:
                patch.setattr(sys, "stdin", io.StringIO(stdin))
            code = run([str(argument) for argument in arguments], transport=self.wire)
        printed = self.capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    def done(self, *arguments: object, stdin: str | None = None) -> Ended:
        """The same of a command that must succeed."""
        ended = self(*arguments, stdin=stdin)
        assert ended.code == 0, ended.err
        return ended

    def become(self, user: str) -> str:
        """From now on be another of the local users; answers the token."""
        token = str(TOKENS[user](self.wire.site.pool))
        self.monkeypatch.setenv("SMAS_TOKEN", token)
        return token


@pytest.fixture
def nobody(
    wire: WsgiTransport,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """The command on a machine where nobody has signed in yet."""
    return Command(wire, monkeypatch, capsys)


@pytest.fixture
def smas(nobody: Command) -> Command:
    """The command, as ds-fraud."""
    nobody.monkeypatch.setenv("SMAS_STORE", PUBLIC_URL)
    nobody.become("ds-fraud")
    return nobody
