"""An empty AWS and a pool that signs, for each test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.operate.aws import Aws
from tests.web.conftest import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGE = Path(__file__).parent


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """These tests talk to processes of their own, over real sockets."""
    for item in items:
        if item.path.parent == PACKAGE:
            item.add_marker("enable_socket")


@pytest.fixture(scope="session")
def pool() -> Pool:
    """Who signs the tokens."""
    return Pool(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture(scope="session")
def token(pool: Pool) -> str:
    """A data scientist's."""
    return pool.person("ds-fraud", "data-scientist@fraud")


@pytest.fixture
def aws(pool: Pool) -> Iterator[Aws]:
    """An AWS in which everything answers."""
    with Aws(pool.key_set()) as running:
        yield running
