"""IAM decides as its documentation says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator.iam.documented_conditions import CASES as CONDITIONS
from tests.emulator.iam.documented_elements import CASES as ELEMENTS
from tests.emulator.iam.documented_evaluation import CASES as EVALUATION

if TYPE_CHECKING:
    from tests.emulator.iam.cases import Case

CASES = (*EVALUATION, *ELEMENTS, *CONDITIONS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_a_case_is_decided_as_documented(case: Case) -> None:
    """Each names its page."""
    assert case.decision().allowed is case.allowed


def test_every_case_cites_its_page_once() -> None:
    """So that whoever doubts one can read it up."""
    assert {case.url.partition("/")[0] for case in CASES} == {"https:"}
    assert {case.url.split("/")[2] for case in CASES} == {"docs.aws.amazon.com"}
    assert len({case.says for case in CASES}) == len(CASES)
