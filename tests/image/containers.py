"""The image in the hands of an engine on this machine, if there is one."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
from smas_emulator import engine
from smas_emulator.compose import DEFAULT_BASE_IMAGE

from tests.image.function import LambdaFunction
from tests.local_aws import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# A base image other than the Dockerfile's own, where that cannot be pulled.
BASE: Final = os.environ.get("SMAS_TEST_BASE_IMAGE", "")
_PASSED_ON: Final = ("AWS_", "SMAS_")
# Any user but root and the image's own: Lambda chooses one of its own, too.
_SOMEBODY: Final = "12345:12345"


def docker(*arguments: str, timeout: int = 60) -> str:
    """Run the engine's client; its output. Fails the test with what it says."""
    ended = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False, cwd=REPOSITORY
    )
    if ended.returncode:
        pytest.fail(f"docker {' '.join(arguments[:3])} failed: {ended.stderr[-2000:]}", pytrace=False)
    return ended.stdout


@cache
def why_no_image() -> str:
    """Why no image can be built and run here; empty if it can."""
    try:
        engine.require_engine()
        engine.require_image(BASE or DEFAULT_BASE_IMAGE)
    except engine.NoContainers as error:
        return error.reason
    return ""


def build(tag: str, *options: str) -> str:
    """Build the image under ``tag``; its id."""
    base = ["--build-arg", f"BASE={BASE}"] if BASE else []
    docker("build", "--quiet", "--tag", tag, *base, *options, ".", timeout=900)
    return docker("image", "inspect", "--format", "{{.Id}}", tag).strip()


def inspected(image: str) -> dict[str, Any]:
    """What the engine knows of an image."""
    return dict(json.loads(docker("image", "inspect", image))[0])


# The local AWS listens on this machine's loopback only.
HOST_NETWORK: Final = ("--network", "host")


def hardened(
    image: str, variables: Sequence[str], *, name: str, network: Sequence[str] = HOST_NETWORK
) -> list[str]:
    """The start of a command line that runs ``image`` as little trusted as it can be.

    Read-only, as somebody, without capabilities; ``variables`` are ``NAME=value``, or ``NAME`` alone for the
    client's own value.
    """
    return [
        *("docker", "run", "--rm", "--name", name, *network, "--read-only", "--user", _SOMEBODY),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "512m"),
        *(part for variable in variables for part in ("--env", variable)),
        image,
    ]


@contextmanager
def running(
    image: str, settings: Mapping[str, str], *command: str, network: Sequence[str] = HOST_NETWORK
) -> Iterator[str]:
    """A hardened container with ``settings`` in its environment, by its name; removed at the end."""
    name = f"smas-test-{uuid4().hex[:12]}"
    variables = [f"{each}={value}" for each, value in settings.items() if each.startswith(_PASSED_ON)]
    line = hardened(image, variables, name=name, network=network)
    line[line.index("--rm")] = "--detach"
    docker(*line[1:], *command)
    try:
        yield name
    finally:
        docker("rm", "--force", name)


def log_of(name: str) -> str:
    """What a container has written."""
    written = subprocess.run(
        ["docker", "logs", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    return written.stdout


def wait_for(what: str, asked: Callable[[], str]) -> None:
    """Return once what ``asked`` answers holds ``what``; fail the test after a minute."""
    deadline = time.monotonic() + 60
    while what not in (answer := asked()):
        if time.monotonic() > deadline:
            pytest.fail(f"no {what!r} within a minute: {answer[-2000:]}", pytrace=False)
        time.sleep(0.2)


class ContainerFunction(LambdaFunction):
    """A function in a container of the image, run by the image's own runtime client."""

    def __init__(self, image: str, handler: str, environment: Mapping[str, str]) -> None:
        self.name = f"smas-test-{uuid4().hex[:12]}"
        given = {name: value for name, value in environment.items() if name.startswith(_PASSED_ON)}
        variables = [*given, "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_LOG_FORMAT"]
        super().__init__(
            handler,
            {**os.environ, **given},
            command=[*hardened(image, variables, name=self.name), "python", "-m", "awslambdaric"],
        )

    def _end(self) -> None:
        subprocess.run(["docker", "kill", self.name], capture_output=True, timeout=60, check=False)
        super()._end()
