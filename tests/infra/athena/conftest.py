"""One trail and its tables for all tests of a module: they only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.athena.questions import athena_over
from tests.infra.athena.story import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.audit import FakeTrailFiles
    from tests.infra.athena.engine import Engine


@pytest.fixture(scope="module")
def files() -> FakeTrailFiles:
    """The log files of two days."""
    return told()


@pytest.fixture(scope="module")
def athena(files: FakeTrailFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The shipped table and views over those files."""
    engine = athena_over(files, tmp_path_factory.mktemp("athena"))
    yield engine
    engine.close()
