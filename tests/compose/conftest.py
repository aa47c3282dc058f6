"""The stack in containers, for one pytest session; skipped by name where it cannot run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from smas_emulator import engine
from smas_emulator.compose import DEFAULT_BASE_IMAGE

from tests.e2e.conftest import Stack
from tests.image.containers import BASE, why_no_image
from tests.local_aws import LocalStack, free_port, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UP = ("up", "--runtime", "docker", "--base-image", BASE or DEFAULT_BASE_IMAGE)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Let what runs containers open sockets, and skip it where no engine, Compose or base image is."""
    reason: str | None = None
    for item in items:
        if "containers" not in getattr(item, "fixturenames", ()):
            continue
        if reason is None:
            reason = _why_not()
        item.add_marker("container_engine")
        item.add_marker("enable_socket")
        item.add_marker(pytest.mark.timeout(900))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def _why_not() -> str:
    try:
        engine.compose_command()
    except engine.NoContainers as error:
        return error.reason
    return why_no_image()


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Emulator, service, worker and shipper in containers, on ports of their own; removed at the end."""
    state = tmp_path_factory.mktemp("compose") / "state"
    port, aws_port = free_port(), free_port()
    ports = ("--port", str(port), "--aws-port", str(aws_port), "--sweep-seconds", "2")
    started = run_stack(state, *UP, *ports, timeout=900)
    if started.returncode:
        pytest.fail(f"The stack did not start: {started.stderr}", pytrace=False)
    yield Stack(LocalStack(state), f"http://localhost:{port}")
    run_stack(state, "down")
