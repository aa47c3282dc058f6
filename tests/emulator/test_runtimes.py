"""Processes or containers: which it is, with an engine of a few lines of shell on the path."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from smas_emulator import engine
from smas_emulator.errors import StackError
from smas_emulator.processes import ProcessRecord, start_mark
from smas_emulator.runtimes import choose_runtime, running_runtime
from smas_emulator.stack import main
from smas_emulator.state import StateDirectory

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = """
case "$1" in
    version) echo 28.0 ;;
    compose) exit 0 ;;
    image) [ "$3" = here:1 ] ;;
    pull) echo "dial tcp: no such host." >&2; exit 1 ;;
esac
"""


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    """A state directory."""
    state = StateDirectory(tmp_path / "state")
    state.create()
    return state


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs on the path; it has a shell."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "sleep"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, script: str) -> None:
    """Put a program on the path."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)


def choose(state: StateDirectory, wish: str | None, base: str | None = None) -> tuple[str, list[str]]:
    """The choice and what was said of it."""
    said: list[str] = []
    return choose_runtime(state, wish, base, said.append), said


def run_natively(state: StateDirectory) -> None:
    """Have a process run for this state directory: this one."""
    mark = start_mark(os.getpid())
    assert mark is not None
    record = ProcessRecord("localstack", os.getpid(), mark, "", 0, {"port": "4566"})
    entry = {name: getattr(record, name) for name in ProcessRecord.__slots__}
    state.processes.write_text(json.dumps([entry]))


@pytest.mark.usefixtures("programs")
def test_without_an_engine_it_is_processes(state: StateDirectory) -> None:
    """If nothing was asked for, one line says why."""
    runtime, said = choose(state, "auto")

    assert runtime == "native"
    why = "there is no container engine here (no `docker` on the path)"
    assert said == [f"starting as processes of this machine: {why}"]


def test_a_client_without_an_engine_is_none(state: StateDirectory, programs: Path) -> None:
    """As where Docker is installed and not started: the line has the client's own words."""
    words = (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    )
    install(programs, "docker", f'echo; echo "{words}" >&2; exit 1')

    assert choose(state, "auto") == (
        "native",
        [f"starting as processes of this machine: no container engine answers (docker says: {words})"],
    )
    with pytest.raises(StackError) as refused:
        engine.compose_command()
    assert str(refused.value) == (
        f"No container engine answers (docker says: {words}); "
        "start it, or run `make up RUNTIME=native`, which needs none."
    )


def test_with_an_engine_compose_and_a_base_it_is_containers(state: StateDirectory, programs: Path) -> None:
    """All three are needed; without a wish it is processes all the same."""
    install(programs, "docker", ANSWERS)

    assert choose(state, "auto", "here:1") == ("docker", [])
    assert choose(state, None, "here:1") == ("native", [])
    runtime, (said,) = choose(state, "auto", "elsewhere:1")
    assert runtime == "native"
    assert said.endswith(": the base image elsewhere:1 cannot be pulled (dial tcp: no such host)")


def test_either_compose_will_do(programs: Path) -> None:
    """The plugin, else the command of its own; with neither, a sentence."""
    install(programs, "docker", ANSWERS)
    assert engine.compose_command() == ("docker", "compose")

    install(programs, "docker", ANSWERS.replace("compose) exit 0", "compose) exit 1"))
    with pytest.raises(StackError, match="neither `docker compose` nor `docker-compose`"):
        engine.compose_command()

    install(programs, "docker-compose", "exit 0")
    assert engine.compose_command() == ("docker-compose",)


def test_an_engine_that_hangs_is_none(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given a few seconds."""
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.2)
    install(programs, "docker", "exec sleep 30")

    with pytest.raises(StackError, match=r"docker says: no answer within 0\.2 seconds"):
        engine.compose_command()


def test_what_runs_decides(state: StateDirectory, programs: Path) -> None:
    """A second `up` goes on with what runs; the other one is refused until `down`."""
    install(programs, "docker", ANSWERS)
    run_natively(state)
    assert running_runtime(state) == "native"
    assert choose(state, "auto", "here:1") == ("native", [])
    with pytest.raises(StackError, match=r"already runs as processes of this machine; run `make down`"):
        choose(state, "docker")

    state.processes.unlink()
    state.compose_env.write_text("SMAS_PORT=8080\n")
    assert choose(state, None) == ("docker", [])
    with pytest.raises(StackError, match=r"already runs in containers; run `make down`"):
        choose(state, "native")


@pytest.mark.usefixtures("programs")
def test_containers_that_cannot_be_had_are_one_sentence(
    state: StateDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else is started instead, and nothing is left behind."""
    code = main(["--state", str(state.root), "up", "--runtime", "docker"])

    printed = capsys.readouterr()
    assert (code, printed.out) == (1, "")
    assert printed.err == (
        "There is no container engine here (no `docker` on the path); "
        "install one, or run `make up RUNTIME=native`, which needs none.\n"
    )
    assert not state.compose_env.exists()


def test_the_shells_own_variables_do_not_reach_compose(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compose would prefer them to what it is told in its settings."""
    monkeypatch.setenv("SMAS_PORT", "1")
    monkeypatch.setenv("COMPOSE_FILE", "elsewhere.yml")
    install(programs, "docker", 'echo "${SMAS_PORT:-}${COMPOSE_FILE:-}none"')

    assert engine.run(("docker",)).output == "none\n"
