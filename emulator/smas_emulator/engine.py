"""The container engine of this machine, and the Compose that drives it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smas_emulator.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ANSWER_SECONDS = 3.0
NO_SUCH_PROGRAM = 127
KEPT_IMAGE = "smas-emulator:local"
_PULL_SECONDS = 600.0
_COMPOSE_COMMANDS = (("docker", "compose"), ("docker-compose",))
# Compose prefers these to the settings it is given.
_FOREIGN = ("SMAS_", "COMPOSE_")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code and all it wrote, stderr after stdout."""

    code: int
    output: str
    errors: str

    @property
    def last_words(self) -> str:
        """The last line it wrote that says anything, without its final period; may be empty."""
        lines = [line.strip() for line in f"{self.output}\n{self.errors}".splitlines() if line.strip()]
        return lines[-1].rstrip(".") if lines else ""


def run(command: Sequence[str], timeout: float | None = None) -> Ended:
    """Run a command to its end; code 127 without such a program, 124 if it took longer than `timeout`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    try:
        ended = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except OSError as error:
        return Ended(NO_SUCH_PROGRAM, "", str(error))
    except subprocess.TimeoutExpired:
        return Ended(124, "", f"no answer within {timeout:g} seconds")
    return Ended(ended.returncode, ended.stdout, ended.stderr)


class NoContainers(StackError):
    """Nothing can run in containers here: `reason` is a clause that says why, the whole also what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        sentence = f"{reason[0].upper()}{reason[1:]}"
        super().__init__(f"{sentence}; {remedy}, or run `make up RUNTIME=native`, which needs none.")
        self.reason = reason


def require_engine() -> None:
    """Raise `NoContainers` unless an engine answers."""
    answer = run(("docker", "version", "--format", "{{.Server.Version}}"), ANSWER_SECONDS)
    if answer.code == NO_SUCH_PROGRAM:
        reason = "there is no container engine here (no `docker` on the path)"
        raise NoContainers(reason, "install one")
    if answer.code:
        reason = f"no container engine answers (docker says: {answer.last_words})"
        raise NoContainers(reason, "start it")


def compose_command() -> tuple[str, ...]:
    """How Compose is called here. Raises `NoContainers` if no engine answers or there is no Compose."""
    require_engine()
    for command in _COMPOSE_COMMANDS:
        if run((*command, "version")).code == 0:
            return command
    reason = "there is a container engine, but neither `docker compose` nor `docker-compose`"
    raise NoContainers(reason, "install one of them")


def require_image(name: str) -> None:
    """Have an image here, pulled if need be. Raises `NoContainers` when it cannot be had."""
    if run(("docker", "image", "inspect", name)).code == 0:
        return
    pulled = run(("docker", "pull", "--quiet", name), _PULL_SECONDS)
    if pulled.code:
        reason = f"the base image {name} cannot be pulled ({pulled.last_words})"
        raise NoContainers(reason, "name one that is here with BASE=<image>")


def emulator_image(project: str) -> str:
    """The project's own name of the emulator's image.

    With one name for all, Compose would replace a running emulator by one that another project built, and it
    would have forgotten everything.
    """
    return f"smas-emulator:{project}"


@dataclass(frozen=True, slots=True)
class Compose:
    """One project of Compose: how it is called, its name, the settings it reads and its files.

    Of several files, each adds to those before; paths in all of them are seen from the first.
    """

    command: tuple[str, ...]
    project: str
    settings: Path
    files: tuple[Path, ...]

    def run(self, *arguments: str) -> Ended:
        """Run one of Compose's commands to its end."""
        options = ("--project-name", self.project, "--env-file", str(self.settings))
        files = (part for file in self.files for part in ("--file", str(file)))
        return run((*self.command, *options, *files, *arguments))

    def keep_what_was_built(self) -> None:
        """Give the emulator's image a second name, so that removing the first leaves it in the cache."""
        run(("docker", "tag", emulator_image(self.project), KEPT_IMAGE))

    def forget_image(self) -> None:
        """Remove the project's own name of the emulator's image."""
        run(("docker", "image", "rm", emulator_image(self.project)))

    def conditions(self) -> dict[str, str]:
        """What the engine says of each of the project's containers, like "Up 3 minutes (healthy)".

        By the name of its service. Raises `StackError` if the engine does not answer.
        """
        label = "com.docker.compose"
        asked = ("--all", "--filter", f"label={label}.project={self.project}")
        form = f'{{{{.Label "{label}.service"}}}}\t{{{{.Status}}}}'
        answer = run(("docker", "ps", *asked, "--format", form))
        if answer.code:
            msg = f"The container engine does not answer ({answer.last_words})."
            raise StackError(msg)
        rows = (line.split("\t", 1) for line in answer.output.splitlines() if line)
        return dict(rows)
