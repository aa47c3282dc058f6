"""Measuring an end of access: what is let in, when it is refused, and what would be no measurement."""

from __future__ import annotations

import threading

import pytest

from deployment.errors import DeploymentError
from deployment.rehearsal.end_of_access import seconds_until_refused


def test_the_first_refusal_of_each_way_is_measured() -> None:
    """From the start of the command on."""
    barred = threading.Event()
    ways = {"one": lambda: not barred.is_set(), "other": lambda: not barred.is_set()}
    took = seconds_until_refused(ways, barred.set)
    assert set(took) == {"one", "other"}
    assert all(0 <= seconds < 5 for seconds in took.values())


def test_what_was_refused_before_measures_nothing() -> None:
    """It would look like the fastest of all."""
    with pytest.raises(DeploymentError, match="before anybody is barred"):
        seconds_until_refused({"one": lambda: False}, lambda: None)


def test_who_is_never_refused_is_told() -> None:
    """With the way they still have."""
    with pytest.raises(DeploymentError, match="one is let in"):
        seconds_until_refused({"one": lambda: True}, lambda: None, patience=0.1)


def test_who_is_let_in_again_is_told() -> None:
    """One refusal may be of another kind, or of one of many servers."""
    answers = iter([True, False, *[True] * 20])
    with pytest.raises(DeploymentError, match="let in again"):
        seconds_until_refused({"one": lambda: next(answers)}, lambda: None, patience=5)


def test_an_error_of_a_way_is_not_taken_for_a_refusal() -> None:
    """It ends the measurement."""
    answers = iter([True])
    with pytest.raises(StopIteration):
        seconds_until_refused({"one": lambda: next(answers)}, lambda: None, patience=5)
