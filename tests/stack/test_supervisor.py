"""Starting and stopping, with the real local AWS and a small stand-in for the service."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.local_aws import REPOSITORY, free_port, run_stack, stack_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.local_aws

WSGI = """
def app(environ, start_response):
    start_response("200 OK" if environ["PATH_INFO"] == "/readyz" else "404 Not Found", [])
    return [b""]
"""
WORKER = """
import os, time
print("sweep", os.environ.get("SMAS_SWEEP_SECONDS"), "as", os.environ["AWS_PROFILE"], flush=True)
time.sleep(3600)
"""


@dataclass(frozen=True)
class Project:
    """A project with the repository's policies and a stand-in service, its state directory and ports."""

    folder: Path
    state: Path
    port: int
    aws_port: int

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command on this project's state."""
        return run_stack(self.state, *arguments, cwd=self.folder)

    def up_arguments(self, *more: str) -> list[str]:
        """`up` on this project's ports."""
        ports = ["--port", str(self.port), "--aws-port", str(self.aws_port)]
        return ["up", "--service-python", sys.executable, *ports, *more]

    def up(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Run `up` to its end."""
        return self.run(*self.up_arguments(*more))

    def records(self) -> dict[str, dict[str, Any]]:
        """What was started, by name."""
        path = self.state / "processes.json"
        return {entry["name"]: entry for entry in json.loads(path.read_text())} if path.exists() else {}

    def pids(self) -> dict[str, int]:
        """The process ids of what was started."""
        return {name: record["pid"] for name, record in self.records().items()}

    def log(self, name: str) -> str:
        """What a process has written."""
        return (self.state / "logs" / f"{name}.log").read_text()


def make_project(folder: Path, wsgi: str = WSGI, worker: str = WORKER) -> Project:
    """A project in a new folder."""
    for needed in ("policies", "metric-filters"):
        shutil.copytree(REPOSITORY / "infra" / needed, folder / "infra" / needed)
    package = folder / "service"
    package.mkdir()
    for name, text in {"__init__": "", "gunicorn_config": "", "wsgi": wsgi, "worker": worker}.items():
        (package / f"{name}.py").write_text(text)
    return Project(folder, folder / "state", free_port(), free_port())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack that runs; a test that stops a part of it starts it again."""
    project = make_project(tmp_path_factory.mktemp("running"))
    started = project.up()
    assert started.returncode == 0, started.stderr
    yield project
    project.run("down")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project that was never started; whatever a test leaves running is stopped."""
    project = make_project(tmp_path)
    yield project
    project.run("down")


def test_up_returns_when_everything_is_ready(running: Project) -> None:
    """After `up` all of it runs; a second `up` prints addresses and users and changes nothing."""
    before = running.pids()

    again = running.up()

    assert (again.returncode, running.pids()) == (0, before)
    assert set(before) == {"localstack", "service", "worker", "shipper"}
    assert f"http://localhost:{running.port}" in again.stdout
    assert "ds-fraud" in again.stdout
    assert running.run("status").returncode == 0


def test_up_remembers_its_ports(running: Project) -> None:
    """Without options, a second `up` leaves alone what runs with other than the defaults."""
    before = running.pids()

    again = running.run("up", "--service-python", sys.executable)

    assert (again.returncode, running.pids()) == (0, before)


def test_everything_listens_on_this_machine_only(running: Project) -> None:
    """No process of the stack can be reached from another machine."""
    listening = {
        connection.laddr.ip
        for pid in running.pids().values()
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening == {"127.0.0.1"}


def test_a_killed_service_is_started_again_alone(running: Project) -> None:
    """When only the service died, the local AWS with its data stays, and so does the worker."""
    before = running.pids()
    psutil.Process(before["service"]).kill()

    again = running.up()

    after = running.pids()
    assert again.returncode == 0, again.stderr
    assert after["service"] != before["service"]
    assert (after["localstack"], after["worker"]) == (before["localstack"], before["worker"])


def test_a_killed_shipper_loses_no_line(running: Project) -> None:
    """It alone is started again, and ships what was written while it was dead."""
    before = running.pids()
    psutil.Process(before["shipper"]).kill()
    with (running.state / "logs" / "service.log").open("a") as log:
        log.write('{"message": "written meanwhile"}\n')

    again = running.up()

    after = running.pids()
    assert again.returncode == 0, again.stderr
    assert {name for name in before if before[name] != after[name]} == {"shipper"}
    search = ("logs", "filter-log-events", "--log-group-name", "/smas/service")
    pattern = ("--filter-pattern", '{ $.message = "written meanwhile" }')
    deadline = time.monotonic() + 120
    while not (found := json.loads(running.run("aws", *search, *pattern).stdout)["events"]):
        assert time.monotonic() < deadline
    assert len(found) == 1


def test_new_settings_restart_only_whom_they_concern(running: Project) -> None:
    """`--sweep-seconds` is the worker's: it restarts with it, under its own role, and nobody else does."""
    before = running.pids()

    again = running.up("--sweep-seconds", "7")

    after = running.pids()
    assert again.returncode == 0, again.stderr
    assert after["worker"] != before["worker"]
    assert (after["localstack"], after["service"]) == (before["localstack"], before["service"])
    assert "sweep 7 as smas-worker" in running.log("worker")


def test_the_local_aws_does_not_move_silently(running: Project) -> None:
    """Another port for a running local AWS would lose its data: it is refused, and says what to do."""
    moved = running.run("up", "--service-python", sys.executable, "--aws-port", str(free_port()))

    assert moved.returncode == 1
    assert f"already runs on port {running.aws_port}; run `make down` first" in moved.stderr


def test_token_is_alone_on_stdout(running: Project) -> None:
    """What `token` prints can be put into a header as it is."""
    printed = running.run("token", "ds-fraud")

    assert printed.returncode == 0
    assert printed.stdout.count("\n") == 1
    assert len(printed.stdout.strip().split(".")) == 3
    assert printed.stderr == ""


def test_logs_show_every_process(running: Project) -> None:
    """All logs in one stream, each line with its process, without colour when nobody looks."""
    shown = running.run("logs", "--no-follow").stdout

    assert {line.split(" | ")[0].strip() for line in shown.splitlines()} == {
        "localstack",
        "service",
        "worker",
        "shipper",
    }
    assert "\x1b" not in shown


def test_the_aws_command_line_reaches_the_local_aws(running: Project) -> None:
    """The AWS CLI finds the local account, also for SQS, which it would ask at an address of its own."""
    assert "smas-models" in running.run("aws", "s3", "ls").stdout
    assert "smas-events" in running.run("aws", "sqs", "list-queues").stdout


def test_what_the_stack_writes_is_in_its_state_directory(running: Project) -> None:
    """LocalStack, service and supervisor leave nothing beside the state directory."""
    expected = {"infra", "service", "state"}

    assert {path.name for path in running.folder.iterdir()} == expected
    names = {"lock", "logs", "aws", "localstack", "processes.json", "service.env", "stack.json", "trail"}
    # Beside `shipped.json`, which is written under another name first, whenever something was shipped.
    assert {path.name for path in running.state.iterdir() if "shipped.json" not in path.name} == names


def test_down_stops_its_own_and_nobody_else(project: Project) -> None:
    """`down` ends what `up` started, leaves a stranger alone, and is harmless a second time."""
    assert project.up().returncode == 0
    own = [psutil.Process(pid) for pid in project.pids().values()]
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        stopped = project.run("down")

        assert stopped.returncode == 0
        assert [process for process in own if process.is_running()] == []
        assert stranger.poll() is None
        stranger.kill()
    assert project.pids() == {}
    assert project.run("down").returncode == 0
    assert (
        project.run("token", "ds-fraud").stderr
        == "The local stack is not running; start it with `make up`.\n"
    )


def test_a_dead_local_aws_takes_the_rest_with_it(project: Project) -> None:
    """The local AWS forgets everything when it dies, so the next `up` starts all anew and says why."""
    assert project.up().returncode == 0
    before = project.pids()
    psutil.Process(before["localstack"]).kill()

    again = project.up()

    assert again.returncode == 0, again.stderr
    assert "localstack has ended since the last start" in again.stderr
    assert not set(before.values()) & set(project.pids().values())


@pytest.mark.parametrize("option", ["port", "aws_port"])
def test_a_taken_port_is_said_before_anything_starts(project: Project, option: str) -> None:
    """A taken port ends `up` at once, with one sentence that names port, owner and remedy."""
    port = getattr(project, option)
    with socket.create_server(("127.0.0.1", port)):
        refused = project.up()

    assert refused.returncode == 1
    assert project.records() == {}
    (sentence,) = refused.stderr.splitlines()
    assert f"Port {port}" in sentence
    assert f"(pid {psutil.Process().pid})" in sentence
    assert "choose another with `make up " in sentence


def test_a_failed_start_names_its_cause_and_leaves_nothing(tmp_path: Path) -> None:
    """When the service cannot start, one line says why and where its log is, and all is stopped."""
    project = make_project(tmp_path, wsgi="raise RuntimeError('SMAS_BUCKET is missing')")

    failed = project.up()

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == (
        "The service ended while starting: RuntimeError: SMAS_BUCKET is missing; "
        "its log is state/logs/service.log."
    )
    assert "Traceback" not in failed.stderr
    assert project.records() == {}
    assert "not running" in project.run("token", "ds-fraud").stderr
    with socket.create_server(("127.0.0.1", project.aws_port)):
        pass  # the port of the local AWS is free again


def test_a_worker_that_dies_fails_the_start(tmp_path: Path) -> None:
    """A stack without its verifier is not ready, however ready the service is."""
    project = make_project(tmp_path, worker="raise SystemExit('no queue')")

    failed = project.up()

    assert failed.returncode == 1
    assert "The verifier worker ended while starting: no queue" in failed.stderr
    assert project.records() == {}


def test_a_missing_interpreter_is_one_sentence(project: Project) -> None:
    """A wrong `--service-python` is said before anything starts."""
    failed = project.run("up", "--service-python", "no/such/python", *project.up_arguments()[3:])

    assert failed.returncode == 1
    assert failed.stderr.startswith("There is no Python at no/such/python; ")
    assert failed.stderr.count("\n") == 1
    assert not project.state.exists()


def test_an_interrupted_start_cleans_up(project: Project) -> None:
    """Ctrl-C during `up` stops what it has started so far."""
    with subprocess.Popen(
        stack_command(project.state, *project.up_arguments()),
        cwd=project.folder,
        stderr=subprocess.PIPE,
        text=True,
    ) as starting:
        assert starting.stderr is not None
        for line in starting.stderr:
            if "provisioning" in line:
                break
        (emulator,) = project.pids().values()
        starting.send_signal(signal.SIGINT)
        rest = starting.stderr.read()

    assert starting.returncode == 130
    assert rest.endswith("interrupted\n")
    assert not psutil.pid_exists(emulator) or psutil.Process(emulator).status() == psutil.STATUS_ZOMBIE
    assert project.records() == {}


def test_two_starts_at_once_are_one(project: Project) -> None:
    """The second `up` waits for the first and finds all running."""
    command = stack_command(project.state, *project.up_arguments())
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=project.folder, stderr=pipe, text=True) as first:
        deadline = time.monotonic() + 60
        while not (project.state / "lock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with subprocess.Popen(command, cwd=project.folder, stderr=pipe, text=True) as second:
            errors = [first.communicate()[1], second.communicate()[1]]

    assert (first.returncode, second.returncode) == (0, 0), errors
    assert sum("starting the local AWS" in text for text in errors) == 1
