"""Fixtures of all tests that use the client in this process; a ``conftest.py`` names those it wants."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from smas.retries import RetryPolicy
from smas.store import Store

from tests.client.site.user_pool import Person, UserPool
from tests.client.site.wire import WsgiTransport
from tests.web.conftest import PUBLIC_URL, TOKENS, signing_key, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.web.conftest import Site

__all__ = ["files", "folders", "people", "signing_key", "site", "stores", "wire"]

# The same number of tries as in earnest would have, without the waiting.
SOON = RetryPolicy(attempts=4, first_seconds=0.001, longest_seconds=0.002)
M = "fraud/credit-risk"
BIG = 64 * 1024 * 1024 + 1


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Credentials and cache in folders of this test; nothing else is known of any store."""
    for name in [name for name in os.environ if name.startswith("SMAS_")]:
        monkeypatch.delenv(name)
    for name in ("config", "cache"):
        monkeypatch.setenv(f"SMAS_{name.upper()}", str(tmp_path / name))
    yield tmp_path
    # `--debug` is for the rest of a process, which here goes on.
    log = logging.getLogger("smas")
    log.handlers.clear()
    log.setLevel(logging.NOTSET)


@pytest.fixture
def people(site: Site) -> UserPool:
    """The user pool, with some of the contract's local users."""
    return UserPool(
        site.pool,
        people={
            "ds-fraud": Person(("data-scientist@fraud",)),
            "approver-fraud": Person(("approver@fraud",)),
            "nobody": Person(),
        },
    )


@pytest.fixture
def wire(site: Site, people: UserPool) -> WsgiTransport:
    """The way to the application, its bucket, and the user pool."""
    return WsgiTransport(site, people)


@dataclass
class Stores:
    """The store, as each of its users sees it."""

    wire: WsgiTransport
    cache: Path

    def of(self, user: str, **options: Any) -> Store:
        """A store in that user's name."""
        given: dict[str, Any] = {"retries": SOON, "cache": self.cache, "transport": self.wire} | options
        return Store(PUBLIC_URL, token=TOKENS[user](self.wire.site.pool), **given)


@pytest.fixture
def stores(wire: WsgiTransport, tmp_path: Path) -> Stores:
    """Stores over ``wire``; they share a cache, as the users of one machine may."""
    return Stores(wire, tmp_path / "cache")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder to publish: two files with the same bytes, an empty one, one in a folder, odd names."""
    folder = tmp_path / "out"
    (folder / "weights").mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights of the model")
    (folder / "copy.bin").write_bytes(b"weights of the model")
    (folder / "empty").write_bytes(b"")
    (folder / "weights" / "größe 1 %?#.bin").write_bytes(b"more weights")
    return folder


def contents_of(folder: Path) -> dict[str, bytes]:
    """What a folder holds, by path; without the record of pulls."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".smas" not in path.parts
    }


def digest_of(path: Path) -> str:
    """SHA-256 of a file: what to compare where a difference would be megabytes long."""
    return sha256(path.read_bytes()).hexdigest()


def sparse(path: Path, size: int = BIG, start: bytes = b"a large file") -> Path:
    """A file of ``size`` bytes, nearly all of them zeros that take no room on the disk."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)
    return path
