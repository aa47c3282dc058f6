"""How large files are cut: within S3's limits, whatever their size."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.files import MAX_FILE_BYTES
from service.domain.parts import MIB, SINGLE_UPLOAD_BYTES, PartPlan, plan_parts

GIB = 1024 * MIB
TIB = 1024 * GIB
# The largest object S3 keeps, far more than a file may weigh today.
LARGEST = 5 * TIB


def sizes() -> st.SearchStrategy[int]:
    """Sizes of files that one PUT does not hold."""
    return st.integers(SINGLE_UPLOAD_BYTES + 1, LARGEST)


@given(size=sizes())
@example(size=SINGLE_UPLOAD_BYTES + 1)
@example(size=3 * 32 * MIB)
@example(size=3 * 32 * MIB + 1)
@example(size=MAX_FILE_BYTES)
@example(size=10_000 * 32 * MIB)
@example(size=10_000 * 32 * MIB + 1)
@example(size=LARGEST)
def test_every_plan_keeps_within_the_limits_of_s3(size: int) -> None:
    """2 to 10,000 parts of 5 MiB to 5 GiB that add up to the file; only the last may be smaller."""
    plan = plan_parts(size)
    cut = [plan.size_of(number) for number in range(1, plan.part_count + 1)]
    assert sum(cut) == size
    assert 2 <= len(cut) <= 10_000
    assert all(5 * MIB <= part <= 5 * GIB for part in cut[:-1])
    assert 1 <= cut[-1] <= plan.part_size
    assert set(cut[:-1]) == {plan.part_size}


@given(st.integers(SINGLE_UPLOAD_BYTES + 1, MAX_FILE_BYTES))
def test_parts_of_todays_files_are_of_one_size(size: int) -> None:
    """Up to the largest file that may be published, a part is 32 MiB: a client may count on steady memory."""
    assert plan_parts(size).part_size == 32 * MIB


def test_a_single_upload_holds_64_mib() -> None:
    """The contract's border between one PUT and many."""
    assert SINGLE_UPLOAD_BYTES == 64 * 1024 * 1024


def test_a_recorded_plan_is_cut_as_it_was_recorded() -> None:
    """An upload opened under other rules is finished under its own."""
    plan = PartPlan(size=21, part_size=10)
    assert (plan.part_count, [plan.size_of(number) for number in (1, 2, 3)]) == (3, [10, 10, 1])
