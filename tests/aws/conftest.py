"""The store that these tests run against: the local AWS, unless `SMAS_TEST_AWS` asks for a real account."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.aws import door
from tests.aws.acts import Acts, Recorded
from tests.aws.asked import ACCOUNT, NotAsked, asked_account, outputs_of, require
from tests.aws.deployed import Deployed
from tests.aws.leftovers import Leftovers
from tests.aws.local import as_deployed
from tests.local_aws import LocalStack, free_port, run_stack
from tests.stack.stored_models import StoredModels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.aws.deployed import Person

LEFT_BEHIND = pytest.StashKey[list[str]]()
ON_AWS_SECONDS = 2700
WARNING = """\
account {account}, as was asked for. These tests make sessions of every role, write and remove objects of
models named aws-test-… and _aws-test-…, open a door into the roles of service and worker while they run, set
off alarms (denied calls, unknown sessions, changes of roles), and cost some cents: docs/testing-on-aws.md"""


def pytest_report_header() -> str | None:
    """Say what is going to happen, before it does."""
    account = os.environ.get(ACCOUNT)
    return f"AWS: {WARNING.format(account=account)}" if account else None


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """What asks for the store needs sockets, and on AWS more time than elsewhere."""
    for item in items:
        if "deployed" not in getattr(item, "fixturenames", ()):
            continue
        item.add_marker("enable_socket")
        if ACCOUNT in os.environ:
            item.add_marker(pytest.mark.timeout(ON_AWS_SECONDS))
        else:
            item.add_marker("local_aws")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what could not be removed."""
    for key in config.stash.get(LEFT_BEHIND, []):
        terminalreporter.write_line(f"left behind: {key}")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The deployed store; what is asked for and is not so ends the run before anything is done."""
    try:
        account = asked_account(os.environ)
        if account is not None:
            outputs = outputs_of(os.environ)
            found = Deployed(boto3.Session(), outputs, os.environ.get("AWS_ENDPOINT_URL"))
            require(account, found.caller, outputs)
            yield found
            return
    except NotAsked as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    state = tmp_path_factory.mktemp("deployed") / "state"
    ports = ("--port", str(free_port()), "--aws-port", str(free_port()))
    started = run_stack(state, "up", "--runtime", "native", "--sweep-seconds", "2", *ports)
    if started.returncode:
        run_stack(state, "down")
        pytest.fail(f"The local stack did not start: {started.stderr}", pytrace=False)
    yield as_deployed(LocalStack(state))
    run_stack(state, "down")


@pytest.fixture(scope="session")
def leftovers(store: Deployed, request: pytest.FixtureRequest) -> Iterator[Leftovers]:
    """The name of this run; what it wrote is removed at the end."""
    made = Leftovers(store)
    yield made
    left = made.remove()
    request.config.stash[LEFT_BEHIND] = left
    if left and not store.is_aws:
        pytest.fail(f"not removed: {left}", pytrace=False)


@pytest.fixture(scope="session")
def open_store(store: Deployed) -> Iterator[Deployed]:
    """The store, while the door into the roles of its processes is open."""
    roles = [f"{store.role_name_prefix}{process}" for process in ("service", "worker")]
    with door.opened(store.root_client("iam"), roles, store.caller.arn):
        yield store


@pytest.fixture(scope="session")
def acts(open_store: Deployed, leftovers: Leftovers) -> Acts:
    """What the trail is going to be asked about."""
    return Acts.done(open_store, leftovers)


@pytest.fixture(scope="session")
def deployed(open_store: Deployed, request: pytest.FixtureRequest) -> Deployed:
    """The store for a test. CloudTrail takes minutes: what it will be asked about is done before all else."""
    if any("recorded" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("acts")
    return open_store


@pytest.fixture(scope="session")
def recorded(deployed: Deployed, acts: Acts) -> Recorded:
    """What the trail has of the acts."""
    return acts.awaited(deployed)


@pytest.fixture(scope="session")
def models(deployed: Deployed, leftovers: Leftovers) -> StoredModels:
    """A model of two teams each, with an object of every kind; the store takes neither for a model."""
    return StoredModels.create(deployed, leftovers.unseen)


@pytest.fixture(scope="session")
def person(deployed: Deployed) -> Iterator[Person]:
    """Somebody signed in who publishes."""
    with deployed.signed_in() as somebody:
        yield somebody
