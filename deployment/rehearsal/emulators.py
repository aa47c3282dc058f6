"""The two emulators of a rehearsal: our own local AWS, unprovisioned, and MiniStack for what that lacks.

Both listen on free ports of this machine alone, write below the rehearsal's folder alone, and are stopped by
the ids they were started with, however the block ends.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deployment.errors import DeploymentError
from deployment.rehearsal.endpoints import Endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deployment.rehearsal.function_containers import FunctionContainers

REPOSITORY: Final = Path(__file__).parents[2]
OURS_PYTHON: Final = REPOSITORY / ".venv" / "emulator" / "bin" / "python"
MINISTACK_PYTHON: Final = REPOSITORY / ".venv" / "rehearsal" / "bin" / "python"
_START_MINISTACK: Final = Path(__file__).with_name("start_ministack.py")
LOOPBACK: Final = "127.0.0.1"
ACCOUNT: Final = "000000000000"
# Told to `start_ministack`: where the user pools are.
POOLS: Final = "SMAS_REHEARSAL_POOLS"

# Of a machine that is busy with other things, too.
_READY_SECONDS: Final = 180.0
_GRACE_SECONDS: Final = 15.0
# What MiniStack may need of the surroundings: programs, and the engine that runs functions from images.
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TZ", "DOCKER_HOST")
# A proxy of the environment must not be asked for a server on this machine.
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def emulators(state: Path, containers: FunctionContainers | None = None) -> Iterator[Endpoints]:
    """Both emulators, ready, as long as the block runs; `state` is the folder of all they write.

    With `containers`, MiniStack's functions run in them. Raises `DeploymentError` when one cannot be started,
    with its own words.
    """
    state.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        ours = running.enter_context(_our_local_aws(state))
        ministack = running.enter_context(_ministack(state / "ministack", ours, containers))
        yield Endpoints(ours, ministack)


def free_port() -> int:
    """A port of this machine that nobody listens on right now."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def stack(state: Path, *arguments: str) -> str:
    """Run a command of the local stack to its end; what it prints. Raises `DeploymentError`."""
    if not OURS_PYTHON.exists():
        raise DeploymentError("The local AWS is not installed; run `make rehearse`, which installs it.")
    done = subprocess.run(
        [str(OURS_PYTHON), "-m", "smas_emulator.stack", "--state", str(state), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        # A group of its own: an interrupt from the keyboard is ours to handle, and `down` must survive it.
        process_group=0,
    )
    if done.returncode:
        message = f"The local AWS: {done.stderr.strip().splitlines()[-1] if done.stderr else 'it failed'}"
        raise DeploymentError(message)
    return done.stdout


@contextmanager
def _our_local_aws(state: Path) -> Iterator[str]:
    port = free_port()
    try:
        stack(state, "up", "--only", "empty-aws", "--aws-port", str(port))
    except (KeyboardInterrupt, SystemExit):
        stack(state, "down")
        raise
    # Where it could not be started, it has stopped itself; what runs there then is another rehearsal's.
    try:
        yield f"http://localhost:{port}"
    finally:
        stack(state, "down")


@contextmanager
def _ministack(folder: Path, ours: str = "", containers: FunctionContainers | None = None) -> Iterator[str]:
    if not MINISTACK_PYTHON.exists():
        raise DeploymentError("MiniStack is not installed; run `make rehearse`, which installs it.")
    folder.mkdir(exist_ok=True)
    log, port = folder / "ministack.log", free_port()
    functions: dict[str, str] = {}
    if containers is not None:
        containers.prepare()
        functions = containers.ministack_environment(ours, os.environ)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(MINISTACK_PYTHON), str(_START_MINISTACK)],
            cwd=folder,
            env={**ministack_environment(os.environ, folder, port), POOLS: ours, **functions},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_ready(process, f"http://{LOOPBACK}:{port}/_ministack/ready", log)
        yield f"http://localhost:{port}"
    finally:
        _stop(process)


def ministack_environment(inherited: Mapping[str, str], folder: Path, port: int) -> dict[str, str]:
    """MiniStack's environment: its home is `folder`, its one listener on this machine alone."""
    return {
        **{name: inherited[name] for name in _INHERITED if name in inherited},
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        # Listeners of services that a store has no use for.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
    }


def _wait_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        if process.poll() is not None:
            message = f"MiniStack ended while starting; its log is {log}."
            raise DeploymentError(message)
        with suppress(OSError), _DIRECT.open(url, timeout=3) as answer:
            if answer.status == HTTPStatus.OK:
                return
        if time.monotonic() > deadline:
            message = f"MiniStack was not ready after {_READY_SECONDS:.0f} seconds; its log is {log}."
            raise DeploymentError(message)
        time.sleep(0.2)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process that was started, after its grace at once."""
    process.terminate()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
