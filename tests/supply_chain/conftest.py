"""The tools in their own environment, and the image where an engine answers; else skipped, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.image.containers import build, why_no_image
from tests.supply_chain.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Skip by name what this machine has not, and let the rest open sockets."""
    for item in items:
        if item.get_closest_marker("supply_tools"):
            item.add_marker("enable_socket")
            if not TOOLS.ready:
                item.add_marker(pytest.mark.skip(reason=f"{TOOLS.folder} is not made; `make audit` makes it"))
        if item.get_closest_marker("container_engine"):
            item.add_marker("enable_socket")
            if reason := why_no_image():
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def image() -> str:
    """The image, built from this tree, by its id: a tag may move."""
    return build("smas-test")
