"""Functions as processes over the local AWS, and the built image where an engine answers."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from tests.image.containers import build, why_no_image
from tests.image.environments import of_function
from tests.image.function import LambdaFunction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.local_aws import LocalStack

TAG = "smas-test"


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Let what runs the runtime client or an engine open sockets, and skip it by name where it cannot run."""
    has_client = importlib.util.find_spec("awslambdaric") is not None
    reason: str | None = None
    for item in items:
        if item.get_closest_marker("runtime_client"):
            item.add_marker("enable_socket")
            if not has_client:
                item.add_marker(pytest.mark.skip(reason="Lambda's runtime client is made for Linux only"))
        if item.get_closest_marker("container_engine"):
            item.add_marker("enable_socket")
            if reason is None:
                reason = why_no_image()
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def api(local_aws: LocalStack) -> Iterator[LambdaFunction]:
    """The API's function."""
    with LambdaFunction("service.lambda_handler.api", of_function(local_aws, "api")) as function:
        yield function


@pytest.fixture(scope="module")
def verifier(local_aws: LocalStack) -> Iterator[LambdaFunction]:
    """The verifier's function."""
    with LambdaFunction("service.lambda_handler.verifier", of_function(local_aws, "verifier")) as function:
        yield function


@pytest.fixture(scope="session")
def image() -> str:
    """The image, built from this tree, by its tag."""
    build(TAG)
    return TAG
