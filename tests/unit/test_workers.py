"""Which tests run in one process, and which of them begin."""

from __future__ import annotations

import pytest

from tests.local_aws import REPOSITORY
from tests.workers import NEXT, TOGETHER, begins, unit_of


def test_the_tests_of_a_file_stay_together() -> None:
    """They may share what the module starts; the tests of another file need not wait for them."""
    unit = unit_of("tests/stack/test_trail.py::test_one[tests/e2e/]")

    assert unit == unit_of("tests/stack/test_trail.py::test_two")
    assert unit != unit_of("tests/stack/test_cognito.py::test_one")


def test_the_tests_of_one_stack_stay_together() -> None:
    """The stack is started once, and so is the image built."""
    assert unit_of("tests/e2e/test_demo.py::test_one") == unit_of("tests/e2e/test_killed.py::test_two")
    assert unit_of("tests/image/test_image.py::test_one") == unit_of(
        "tests/compose/test_containers.py::test_two"
    )
    assert unit_of("tests/e2e/test_demo.py::test_one") != unit_of("tests/image/test_image.py::test_one")


def test_what_takes_longest_begins() -> None:
    """Stacks, then files that start something, then all others."""
    tests = (
        "tests/unit/test_logs.py::test",
        "tests/stack/test_trail.py::test",
        "tests/e2e/test_demo.py::test",
    )

    assert sorted(tests, key=lambda test: begins(unit_of(test))) == [*reversed(tests)]


@pytest.mark.parametrize("folder", [folder for folders in (*TOGETHER, NEXT) for folder in folders])
def test_each_folder_is_there(folder: str) -> None:
    """None was renamed."""
    assert (REPOSITORY / folder).is_dir()
