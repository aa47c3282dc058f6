"""The whole stack as `make up` starts it, on ports of its own, for one pytest session."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import psutil
import pytest
from smas_emulator.compose_start import LOGS
from smas_emulator.state import read_env_file

from tests.e2e.applied import IN_REHEARSAL, AppliedAws, rehearsed_state
from tests.e2e.client import Client
from tests.image.containers import BASE, docker
from tests.local_aws import LocalStack, free_port, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# `SMAS_TEST_RUNTIME=docker` runs these tests on the stack in containers, on another base image where
# `SMAS_TEST_BASE_IMAGE` names one.
IN_CONTAINERS = os.environ.get("SMAS_TEST_RUNTIME") == "docker"
RUNTIME = (
    ("--runtime", "docker", *(("--base-image", BASE) if BASE else ()))
    if IN_CONTAINERS
    else ("--runtime", "native")
)
# `SMAS_TEST_RUNTIME=rehearsal` runs them on the stack that `make rehearse` applied.
NATIVE_BY_NATURE = "runs a service and a worker of its own as processes over the local AWS"

NO_PASSWORD = "signs in by name and password, which the deployed client takes on its page alone"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "password_sign_in: sends a password from the command line")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """What uses the stack needs the local AWS and sockets; the rest is the same without containers."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "stack" in names:
            item.add_marker("local_aws")
            item.add_marker("enable_socket")
            if IN_CONTAINERS:
                item.add_marker(pytest.mark.timeout(1200))  # the first may build the images
        elif (IN_CONTAINERS and "local_aws" in names) or IN_REHEARSAL:
            item.add_marker(pytest.mark.skip(reason=NATIVE_BY_NATURE))
        if IN_REHEARSAL and (password := item.get_closest_marker("password_sign_in")):
            item.add_marker(pytest.mark.skip(reason=NO_PASSWORD, **password.kwargs))


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    aws: LocalStack
    url: str

    def user(self, name: str) -> Client:
        """A client signed in as a local user."""
        return Client(self.url, self.aws.token(name))

    def machine(self) -> Client:
        """A client with the machine's token."""
        return Client(self.url, self.aws.machine_token())

    def process(self, name: str) -> psutil.Process:
        """The process of a program (`localstack`, `service`, `worker`), to do it harm."""
        settings = self.aws.state / "compose.env"
        if settings.exists():
            return self._process_in_container(read_env_file(settings)["COMPOSE_PROJECT_NAME"], name)
        records = json.loads((self.aws.state / "processes.json").read_text(encoding="utf-8"))
        return psutil.Process(next(record["pid"] for record in records if record["name"] == name))

    def _process_in_container(self, project: str, name: str) -> psutil.Process:
        """As this machine sees it, where the engine's containers are processes of it too."""
        service = {log: service for service, log in LOGS.items()}[name]
        labels = (f"project={project}", f"service={service}")
        filters = [f"--filter=label=com.docker.compose.{label}" for label in labels]
        container = docker("ps", "--quiet", *filters).strip()
        first = psutil.Process(int(docker("inspect", "--format", "{{.State.Pid}}", container)))
        # An init, the script that doubles the output, and then the program beside what writes the log.
        (script,) = first.children()
        (program,) = (child for child in script.children() if child.name() != "tee")
        return program


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Emulator, service and worker; stopped at the end by the ids they were started with.

    In a rehearsal they run already, and go on.
    """
    if IN_REHEARSAL:
        applied = AppliedAws(rehearsed_state())
        yield Stack(applied, str(applied.stack["service_url"]))
        return
    state = tmp_path_factory.mktemp("stack") / "state"
    port, aws_port = free_port(), free_port()
    up = ("up", "--port", str(port), "--aws-port", str(aws_port), "--sweep-seconds", "2", *RUNTIME)
    # In containers, the images may have to be built first.
    started = run_stack(state, *up, timeout=900)
    if started.returncode:
        run_stack(state, "down")
        pytest.fail(f"The stack did not start: {started.stderr}", pytrace=False)
    yield Stack(LocalStack(state), f"http://localhost:{port}")
    run_stack(state, "down")


@pytest.fixture
def model() -> str:
    """A model nobody else uses."""
    return f"fraud/e2e-{uuid4().hex[:10]}"
