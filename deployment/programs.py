"""Other programs, run to their end: what they say is either for us or for the user, never for both."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployment.errors import DeploymentError, Interrupted
from deployment.interrupts import held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it wrote."""

    code: int
    output: str
    errors: str

    @property
    def last_words(self) -> str:
        """The last line it wrote that says anything."""
        lines = [line.strip() for line in f"{self.output}\n{self.errors}".splitlines() if line.strip()]
        return lines[-1] if lines else "nothing"


def require(program: str, environment: Mapping[str, str], remedy: str) -> None:
    """Raise `DeploymentError` with `remedy` unless the program is on the path."""
    if shutil.which(program, path=environment.get("PATH")) is None:
        message = f"There is no {program} on the path: {remedy}."
        raise DeploymentError(message)


def ask(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    stdin: str = "",
    seconds: float | None = None,
) -> Ended:
    """Run a program whose output is for us; code 124 if it took longer than `seconds`."""
    try:
        ended = subprocess.run(
            command,
            env=environment,
            cwd=folder,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ended(124, "", f"no answer within {seconds:g} seconds")
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def show(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    asks: bool = True,
) -> int:
    """Run a program that talks with the user; its exit code.

    It is of our process group, so an interrupt from the keyboard reaches it without us. One that asks nothing
    (`asks`) gets a group of its own, all of which is interrupted with us: also what a script is at.
    """
    running: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int) -> None:
        for process in running:
            if not asks:
                with suppress(ProcessLookupError):  # it has ended by itself
                    os.killpg(process.pid, signal.SIGINT)
            elif number != signal.SIGINT:
                process.terminate()

    with held(pass_on) as interrupts:
        group = None if asks else 0
        running.append(subprocess.Popen(command, env=environment, cwd=folder, process_group=group))
        for number in interrupts:  # that came while it was being started
            pass_on(number)
        code = running[0].wait()
    if interrupts:
        message = f"Interrupted; {command[0]} has ended. Run the same command again to go on."
        raise Interrupted(message)
    return code
