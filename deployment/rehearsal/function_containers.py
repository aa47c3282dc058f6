"""Functions from their image: what MiniStack's Lambda needs, so that containers run as Lambda runs them.

MiniStack starts a container from a function's image with the entry point that Terraform configured, and sends
invocations to its port 8080. What listens there, and where credentials and addresses come from, is in
`function_container`, which every container finds mounted. Its system is read-only but for `/tmp`, as in AWS.
"""

from __future__ import annotations

import inspect
import json
import re
import shlex
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from deployment import programs
from deployment.errors import DeploymentError
from deployment.rehearsal import function_container
from deployment.rehearsal.function_container import AWS_PORT, SOCKET, VARIABLES, UnixRelay, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# What the Dockerfile builds on, and the variable that names another than its own.
_BASE: Final = re.compile(r"^ARG BASE=(\S+)$", re.MULTILINE)
OTHER_BASE: Final = "SMAS_TEST_BASE_IMAGE"
# Told to `start_ministack`.
IMAGE: Final = "SMAS_REHEARSAL_IMAGE"
_TAG: Final = "smas:rehearsal"
_MOUNTED: Final = "/var/function-container"
_PATH: Final = "PATH="
_PULL_SECONDS: Final = 120.0
# https://man7.org/linux/man-pages/man7/unix.7.html: the longest path of a socket.
_LONGEST_SOCKET: Final = 107


class NoEngine(Exception):
    """Functions cannot run from the image here; the text is a clause that says why."""


def base_image(repository: Path, environment: Mapping[str, str]) -> str:
    """What the image can be built on here. Raises `NoEngine` where there is no engine, or no such image."""
    if shutil.which("docker", path=environment.get("PATH")) is None:
        raise NoEngine("there is no container engine (no docker on the path)")
    answer = programs.ask(["docker", "version", "--format", "{{.Server.Version}}"], environment, seconds=10)
    if answer.code != 0:
        reason = f"no container engine answers (docker says: {answer.last_words})"
        raise NoEngine(reason)
    found = _BASE.search((repository / "Dockerfile").read_text(encoding="utf-8"))
    base = environment.get(OTHER_BASE) or (found[1] if found else "")
    if programs.ask(["docker", "image", "inspect", base], environment).code != 0:
        pulled = programs.ask(["docker", "pull", "--quiet", base], environment, seconds=_PULL_SECONDS)
        if pulled.code != 0:
            reason = (
                f"the base image {base} cannot be pulled ({pulled.last_words}); {OTHER_BASE} names another"
            )
            raise NoEngine(reason)
    return base


@dataclass(frozen=True, slots=True)
class FunctionContainers:
    """The containers of one rehearsal's functions.

    `folder` is mounted into them; `image` is what they run, by a name that the engine knows.
    """

    folder: Path
    image: str

    @classmethod
    def built(cls, folder: Path, repository: Path, environment: Mapping[str, str]) -> FunctionContainers:
        """Of the image, built from `repository`.

        Raises `NoEngine` where none can be built, and `DeploymentError` when building fails.
        """
        base = base_image(repository, environment)
        command = ["docker", "build", "--quiet", "--tag", _TAG]
        command += ["--build-arg", f"BASE={base}", str(repository)]
        done = programs.ask(command, environment)
        if done.code != 0:
            message = f"The image cannot be built: {done.errors.strip()[-2000:]}"
            raise DeploymentError(message)
        return cls(folder, done.output.strip().splitlines()[-1])

    def prepare(self) -> None:
        """Make the folder, before MiniStack starts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # The image runs as somebody of its own.
        self.folder.chmod(0o755)
        if len(str(self.folder / SOCKET)) > _LONGEST_SOCKET:
            message = f"{self.folder} is too long a path for a socket in it: rehearse in a folder further up."
            raise DeploymentError(message)
        program = self.folder / "python"
        program.write_text("#!/usr/bin/env python3\n" + inspect.getsource(function_container))
        program.chmod(0o755)

    def ministack_environment(self, ours: str, environment: Mapping[str, str]) -> dict[str, str]:
        """What MiniStack has to be started with; `ours` is the address of our own local AWS.

        Raises `DeploymentError` if the engine has no such image.
        """
        flags = [
            *("--volume", f"{self.folder}:{_MOUNTED}:ro"),
            *("--env", f"PATH={_MOUNTED}:{self._path(environment)}"),
            *("--env", f"{AWS_PORT}={urlsplit(ours).port}"),
            *("--read-only", "--tmpfs", "/tmp:mode=1777,size=512m"),  # noqa: S108 - a function's own
            *("--security-opt", "no-new-privileges"),
        ]
        return {"LAMBDA_DOCKER_FLAGS": shlex.join(flags), "LAMBDA_STRICT": "1", IMAGE: self.image}

    def give(self, variables: Mapping[str, Mapping[str, str]]) -> None:
        """Give functions, by name, credentials and addresses; containers that start later have them."""
        written = self.folder / f"{VARIABLES}.new"
        written.write_text(json.dumps(variables))
        written.chmod(0o644)
        written.replace(self.folder / VARIABLES)

    @contextmanager
    def reaching(self, ours: str) -> Iterator[None]:
        """As long as the block runs, `localhost` inside leads to our own local AWS, which is at `ours`."""
        path = self.folder / SOCKET
        path.unlink(missing_ok=True)
        with UnixRelay(str(path), ("127.0.0.1", urlsplit(ours).port)) as relay:
            path.chmod(0o666)
            serving(relay)
            try:
                yield
            finally:
                relay.shutdown()
                path.unlink(missing_ok=True)

    def _path(self, environment: Mapping[str, str]) -> str:
        for variable in json.loads(self._inspect("{{json .Config.Env}}", environment)):
            if variable.startswith(_PATH):
                return str(variable.removeprefix(_PATH))
        message = f"The image {self.image} says no PATH: its Python cannot be found."
        raise DeploymentError(message)

    def _inspect(self, form: str, environment: Mapping[str, str]) -> str:
        command = ["docker", "image", "inspect", "--format", form, self.image]
        said = programs.ask(command, environment)
        if said.code != 0:
            message = f"The engine has no image {self.image} ({said.last_words})."
            raise DeploymentError(message)
        return said.output.strip()
