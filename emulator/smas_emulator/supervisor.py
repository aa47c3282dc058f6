"""Brings the local stack up and down."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smas_emulator import processes
from smas_emulator.applied import Applied, read_outputs, seed_people, write_applied_settings
from smas_emulator.development import Debuggers, libraries
from smas_emulator.errors import StackError
from smas_emulator.ports import require_free
from smas_emulator.processes import Command, ProcessRecord, ProcessTable
from smas_emulator.programs import (
    EMULATOR,
    SERVICE,
    SHIPPER,
    WORKER,
    emulator_command,
    service_command,
    service_environment,
    shipper_command,
    worker_command,
)
from smas_emulator.provision import provision
from smas_emulator.readiness import require_running, shown, wait_ready
from smas_emulator.state import StateDirectory, read_access_key, read_env_file, write_private, write_settings
from smas_emulator.trail_settings import TrailSettings

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_PORT = 8080
DEFAULT_AWS_PORT = 4566
EMULATOR_SECONDS = 90.0
SERVICE_SECONDS = 60.0
TITLES = {
    EMULATOR: "The local AWS",
    SERVICE: "The service",
    WORKER: "The verifier worker",
    SHIPPER: "The log shipper",
}
_DEBUG_PORT = "debug_port"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asked of `up`; what is None stays as it runs, or is the default.

    `empty` leaves the local AWS alone and as it is, for Terraform to provision.
    """

    state: StateDirectory
    project: Path
    port: int | None
    aws_port: int | None
    service_python: str
    only_aws: bool
    sweep_seconds: float | None
    log_seconds: float
    digest_seconds: float
    debuggers: Debuggers | None = None
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things answer once `up` is done; `service` is None without the service."""

    service: str | None
    aws: str
    debuggers: Debuggers | None = None


def up(wishes: Wishes, say: Say) -> Addresses:
    """Start what does not run yet, and return once everything is ready.

    Whatever this call started is stopped again if it fails or is interrupted. Raises `StackError`.
    """
    infra = wishes.project / "infra"
    templates = infra / "policies"
    if not templates.is_dir():
        msg = f"There is no {shown(str(templates))}; run this from the repository, or name it with --project."
        raise StackError(msg)
    if not wishes.only_aws and shutil.which(wishes.service_python) is None:
        python = shown(wishes.service_python)
        msg = f"There is no Python at {python}; `make up` makes one, or name another with --service-python."
        raise StackError(msg)
    wishes.state.create()
    with only_one(wishes.state, say):
        start = _Start(wishes, say)
        try:
            return start.run(infra)
        except BaseException:
            start.undo()
            raise


def down(state: StateDirectory, say: Say, *, keep_aws: bool = False) -> None:
    """Stop what `up` started and nothing else; harmless when nothing runs.

    With `keep_aws` the local AWS goes on, with all that is in it.
    """
    if not state.root.is_dir():
        say("nothing is running")
        return
    with only_one(state, say):
        table = ProcessTable(state.processes)
        records = table.read()
        if keep_aws:
            records.pop(EMULATOR, None)
        alive = [name for name, record in records.items() if processes.is_running(record)]
        say(f"stopping {', '.join(alive)}" if alive else "nothing is running")
        # The shipper takes what the others write while finishing, and the emulator what it ships.
        for names in ((SERVICE, WORKER), (SHIPPER,), (EMULATOR,)):
            processes.stop([records[name] for name in names if name in records])
        table.remove(list(records))
        if not keep_aws:
            state.stack_json.unlink(missing_ok=True)  # it would name addresses where nobody answers


class _Start:
    """One run of `up`: knows what it has started itself."""

    def __init__(self, wishes: Wishes, say: Say) -> None:
        self._wishes = wishes
        self._state = wishes.state
        self._say = say
        self._table = ProcessTable(wishes.state.processes)
        self._started: list[ProcessRecord] = []

    def run(self, infra: Path) -> Addresses:
        self._forget_the_dead()
        aws_port = self._port_of(EMULATOR, self._wishes.aws_port, DEFAULT_AWS_PORT)
        port = self._port_of(SERVICE, self._wishes.port, DEFAULT_PORT)
        debuggers = self._debuggers()
        self._require_ports(port, aws_port, debuggers)

        self._start_emulator(aws_port)
        if self._wishes.empty:
            return Addresses(service=None, aws=f"http://localhost:{aws_port}")
        aws, service_url = f"http://localhost:{aws_port}", f"http://localhost:{port}"
        self._configure(aws, service_url, infra)
        if self._wishes.only_aws:
            return Addresses(service=None, aws=aws)
        self._start_service_and_worker(port, debuggers)
        return Addresses(service=service_url, aws=aws, debuggers=debuggers)

    def _configure(self, aws: str, service_url: str, infra: Path) -> None:
        """Write what service and worker are to read, of what Terraform applied or of what is made here."""
        outputs = read_outputs(self._state)
        if outputs is None:
            made = provision(aws, infra, read_access_key(self._state), self._say)
            write_settings(self._state, made, service_url)
            return
        applied = Applied(outputs, aws)
        self._say("making the local users in the applied user pool")
        seed_people(applied)
        write_applied_settings(self._state, applied, service_url)

    def undo(self) -> None:
        """Stop what this run started, latest first."""
        if self._started:
            self._say(f"stopping {', '.join(record.name for record in self._started)} again")
        for record in reversed(self._started):
            processes.stop([record])
        self._table.remove([record.name for record in self._started])
        if EMULATOR in {record.name for record in self._started}:
            self._state.stack_json.unlink(missing_ok=True)  # it would name addresses where nobody answers

    def _forget_the_dead(self) -> None:
        """Clear away what has died, leftovers of it too; without the emulator, nothing else is of any use."""
        records = self._table.read()
        dead = [record for record in records.values() if not processes.is_running(record)]
        if not dead:
            return
        self._say(f"{', '.join(record.name for record in dead)} has ended since the last start")
        if EMULATOR in {record.name for record in dead}:
            dead = list(records.values())
        processes.stop(dead)
        self._table.remove([record.name for record in dead])

    def _port_of(self, name: str, wished: int | None, default: int) -> int:
        running = self._table.read().get(name)
        if running is None:
            return default if wished is None else wished
        port = int(running.settings["port"])
        if name == EMULATOR and wished not in {None, port}:
            msg = f"The local AWS already runs on port {port}; run `make down` first to have it on {wished}."
            raise StackError(msg)
        return port if wished is None else wished

    def _debuggers(self) -> Debuggers | None:
        """As wished, else as they run, else none."""
        running = self._table.read().get(SERVICE)
        if self._wishes.debuggers is not None or running is None or _DEBUG_PORT not in running.settings:
            return self._wishes.debuggers
        return Debuggers(int(running.settings[_DEBUG_PORT]))

    def _require_ports(self, port: int, aws_port: int, debuggers: Debuggers | None) -> None:
        """Look before anything is started, so that a taken port costs no wait."""
        if port == aws_port:
            msg = f"Service and local AWS cannot both have port {port}; choose two."
            raise StackError(msg)
        running = self._table.read()
        if EMULATOR not in running:
            require_free(
                aws_port, "the local AWS", "choose another with `make up AWS_PORT=<port>` (--aws-port)"
            )
        moves = SERVICE in running and int(running[SERVICE].settings["port"]) != port
        if not self._wishes.only_aws and (SERVICE not in running or moves):
            require_free(port, "the service", "choose another with `make up PORT=<port>` (--port)")
        if self._wishes.only_aws or debuggers is None:
            return
        libraries(self._wishes.service_python)
        if SERVICE not in running or running[SERVICE].settings.get(_DEBUG_PORT) != str(debuggers.port):
            debuggers.require_free()

    def _start_emulator(self, port: int) -> None:
        record = self._table.read().get(EMULATOR)
        if record is None:
            folder = self._state.localstack
            (folder / "tmp").mkdir(exist_ok=True)
            self._say(f"starting the local AWS (LocalStack) on port {port}")
            token = self._functions_token() if self._wishes.empty else None
            command = emulator_command(folder, port, self._trail_settings(), token)
            record = self._launch(command, {"port": str(port)})
        wait_ready(TITLES[EMULATOR], f"http://127.0.0.1:{port}/_localstack/health", record, EMULATOR_SECONDS)

    def _functions_token(self) -> str:
        write_private(self._state.functions_token, secrets.token_hex(32))
        return self._state.functions_token.read_text(encoding="ascii")

    def _trail_settings(self) -> TrailSettings:
        return TrailSettings(self._state.trail, self._wishes.log_seconds, self._wishes.digest_seconds)

    def _start_service_and_worker(self, port: int, debuggers: Debuggers | None) -> None:
        environment = service_environment(os.environ, read_env_file(self._state.service_env))
        worker_env = self._state.worker_env
        workers = (
            service_environment(os.environ, read_env_file(worker_env)) if worker_env.exists() else environment
        )
        python, project = self._wishes.service_python, self._wishes.project
        sweep = self._sweep_seconds()
        shipper = self._ensure(shipper_command(self._state.root, environment), {})
        debugged = {_DEBUG_PORT: str(debuggers.port)} if debuggers else {}
        service = self._ensure(
            service_command(python, project, port, environment, debuggers), {"port": str(port), **debugged}
        )
        worker = self._ensure(worker_command(python, project, {**workers, **sweep}, debuggers), sweep)
        self._say("waiting until the service is ready")
        wait_ready(
            TITLES[SERVICE],
            f"http://127.0.0.1:{port}/readyz",
            service,
            SERVICE_SECONDS,
            also=lambda: require_running(TITLES[WORKER], worker),
        )
        require_running(TITLES[WORKER], worker)
        require_running(TITLES[SHIPPER], shipper)

    def _sweep_seconds(self) -> dict[str, str]:
        """The worker's own setting: as wished, else as it runs, else the worker's default."""
        name = "SMAS_SWEEP_SECONDS"
        if self._wishes.sweep_seconds is not None:
            return {name: f"{self._wishes.sweep_seconds:g}"}
        running = self._table.read().get(WORKER)
        if running is not None and name in running.settings:
            return {name: running.settings[name]}
        return {}

    def _ensure(self, command: Command, settings: Mapping[str, str]) -> ProcessRecord:
        """Keep a process that runs as wished, restart one that does otherwise, start a missing one."""
        wanted = {**settings, "digest": _digest(command)}
        record = self._table.read().get(command.name)
        if record is not None and record.settings == wanted:
            self._say(f"{command.name} runs already (pid {record.pid})")
            return record
        if record is not None:
            self._say(f"restarting {command.name} with its new settings")
            processes.stop([record])
        else:
            self._say(f"starting {command.name}")
        return self._launch(command, wanted)

    def _launch(self, command: Command, settings: Mapping[str, str]) -> ProcessRecord:
        log = self._state.logs / f"{command.name}.log"
        try:
            record = processes.start(command, log, settings)
        except OSError as error:
            msg = f"{TITLES[command.name]} cannot be started: {error}."
            raise StackError(msg) from error
        self._started.append(record)
        self._table.add(record)
        return record


def _digest(command: Command) -> str:
    """Changes with the arguments, the directory and the store's settings, not with the shell's."""
    settings = {
        name: value for name, value in command.environment.items() if name.startswith(("SMAS_", "AWS_"))
    }
    described = json.dumps([command.arguments, str(command.directory), settings], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()


@contextmanager
def only_one(state: StateDirectory, say: Say) -> Iterator[None]:
    """Hold the state directory's lock; a second start or stop waits for the first."""
    with state.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start or stop is at work here; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
