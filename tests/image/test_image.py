"""The image itself, where an engine answers: what is in it, how it runs, and the same function in it.

`SMAS_TEST_BASE_IMAGE` names a base where the Dockerfile's own cannot be pulled.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import urllib3

from tests.image.containers import ContainerFunction, build, docker, inspected, log_of, running, wait_for
from tests.image.environments import of_function
from tests.image.events import EVENTS, load
from tests.image.function import FunctionFailed
from tests.image.test_runtime import API, SETTINGS, VERIFIER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_aws import LocalStack

pytestmark = [pytest.mark.container_engine, pytest.mark.timeout(900)]

# What the service and its libraries may add to the base.
MOST_ADDED_BYTES = 90_000_000


@pytest.fixture(scope="module")
def about(image: str) -> dict[str, Any]:
    """What the engine knows of the image."""
    return inspected(image)


def inside(image: str, *command: str) -> str:
    """What a command prints in a hardened container of the image."""
    return docker("run", "--rm", "--read-only", "--cap-drop", "ALL", "--network", "none", image, *command)


def test_it_runs_as_nobody_in_particular(about: dict[str, Any]) -> None:
    """A number, so that an orchestrator can see that it is not root."""
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", about["Config"]["User"])


def test_it_says_what_it_is(about: dict[str, Any]) -> None:
    """In the labels of the OCI; which port, and how to see that it is well."""
    assert set(about["Config"]["Labels"]) >= {
        f"org.opencontainers.image.{name}" for name in ("title", "version", "revision", "source", "base.name")
    }
    assert about["Config"]["ExposedPorts"] == {"8080/tcp": {}}
    assert about["Config"]["Healthcheck"]["Test"][0] == "CMD"


def test_it_holds_the_service_and_nothing_beside_it(image: str) -> None:
    """No tests, no client, no state, no installer; bytecode for all of it, writable by nobody but root."""
    listed = inside(image, "find", "/srv", "/opt/smas", "-type", "f", "-name", "*.py")
    sources = listed.split()
    assert "/srv/service/wsgi.py" in sources
    assert {path.split("/")[2] for path in sources if path.startswith("/srv/")} == {"service"}
    assert not [path for path in sources if "/site-packages/pip/" in path]
    compiled = set(inside(image, "find", "/srv/service", "-type", "f", "-name", "*.pyc").split())
    assert len(compiled) == len([path for path in sources if path.startswith("/srv/service/")])
    assert inside(image, "find", "/srv", "/opt/smas", "-perm", "/022", "-not", "-type", "l") == ""


def test_it_adds_little_to_its_base(about: dict[str, Any]) -> None:
    """Most of it is botocore's descriptions of services."""
    base = inspected(about["Config"]["Labels"]["org.opencontainers.image.base.name"])
    assert about["Size"] - base["Size"] < MOST_ADDED_BYTES


def test_two_builds_have_the_same_layers(about: dict[str, Any]) -> None:
    """From one tree, without a cache; only the time of building, which the engine adds, is another."""
    tag = f"smas-test-again-{uuid4().hex[:8]}"
    build(tag, "--no-cache")
    try:
        again = inspected(tag)
        assert again["RootFS"]["Layers"] == about["RootFS"]["Layers"]
        assert again["Config"]["Cmd"] == about["Config"]["Cmd"]
        assert again["Config"]["Env"] == about["Config"]["Env"]
    finally:
        docker("image", "rm", tag)


@pytest.fixture(scope="module")
def served(image: str) -> Iterator[str]:
    """A container of the HTTP service, by its name, with a port of this machine."""
    with running(image, SETTINGS, network=["--publish", "127.0.0.1::8080"]) as name:
        yield name


def health(name: str) -> str:
    """What the engine thinks of a container."""
    return docker("inspect", "--format", "<{{.State.Health.Status}}>", name)


def test_the_default_command_serves_http(served: str) -> None:
    """On a read-only root file system, as any user, and the engine sees that it is well."""
    wait_for("<healthy>", lambda: health(served))
    address = docker("port", served, "8080/tcp").split()[0]
    http = urllib3.PoolManager(retries=False)
    assert http.request("GET", f"http://{address}/healthz").status == 200
    assert http.request("GET", f"http://{address}/v1/whoami").status == 401


def test_every_line_it_writes_is_json(served: str) -> None:
    """gunicorn's, too."""
    wait_for("Booting worker", lambda: log_of(served))
    assert all(isinstance(json.loads(line), dict) for line in log_of(served).splitlines())


def test_it_stops_when_it_is_asked_to(image: str) -> None:
    """SIGTERM reaches gunicorn, which is the first process: nothing stands between."""
    with running(image, SETTINGS, network=["--network", "none"]) as name:
        wait_for("Booting worker", lambda: log_of(name))
        assert stopped(name) == "0"


def stopped(name: str) -> str:
    """The exit code of a container that was asked to stop."""
    docker("stop", "--time", "30", name)
    return docker("inspect", "--format", "{{.State.ExitCode}}", name).strip()


@pytest.mark.parametrize("handler", [API, VERIFIER])
def test_the_image_is_a_lambda_image(image: str, handler: str) -> None:
    """Its own runtime client reports a start that fails."""
    settings = {name: value for name, value in SETTINGS.items() if name != "SMAS_BUCKET"}
    with (
        ContainerFunction(image, handler, settings) as function,
        pytest.raises(FunctionFailed, match=r"^SMAS_BUCKET is missing$"),
    ):
        function.wait_until_initialised()


def test_the_image_answers_the_upload_event(image: str, local_aws: LocalStack) -> None:
    """Over the local AWS, with the role's credentials: an upload URL, and one JSON object a line."""
    with ContainerFunction(image, API, of_function(local_aws, "api")) as function:
        outcome = function.invoke(load(EVENTS / "upload_event.json", local_aws.token))
        assert outcome.payload["statusCode"] == 200
        (file,) = json.loads(outcome.payload["body"])["files"]
        assert file["state"] in {"single", "stored"}
        assert all(function.log_lines())


def test_the_image_verifies(image: str, local_aws: LocalStack) -> None:
    """And hands back what is no message."""
    event = load(EVENTS / "sqs_partial_failure_event.json", str)
    with ContainerFunction(image, VERIFIER, of_function(local_aws, "verifier")) as function:
        second = event["Records"][1]["messageId"]
        assert function.invoke(event, seconds=60).payload == {
            "batchItemFailures": [{"itemIdentifier": second}]
        }


def test_the_worker_runs_in_it(image: str, local_aws: LocalStack) -> None:
    """The other way to verify: a process of its own."""
    with running(image, of_function(local_aws, "verifier"), "python", "-m", "service.worker") as name:
        wait_for("verifier ready", lambda: log_of(name))
        assert stopped(name) == "0"
