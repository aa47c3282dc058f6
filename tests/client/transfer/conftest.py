"""The places that tests of the transfer core work in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from smas.transfer.cache import BlobCache

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    """An empty cache of blobs."""
    return BlobCache(tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to push."""
    path = tmp_path / "out"
    path.mkdir()
    return path


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """A folder to pull into that does not exist yet, in one that does not either."""
    return tmp_path / "new" / "dest"
