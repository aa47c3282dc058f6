"""Brings the local stack up and down in containers, as `docker-compose.yml` describes it.

Compose's project name, made of the state directory's path, tells which stack is whose. The settings it was
started with are in `compose.env` there, as long as it runs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from smas_emulator import engine
from smas_emulator.compose_start import LOGS, ComposeStart, is_up
from smas_emulator.development import Debuggers, libraries
from smas_emulator.engine import Compose, emulator_image
from smas_emulator.errors import StackError
from smas_emulator.ports import require_free
from smas_emulator.readiness import shown
from smas_emulator.state import env_file, read_env_file, write_private
from smas_emulator.supervisor import DEFAULT_AWS_PORT, DEFAULT_PORT, Addresses, only_one

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from smas_emulator.state import StateDirectory
    from smas_emulator.supervisor import Say, Wishes

DEFAULT_BASE_IMAGE = "python:3.13-slim-bookworm"
# For containers that root starts: root without its capabilities could not read the files of others.
_NOBODY = 65532


def up(wishes: Wishes, base_image: str | None, say: Say) -> Addresses:
    """Build the images, start what does not run yet, and return once everything is ready.

    Whatever is running then is stopped again if this call started the local AWS and fails or is interrupted.
    Raises `StackError`.
    """
    command = engine.compose_command()
    wishes.state.create()
    with only_one(wishes.state, say):
        before = _settings(wishes.state)
        compose = _project(wishes, command)
        conditions = compose.conditions()
        anew = not is_up(conditions.get("emulator", ""))
        settings = _wished(wishes, base_image, {} if anew else before)
        compose = replace(compose, files=_files(wishes.project, settings))
        _require_ports(settings, {} if anew else before)
        if not anew and settings["SMAS_BASE_IMAGE"] != before["SMAS_BASE_IMAGE"]:
            msg = f"The containers already run on {before['SMAS_BASE_IMAGE']}; run `make down` first."
            raise StackError(msg)
        engine.require_image(settings["SMAS_BASE_IMAGE"])
        if anew and conditions:
            say("the local AWS has ended since the last start")
            compose.run("down")
        if anew:
            _make_ready(wishes.state)
        write_private(wishes.state.compose_env, env_file(settings))
        addresses = Addresses(
            service=None if wishes.only_aws else f"http://localhost:{settings['SMAS_PORT']}",
            aws=f"http://localhost:{settings['SMAS_AWS_PORT']}",
            debuggers=_debuggers(settings),
        )
        try:
            ComposeStart(compose, wishes.state, addresses, anew, say).run()
        except BaseException:
            if anew:
                say("stopping the containers again")
                _remove(compose, wishes.state)
            raise
        return addresses


def down(state: StateDirectory, project: Path, say: Say) -> None:
    """Stop and remove what `up` started and nothing else."""
    with only_one(state, say):
        compose = running_project(state, project)
        alive = [LOGS[name] for name, condition in compose.conditions().items() if _is_alive(name, condition)]
        say(f"stopping {', '.join(alive)}" if alive else "nothing is running")
        _remove(compose, state)


def running_project(state: StateDirectory, project: Path) -> Compose:
    """What was started for this state directory. Raises `StackError` if no engine answers."""
    try:
        command = engine.compose_command()
    except engine.NoContainers as error:
        msg = f"The stack was started in containers, but {error.reason}."
        raise StackError(msg) from error
    return Compose(command, _name(state), state.compose_env, _files(project, _settings(state)))


def conditions(state: StateDirectory, project: Path) -> dict[str, tuple[bool, str]]:
    """Of each container that is to stay: whether it runs, and the engine's words; by its log's name."""
    told = running_project(state, project).conditions()
    return {LOGS[name]: (_is_alive(name, told[name]), told[name]) for name in LOGS if name in told}


def _is_alive(name: str, condition: str) -> bool:
    return name in LOGS and is_up(condition)


def _remove(compose: Compose, state: StateDirectory) -> None:
    ended = compose.run("down", "--remove-orphans")
    if ended.code:
        msg = f"Compose could not stop the containers: {ended.last_words}."
        raise StackError(msg)
    compose.forget_image()
    state.compose_env.unlink(missing_ok=True)
    state.stack_json.unlink(missing_ok=True)  # it would name addresses where nobody answers


def _name(state: StateDirectory) -> str:
    return f"smas-{hashlib.sha256(str(state.root).encode()).hexdigest()[:10]}"


def _project(wishes: Wishes, command: tuple[str, ...]) -> Compose:
    file = wishes.project / "docker-compose.yml"
    if not file.is_file():
        msg = f"There is no {shown(str(file))}; run this from the repository, or name it with --project."
        raise StackError(msg)
    return Compose(
        command,
        _name(wishes.state),
        wishes.state.compose_env,
        _files(wishes.project, _settings(wishes.state)),
    )


def _files(project: Path, settings: Mapping[str, str]) -> tuple[Path, ...]:
    developing = (project / "emulator" / "develop" / "docker-compose.yml",)
    return (project / "docker-compose.yml", *(developing if _debuggers(settings) else ()))


def _debuggers(settings: Mapping[str, str]) -> Debuggers | None:
    port = settings.get("SMAS_DEBUG_PORT")
    return Debuggers(int(port)) if port else None


def _settings(state: StateDirectory) -> dict[str, str]:
    return read_env_file(state.compose_env) if state.compose_env.exists() else {}


def _wished(wishes: Wishes, base_image: str | None, running: Mapping[str, str]) -> dict[str, str]:
    """What `docker-compose.yml` reads: as wished, else as it runs, else the default."""
    user, group = (_NOBODY, _NOBODY) if os.getuid() == 0 else (os.getuid(), os.getgid())
    sweep = running.get("SMAS_SWEEP_SECONDS", "60")
    settings = {
        "COMPOSE_PROJECT_NAME": _name(wishes.state),
        "SMAS_STATE": str(wishes.state.root),
        "SMAS_USER": f"{user}:{group}",
        "SMAS_PORT": str(wishes.port or running.get("SMAS_PORT", DEFAULT_PORT)),
        "SMAS_AWS_PORT": str(wishes.aws_port or running.get("SMAS_AWS_PORT", DEFAULT_AWS_PORT)),
        "SMAS_EMULATOR_IMAGE": emulator_image(_name(wishes.state)),
        "SMAS_BASE_IMAGE": base_image or running.get("SMAS_BASE_IMAGE", DEFAULT_BASE_IMAGE),
        "SMAS_SWEEP_SECONDS": f"{wishes.sweep_seconds:g}" if wishes.sweep_seconds else sweep,
        "SMAS_TRAIL_LOG_SECONDS": running.get("SMAS_TRAIL_LOG_SECONDS", f"{wishes.log_seconds:g}"),
        "SMAS_TRAIL_DIGEST_SECONDS": running.get("SMAS_TRAIL_DIGEST_SECONDS", f"{wishes.digest_seconds:g}"),
    }
    debuggers = wishes.debuggers or _debuggers(running)
    if debuggers is not None:
        debugger, watcher = libraries(wishes.service_python)
        settings |= {
            "SMAS_DEBUG_PORT": str(debuggers.port),
            "SMAS_DEBUG_WORKER_PORT": str(debuggers.worker_port),
            "SMAS_DEBUGPY": debugger,
            "SMAS_WATCHDOG": watcher,
        }
    try:
        env_file(settings)
    except ValueError as error:
        msg = f"Compose cannot be told this: {error}."
        raise StackError(msg) from None
    return settings


def _require_ports(settings: Mapping[str, str], running: Mapping[str, str]) -> None:
    if settings["SMAS_PORT"] == settings["SMAS_AWS_PORT"]:
        msg = f"Service and local AWS cannot both have port {settings['SMAS_PORT']}; choose two."
        raise StackError(msg)
    for name, purpose, option in (
        ("SMAS_AWS_PORT", "the local AWS", "`make up AWS_PORT=<port>` (--aws-port)"),
        ("SMAS_PORT", "the service", "`make up PORT=<port>` (--port)"),
    ):
        if not running:
            require_free(int(settings[name]), purpose, f"choose another with {option}")
        elif settings[name] != running[name]:
            # The emulator's container has them, and would forget everything if it were made anew.
            msg = f"The containers already have port {running[name]} for {purpose}; run `make down` first."
            raise StackError(msg)
    debuggers = _debuggers(settings)
    if not running and debuggers is not None:
        debuggers.require_free()
    elif debuggers != _debuggers(running):
        msg = "The containers already run without a debugger at these ports; run `make down` first."
        raise StackError(msg)


def _make_ready(state: StateDirectory) -> None:
    """Make what is mounted, and give it to whom the containers run as, if that is not whoever starts them."""
    objects = state.localstack / "objects"
    shutil.rmtree(objects, ignore_errors=True)  # what an emulator that was killed has left
    objects.mkdir()
    if os.getuid() != 0:
        return
    for folder, _, files in os.walk(state.root):
        for path in (folder, *(f"{folder}/{name}" for name in files)):
            os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)
