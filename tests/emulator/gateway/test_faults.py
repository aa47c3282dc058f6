"""Faults in the log."""

from __future__ import annotations

from smas_emulator.gateway.faults import fault


def test_a_fault_says_where_and_not_what_about() -> None:
    """Kind and place are enough to mend it; the text could hold a secret."""
    try:
        raise KeyError("a secret")  # noqa: TRY301
    except KeyError as error:
        told = fault(error)

    assert told.startswith("KeyError at test_faults.py:")
    assert told.endswith("in test_a_fault_says_where_and_not_what_about")
    assert "secret" not in told
    assert fault(ValueError("a secret")) == "ValueError"
