"""`make up DEV=1` on a copy of the tree: code that changes is served, and a debugger attaches."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from tests.e2e.conftest import IN_CONTAINERS, RUNTIME
from tests.e2e.debugger import Debugger
from tests.e2e.smas_command import soon
from tests.image.containers import docker
from tests.local_aws import REPOSITORY, free_port, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.local_aws, pytest.mark.enable_socket, pytest.mark.timeout(900)]

COPIED: Final = (
    "service",
    "infra",
    "emulator",
    "requirements",
    "Dockerfile",
    ".dockerignore",
    "docker-compose.yml",
)
EDITED: Final = Path("service") / "web" / "resources" / "discovery.py"
ALIVE: Final = 'wire.Health("ok")'
# Reached by requests of the test alone, once in each: /healthz is where the health check of a container goes.
OURS_ALONE: Final = "scopes_supported=["
_PATIENCE: Final = 60


@dataclass(frozen=True)
class Developed:
    """A running stack whose code may be edited."""

    project: Path
    state: Path
    port: int
    debug_port: int

    @property
    def source(self) -> PurePosixPath:
        """Where the running service sees the edited file."""
        return PurePosixPath("/srv" if IN_CONTAINERS else self.project) / EDITED

    def health(self) -> str:
        """What `/healthz` says; empty without an answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=20) as answer:
                return str(json.load(answer)["status"])
        except (urllib.error.URLError, ConnectionError):
            return ""

    def resource(self) -> str:
        """The address that the store says it has."""
        where = f"http://127.0.0.1:{self.port}/.well-known/oauth-protected-resource"
        with urllib.request.urlopen(where, timeout=_PATIENCE) as answer:
            return str(json.load(answer)["resource"])

    def log(self, name: str) -> str:
        """What a program has written."""
        return (self.state / "logs" / f"{name}.log").read_text(encoding="utf-8")


def free_pair() -> int:
    """The first of two neighbouring ports that nobody listens on."""
    while True:
        first = free_port()
        if first + 1 not in {port for _, port in listening()}:
            return first


def listening() -> set[tuple[str, int]]:
    """Addresses and ports at which anybody listens on this machine."""
    connections = psutil.net_connections("tcp")
    return {
        (each.laddr.ip, each.laddr.port) for each in connections if each.laddr and each.status == "LISTEN"
    }


@pytest.fixture(scope="module")
def developed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developed]:
    """The stack of a copy of this tree, as `make up DEV=1` starts it."""
    folder = tmp_path_factory.mktemp("developed")
    project, state = folder / "project", folder / "state"
    project.mkdir()
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            left_out = shutil.ignore_patterns("__pycache__", ".terraform")
            shutil.copytree(source, project / name, ignore=left_out)
        else:
            shutil.copy2(source, project / name)
    port, aws_port, debug_port = free_port(), free_port(), free_pair()
    places = ("--project", str(project), "--port", str(port), "--aws-port", str(aws_port))
    started = run_stack(state, "up", *places, "--dev", "--debug-port", str(debug_port), *RUNTIME, timeout=900)
    if started.returncode:
        run_stack(state, "down", "--project", str(project))
        pytest.fail(f"The stack did not start: {started.stderr}", pytrace=False)
    assert f"127.0.0.1:{debug_port} for the service" in started.stdout
    yield Developed(project, state, port, debug_port)
    run_stack(state, "down", "--project", str(project))


def test_a_change_of_the_code_is_served(developed: Developed) -> None:
    """Service and worker begin anew with it; what does not run is told in the log, and can be mended."""
    file = developed.project / EDITED
    code = file.read_text(encoding="utf-8")
    assert (developed.health(), developed.log("worker").count("verifier ready")) == ("ok", 1)

    file.write_text(code.replace(ALIVE, 'wire.Health("edited")'), encoding="utf-8")
    soon(lambda: developed.health() == "edited", "the service has the change", _PATIENCE)
    soon(lambda: developed.log("worker").count("verifier ready") == 2, "the worker has it, too", _PATIENCE)

    file.write_text(f"{code}\nthis is no Python\n", encoding="utf-8")
    soon(lambda: "SyntaxError" in developed.log("service"), "the error is told", _PATIENCE)
    file.write_text(code, encoding="utf-8")
    soon(lambda: developed.health() == "ok", "the error is mended", _PATIENCE)


def test_a_debugger_attaches_to_the_service(developed: Developed) -> None:
    """It stops a request at a line, looks at what is there and lets it go on; and so does the next one."""
    lines = (developed.project / EDITED).read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if OURS_ALONE in text)
    soon(lambda: developed.health() == "ok", "the service answers", _PATIENCE)

    for _ in range(2):
        with Debugger(developed.debug_port) as debugger, ThreadPoolExecutor() as threads:
            debugger.run(developed.source, line)
            resource = threads.submit(developed.resource)
            stopped = debugger.event("stopped")
            assert stopped["reason"] == "breakpoint"
            assert debugger.evaluated(stopped["threadId"], "_call.__class__.__name__") == "'Call'"
            assert not resource.done()
            debugger.go_on(stopped["threadId"])
            assert resource.result(timeout=_PATIENCE) == f"http://localhost:{developed.port}"


def test_a_debugger_attaches_to_the_worker(developed: Developed) -> None:
    """At the next port."""
    with Debugger(developed.debug_port + 1) as debugger:
        debugger.run()
        assert debugger.event("process")["startMethod"] == "attach"


def test_only_this_machine_reaches_the_debuggers(developed: Developed) -> None:
    """Whoever reaches one may run any code as the service: they listen on the loopback address."""
    ports = {developed.debug_port, developed.debug_port + 1}
    if IN_CONTAINERS:
        published = docker("ps", "--format", "{{.Ports}}")
        assert f"127.0.0.1:{developed.debug_port}-{developed.debug_port + 1}->" in published
        assert f"0.0.0.0:{developed.debug_port}" not in published
        return
    assert {host for host, port in listening() if port in ports} == {"127.0.0.1"}


def test_a_debugger_is_there_on_request_only(developed: Developed) -> None:
    """`up` without it keeps what runs; another port is another start."""
    kept = run_stack(developed.state, "up", "--project", str(developed.project), timeout=300)

    assert kept.returncode == 0, kept.stderr
    assert f"127.0.0.1:{developed.debug_port} for the service" in kept.stdout
    assert developed.health() == "ok"
