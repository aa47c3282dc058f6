"""What all test packages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

pytest_plugins = ["tests.local_aws"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """No test opens a socket unless it is marked `enable_socket`, which pytest-socket lets win."""
    for item in items:
        item.add_marker("disable_socket")
