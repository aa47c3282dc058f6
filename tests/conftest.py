"""What all test packages share."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A busy machine is slow, not wrong: pytest-timeout ends what hangs.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

pytest_plugins = ["tests.local_aws", "tests.workers"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """No test opens a socket unless it is marked `enable_socket`, which pytest-socket lets win."""
    for item in items:
        item.add_marker("disable_socket")


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> Iterator[None]:
    """A shell that runs the tests in the background has them, and all they start, ignore SIGINT."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
