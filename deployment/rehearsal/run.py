"""Runs the steps of a rehearsal, one after the other, and says how long each took."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from deployment.errors import DeploymentError, Interrupted
from deployment.rehearsal.applied import rehearsal
from deployment.rehearsal.emulators import REPOSITORY
from deployment.rehearsal.function_containers import FunctionContainers, NoEngine
from deployment.rehearsal.limits import describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from deployment.rehearsal.steps import Step


def rehearse(steps: Sequence[Step], state: Path, plugins: Path | None) -> None:
    """Run all of `steps` on emulators of their own, which are stopped at the end, however it comes.

    Raises `DeploymentError` at the first step that fails, with where its words are.
    """
    clock = _Clock()
    took: list[tuple[str, float]] = []
    containers, no_containers = None, ""
    if any(step.in_containers for step in steps):
        clock.say("building the image, for functions in containers")
        try:
            containers = FunctionContainers.built(state / "functions", REPOSITORY, os.environ)
        except NoEngine as error:
            no_containers = str(error)
    clock.say("starting the emulators: our local AWS, unprovisioned, and MiniStack")
    with rehearsal(state, plugins, containers) as rehearsed:
        rehearsed.no_containers = no_containers
        ours, ministack = rehearsed.endpoints.ours, rehearsed.endpoints.ministack
        clock.say(f"AWS is at {ours}, and for what that lacks at {ministack}")
        for number, step in enumerate(steps, 1):
            begun = time.monotonic()
            clock.say(f"step {number} of {len(steps)}: {step.title}")
            try:
                step.run(rehearsed, lambda text: clock.say(f"  {text}"))
            except Interrupted:
                raise
            except DeploymentError as error:
                said = f"What was said is in {rehearsed.words.name}."
                message = f"The rehearsal failed at step {number}, {step.title}: {error}\n{said}"
                raise DeploymentError(message) from error
            took.append((step.title, time.monotonic() - begun))
        clock.say("stopping the emulators")
    width = max(len(title) for title, _ in took)
    print(f"\nrehearsed in {clock.seconds:.0f} s:")
    for title, seconds in took:
        print(f"  {title:<{width}}  {seconds:6.1f} s")
    print(f"\n{describe()}")


class _Clock:
    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def say(self, text: str) -> None:
        print(f"[{self.seconds:6.1f} s] {text}", file=sys.stderr, flush=True)
