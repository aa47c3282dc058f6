"""The local AWS for tests: one emulator a session, started when a test first asks for `local_aws`.

A plug-in of pytest (see `conftest.py`). A test that uses the fixture is marked `local_aws` by itself and may
open sockets.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from tests.accounts import Keys, assume

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REPOSITORY = Path(__file__).parents[1]
EMULATOR_PYTHON = REPOSITORY / ".venv" / "emulator" / "bin" / "python"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "local_aws: needs the local AWS, in processes of its own")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what uses the local AWS, and let it reach it."""
    for item in items:
        if "local_aws" in getattr(item, "fixturenames", ()):
            item.add_marker("local_aws")
        if item.get_closest_marker("local_aws"):
            item.add_marker("enable_socket")


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def stack_command(state: Path, *arguments: str) -> list[str]:
    """The command line of the local stack for a state directory."""
    if not EMULATOR_PYTHON.exists():
        pytest.fail("The local AWS is not installed; run the tests with `make test`.", pytrace=False)
    return [str(EMULATOR_PYTHON), "-m", "smas_emulator.stack", "--state", str(state), *arguments]


def run_stack(
    state: Path, *arguments: str, cwd: Path = REPOSITORY, timeout: float = 180
) -> subprocess.CompletedProcess[str]:
    """Run one command of the local stack to its end, whatever its exit code."""
    return subprocess.run(
        stack_command(state, *arguments),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@dataclass(frozen=True)
class LocalStack:
    """A running and provisioned local AWS."""

    state: Path

    @cached_property
    def stack(self) -> dict[str, Any]:
        """The content of `stack.json`: addresses, ids, the machine client's secret."""
        return dict(json.loads((self.state / "stack.json").read_text(encoding="utf-8")))

    @cached_property
    def environment(self) -> dict[str, str]:
        """The content of `service.env`: what the service reads. `AWS_PROFILE` is for the user to add."""
        lines = (self.state / "service.env").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def endpoint(self) -> str:
        """Where AWS is."""
        return str(self.stack["aws_endpoint"])

    @property
    def bucket(self) -> str:
        """The store's bucket."""
        return str(self.stack["bucket"])

    @property
    def role_prefix(self) -> str:
        """What a role's name completes to its ARN."""
        return self.environment["SMAS_ROLE_PREFIX"]

    @property
    def machine_keys(self) -> Keys:
        """The only long-lived key there is but the root's: this machine's, which may become the processes."""
        file = ConfigParser()
        file.read(self.environment["AWS_SHARED_CREDENTIALS_FILE"])
        (section,) = file.sections()
        return Keys(file[section]["aws_access_key_id"], file[section]["aws_secret_access_key"])

    def process_keys(self, process: str) -> Keys:
        """A session of the role of a process: `service` or `worker`."""
        return assume(self, self.machine_keys, process)

    def token(self, user: str) -> str:
        """A fresh access token of a local user."""
        answer = self.root_client("cognito-idp").initiate_auth(
            ClientId=self.stack["people_client_id"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": self.stack["password"]},
        )
        return str(answer["AuthenticationResult"]["AccessToken"])

    def machine_token(self) -> str:
        """A fresh access token of the machine client, with all its scopes."""
        status, body = self.ask_for_token({"grant_type": "client_credentials"})
        assert status == 200, body
        return str(body["access_token"])

    def ask_for_token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and body of a request to the token endpoint with the machine's basic credentials."""
        credentials = f"{self.stack['machine_client_id']}:{self.stack['machine_client_secret']}".encode()
        request = urllib.request.Request(
            str(self.stack["token_url"]),
            data=urllib.parse.urlencode(form).encode(),
            headers={"Authorization": f"Basic {base64.b64encode(credentials).decode()}"},
        )
        return self.fetch(request)

    def fetch(self, request: urllib.request.Request | str) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of any answer, errors too."""
        try:
            with _DIRECT.open(request, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def root_client(self, service: str) -> Any:
        """A boto3 client of the account itself, to arrange a test and to look behind the scenes."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=self.stack["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(proxies={}, retries={"mode": "standard"}),
        )

    def process_environment(self, profile: str) -> dict[str, str]:
        """The environment of a program that is to run as `smas-service` or `smas-worker`."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SMAS_"))
        }
        return {**inherited, **self.environment, "AWS_PROFILE": profile, "no_proxy": "localhost,127.0.0.1"}


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The session's local AWS, provisioned, on a port of its own; stopped at the end by its process id."""
    state = tmp_path_factory.mktemp("local-aws") / "state"
    ports = ("--aws-port", str(free_port()), "--port", str(free_port()))
    started = run_stack(state, "up", "--only", "aws", *ports)
    if started.returncode:
        pytest.fail(f"The local AWS did not start: {started.stderr}", pytrace=False)
    yield LocalStack(state)
    run_stack(state, "down")
