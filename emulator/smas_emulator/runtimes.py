"""Whether the stack runs as processes of this machine (`native`) or in containers (`docker`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator import engine
from smas_emulator.compose import DEFAULT_BASE_IMAGE
from smas_emulator.errors import StackError
from smas_emulator.processes import ProcessTable, is_running

if TYPE_CHECKING:
    from smas_emulator.state import StateDirectory
    from smas_emulator.supervisor import Say

NATIVE, DOCKER, AUTO = "native", "docker", "auto"
_WORDS = {NATIVE: "as processes of this machine", DOCKER: "in containers"}


def running_runtime(state: StateDirectory) -> str | None:
    """Which one this state directory's stack was started with; None if it does not run."""
    if state.compose_env.exists():
        return DOCKER
    records = ProcessTable(state.processes).read()
    return NATIVE if any(is_running(record) for record in records.values()) else None


def choose_runtime(state: StateDirectory, wish: str | None, base_image: str | None, say: Say) -> str:
    """The runtime to start with: what runs already, else as wished; `auto` is containers where they can run.

    Without a wish it is native. Raises `StackError` if the other one runs.
    """
    running = running_runtime(state)
    if running is not None:
        if wish in {None, AUTO, running}:
            return running
        msg = f"The stack already runs {_WORDS[running]}; run `make down` first to have it {_WORDS[wish]}."
        raise StackError(msg)
    if wish != AUTO:
        return wish or NATIVE
    try:
        engine.compose_command()
        engine.require_image(base_image or DEFAULT_BASE_IMAGE)
    except engine.NoContainers as error:
        say(f"starting {_WORDS[NATIVE]}: {error.reason}")
        return NATIVE
    return DOCKER
