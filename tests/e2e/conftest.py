"""The whole stack as `make up` starts it, on ports of its own, for one pytest session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.e2e.client import Client
from tests.local_aws import LocalStack, free_port, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Everything that uses the stack needs the local AWS and sockets."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker("local_aws")
            item.add_marker("enable_socket")


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


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Emulator, service and worker; stopped at the end by the ids they were started with."""
    state = tmp_path_factory.mktemp("stack") / "state"
    port, aws_port = free_port(), free_port()
    up = ("up", "--port", str(port), "--aws-port", str(aws_port), "--sweep-seconds", "2")
    started = run_stack(state, *up)
    if started.returncode:
        run_stack(state, "down")
        pytest.fail(f"The stack did not start: {started.stderr}", pytrace=False)
    yield Stack(LocalStack(state), f"http://localhost:{port}")
    run_stack(state, "down")


@pytest.fixture
def model() -> str:
    """A model nobody else uses."""
    return f"fraud/e2e-{uuid4().hex[:10]}"
