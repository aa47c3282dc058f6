"""What the tests of the trail share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator.cloudtrail.account import Account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """An account without a trail."""
    account = Account(tmp_path)
    yield account
    account.store.close()
