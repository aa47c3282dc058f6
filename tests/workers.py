"""All tests at once run in several processes; a selection of them runs in one, which starts sooner.

A plug-in of pytest (see `conftest.py`) that tells pytest-xdist how many processes to use and what stays
together: the tests of one file, which may share what they start, and those of folders that share a whole
stack or an image.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

# More would wait for each other: each starts a local AWS.
MOST: Final = 4
# Folders that stay together, with those that use the same stack or image. They take longest, and so go first.
TOGETHER: Final = (
    ("tests/e2e/",),
    ("tests/compose/", "tests/image/", "tests/supply_chain/"),
    ("tests/aws/",),
)
# What goes next: a long file that begins last would leave the other processes idle.
NEXT: Final = (
    "tests/infra/terraform/",
    "tests/stack/",
    "tests/deployment/",
    "tests/contract/",
    "tests/operate/",
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many as there are processors for all tests; none, which is this process alone, for a selection."""
    named = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    if named or any(config.getoption(name, default=None) for name in ("keyword", "markexpr", "lf")):
        return 0
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, MOST) if processors > 1 else 0


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Keep together what belongs together, unless the command line says how to distribute."""
    return _Units(config, log) if config.option.dist == "load" else None


def unit_of(test: str) -> str:
    """What a test runs together with, by its id: a folder, or its file."""
    return next((folders[0] for folders in TOGETHER if test.startswith(folders)), test.partition("::")[0])


def begins(unit: str) -> int:
    """Units with a lower number are handed out earlier."""
    order = [*(folders[0] for folders in TOGETHER), *NEXT]
    return next((place for place, folder in enumerate(order) if unit.startswith(folder)), len(order))


class _Units(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Hands out one unit after the other, in random order where nothing speaks for another."""

    workqueue: OrderedDict[str, dict[str, bool]]

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        units: list[tuple[str, dict[str, bool]]] = list(self.workqueue.items())
        self.workqueue = OrderedDict(sorted(units, key=lambda unit: begins(unit[0])))
        super()._assign_work_unit(node)
