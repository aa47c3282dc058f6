"""How a rehearsal goes through its steps, on emulators that are not there."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from deployment.errors import DeploymentError, Interrupted
from deployment.rehearsal import run
from deployment.rehearsal.limits import LIMITS
from deployment.rehearsal.run import rehearse
from deployment.rehearsal.steps import STEPS, Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Emulated:
    """Counts how often emulators were started and stopped."""

    def __init__(self) -> None:
        self.started = self.stopped = 0

    @contextmanager
    def rehearsal(self, *_given: Any) -> Iterator[Any]:
        """Stands for emulators."""
        self.started += 1
        try:
            endpoints = SimpleNamespace(ours="http://localhost:1", ministack="http://localhost:2")
            yield SimpleNamespace(endpoints=endpoints, words=SimpleNamespace(name="the.log"))
        finally:
            self.stopped += 1


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> Emulated:
    """Emulators that only count."""
    made = Emulated()
    monkeypatch.setattr(run, "rehearsal", made.rehearsal)
    return made


def test_steps_run_in_order_and_each_is_named_with_its_duration(
    emulated: Emulated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While it runs, what goes on; at the end, how long each took, and what was not rehearsed."""
    rehearse(
        [
            Step("plough", lambda _, say: say("ploughed")),
            Step("sow", lambda _, say: say("sown")),
        ],
        tmp_path,
        None,
    )

    printed = capsys.readouterr()
    told = [line.partition("] ")[2] for line in printed.err.splitlines()]
    assert told[2:6] == ["step 1 of 2: plough", "  ploughed", "step 2 of 2: sow", "  sown"]
    assert [line.split()[0] for line in printed.out.splitlines()[2:4]] == ["plough", "sow"]
    assert all(limit.what in printed.out and limit.instead in printed.out for limit in LIMITS)
    assert (emulated.started, emulated.stopped) == (1, 1)


def test_the_first_step_that_fails_ends_it(
    emulated: Emulated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name, its reason and the log are in the error; nothing runs after it, and emulators are stopped."""

    def fail(_rehearsed: Any, _say: Any) -> None:
        raise DeploymentError("the harvest is bad")

    with pytest.raises(DeploymentError, match=r"step 1, reap: the harvest is bad\n.*the\.log"):
        rehearse([Step("reap", fail), Step("eat", lambda _, say: say("eaten"))], tmp_path, None)

    assert "eaten" not in capsys.readouterr().err
    assert emulated.stopped == 1


def test_an_interrupt_stops_the_emulators(emulated: Emulated, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a step leaves nothing behind that runs."""

    def interrupted(_rehearsed: Any, _say: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearse([Step("wait", interrupted)], tmp_path, None)

    assert emulated.stopped == 1


def test_steps_have_names_of_their_own() -> None:
    """They are chosen by name (--only)."""
    titles = [step.title for step in STEPS]

    assert len(titles) == len(set(titles))
    assert titles[-1] == "destroy"


def test_an_interrupt_that_terraform_heard_is_none_of_a_steps_faults(
    emulated: Emulated, tmp_path: Path
) -> None:
    """So that the command ends as one that was broken off."""

    def interrupted(_rehearsed: Any, _say: Any) -> None:
        raise Interrupted("broken off")

    with pytest.raises(Interrupted, match=r"^broken off$"):
        rehearse([Step("wait", interrupted)], tmp_path, None)

    assert emulated.stopped == 1
