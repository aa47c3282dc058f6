"""`docs/compliance.md` names files, resources and tests that there are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import pytest

from tests.infra.terraform.configurations import INFRA, tftest_files

ROOT: Final = INFRA.parent
PAGE: Final = ROOT / "docs" / "compliance.md"
# Where there is no test, one of these begins the last cell.
WITHOUT: Final = ("Yours", "None here", "Not met")
# What the page must speak of: CIS v5.0 by number, FSBP by service.
CIS: Final = (
    *(f"2.1.{number}" for number in range(1, 5)),
    *(f"3.{number}" for number in range(1, 10)),
    *(f"4.{number}" for number in range(1, 10)),
    "4.16",
)
SERVICES: Final = ("S3", "CloudTrail", "Lambda", "KMS", "Cognito", "APIGateway", "ECR", "SQS", "SNS", "IAM")


@dataclass(frozen=True, slots=True)
class Row:
    """A control, and what the page says of it; `where` and `shown` are the code spans of their cells."""

    control: str
    where: list[str]
    shown: list[str]
    said: str


def rows() -> list[Row]:
    """Every row of every table."""
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[0] not in {"control", "---"}:
            spans = [re.findall(r"`([^`]+)`", cell) for cell in cells]
            found.append(Row(cells[0], spans[2], spans[3], cells[3]))
    return found


ROWS: Final = rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.control)
def test_a_control_is_met_and_shown_or_it_is_said_why_not(row: Row) -> None:
    """Nothing is claimed without a place and a test."""
    if row.said.startswith(WITHOUT):
        assert not row.said.startswith("Not met") or len(row.said) > len("Not met: see CIS 2.1")
    else:
        assert row.where
        assert row.shown


@pytest.mark.parametrize("place", sorted({place for row in ROWS for place in row.where}))
def test_each_place_exists(place: str) -> None:
    """A file below `infra/`, and a resource in it."""
    file, _, resource = place.partition(": ")
    text = (INFRA / file).read_text(encoding="utf-8")

    if resource:
        kind, _, name = resource.partition(".")
        assert f'resource "{kind}" "{name}"' in text


@pytest.mark.parametrize(
    "test", sorted({test for row in ROWS if not row.said.startswith(WITHOUT) for test in row.shown})
)
def test_each_test_exists(test: str) -> None:
    """A run of `terraform test`, or a file of pytest with a function in it."""
    file, separator, name = test.partition("::" if "::" in test else ": ")
    if file.endswith(".tftest.hcl"):
        (path,) = [each for each in tftest_files() if each.name == file]
        assert f'run "{name}" {{' in path.read_text(encoding="utf-8")
    else:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not separator or f"def {name}(" in text


def test_every_control_has_its_row_once() -> None:
    """All of CIS v5.0 that is about what is made here, and each service of FSBP."""
    controls = [control for row in ROWS for control in row.control.split(", ")]

    assert len(controls) == len(set(controls))
    assert set(CIS) <= set(controls)
    assert {control.partition(".")[0] for control in controls if control[0].isalpha()} == set(SERVICES)


def test_the_threat_model_names_tests_that_there_are() -> None:
    """Every file and folder of tests in its tables exists."""
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|infra)/[\w./-]+)`", page))

    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
