"""What all test packages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

# A busy machine is slow, not wrong: pytest-timeout ends what hangs.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

pytest_plugins = ["tests.local_aws", "tests.workers"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """No test opens a socket unless it is marked `enable_socket`, which pytest-socket lets win."""
    for item in items:
        item.add_marker("disable_socket")
