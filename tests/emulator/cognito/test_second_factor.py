"""One-time codes: the numbers of the standard, each good once."""

from __future__ import annotations

import base64

import pytest
from smas_emulator.cognito.second_factor import STEP_SECONDS, SecondFactor, one_time_code

# RFC 6238, appendix B, for SHA-1: the last six of its eight digits.
STANDARD = base64.b32encode(b"12345678901234567890").decode()
NOW = 1_800_000_000.0
STEP = int(NOW) // STEP_SECONDS


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """Any authenticator app shows the same."""
    assert one_time_code(STANDARD, seconds // STEP_SECONDS) == code


@pytest.mark.parametrize("apart", [-1, 0, 1])
def test_clocks_may_differ_by_a_step(apart: int) -> None:
    """The code of now, and those of half a minute before and after."""
    factor = SecondFactor()

    assert factor.accepts(one_time_code(factor.secret, STEP + apart), NOW)


@pytest.mark.parametrize("apart", [-2, 2])
def test_other_codes_are_refused(apart: int) -> None:
    """An old code, or one from the future, confirms nothing."""
    factor = SecondFactor()

    assert not factor.accepts(one_time_code(factor.secret, STEP + apart), NOW)
    assert not factor.confirmed


def test_a_code_is_good_once() -> None:
    """Whoever reads it over a shoulder has nothing, nor does who has the one before."""
    factor = SecondFactor()
    code = one_time_code(factor.secret, STEP)

    assert factor.accepts(code, NOW)
    assert factor.confirmed
    assert not factor.accepts(code, NOW)
    assert not factor.accepts(one_time_code(factor.secret, STEP - 1), NOW)
    assert factor.accepts(one_time_code(factor.secret, STEP + 1), NOW)


def test_everybody_has_a_secret_of_their_own() -> None:
    """Random, in base 32, and not shown by accident."""
    first, second = SecondFactor(), SecondFactor()

    assert first.secret != second.secret
    assert len(base64.b32decode(first.secret)) >= 20
    assert first.secret not in repr(first)
