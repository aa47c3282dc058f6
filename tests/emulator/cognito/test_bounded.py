"""State that neither time nor a loop of requests lets grow."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cognito.bounded import Capped, Expiring

from tests.emulator.cognito.doubles import Clock


@given(st.lists(st.integers(0, 20)), st.integers(1, 5))
def test_a_capped_dict_holds_the_newest(keys: list[int], cap: int) -> None:
    """Never more than its cap, and of what came first only what there is room for."""
    held: Capped[int, int] = Capped(cap)
    expected: dict[int, int] = {}
    for number, key in enumerate(keys):
        held[key] = expected[key] = number
        if len(expected) > cap:
            del expected[next(iter(expected))]
        assert dict(held) == expected


@pytest.mark.parametrize(("seconds", "good"), [(59, True), (60, False), (61, False)])
def test_a_value_is_good_for_its_lifetime(seconds: int, good: bool) -> None:
    """Up to the very moment, not longer."""
    clock = Clock()
    held: Expiring[str] = Expiring(timedelta(minutes=1), 10, clock)
    held.put("name", "value")
    clock.move(seconds=seconds)
    assert len(held) == int(good)
    assert held.get("name") == ("value" if good else None)
    assert held.take("name") == ("value" if good else None)


def test_a_value_is_taken_once() -> None:
    """Looking leaves it, taking does not; putting again begins its time anew."""
    clock = Clock()
    held: Expiring[str] = Expiring(timedelta(minutes=1), 10, clock)
    held.put("name", "value")
    assert (held.get("name"), held.take("name"), held.take("name")) == ("value", "value", None)
    held.put("name", "first")
    clock.move(seconds=50)
    held.put("name", "second")
    clock.move(seconds=50)
    assert held.get("name") == "second"


def test_the_oldest_makes_room() -> None:
    """At the cap nothing goes, beyond it the oldest; what has ended goes first."""
    clock = Clock()
    held: Expiring[int] = Expiring(timedelta(minutes=1), 3, clock)
    for number in range(3):
        held.put(str(number), number)
    assert [held.get(str(number)) for number in range(3)] == [0, 1, 2]
    held.put("3", 3)
    assert [held.get(str(number)) for number in range(4)] == [None, 1, 2, 3]
    clock.move(minutes=1)
    held.put("4", 4)
    assert len(held) == 1
