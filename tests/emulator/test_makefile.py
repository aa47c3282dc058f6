"""The Makefile: what is part of the contract, without starting anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CONTRACT = {
    "up",
    "down",
    "demo",
    "test",
    "check",
    "token",
    "logs",
    "aws",
    "bench",
    "lock",
    "help",
    "clean",
    "invoke",
} | {"plan", "deploy", "destroy", "rehearse"}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make in the repository, as from a shell with these variables and no make above it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=REPOSITORY,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_alone_lists_the_commands_of_the_contract() -> None:
    """`make` without a target explains itself and changes nothing."""
    listed = make()

    commands = {line.split()[1] for line in listed.stdout.splitlines() if line.startswith("  make ")}
    assert listed.returncode == 0
    assert commands >= CONTRACT


def test_a_function_can_be_invoked_by_hand() -> None:
    """The command finds all that it imports; without EVENT it explains itself."""
    asked = make("--old-file=.venv/.ready", "invoke")

    assert asked.returncode == 0, asked.stderr
    assert "usage: make invoke" in asked.stdout


def test_ports_are_taken_from_the_command_line_and_not_from_the_shell() -> None:
    """PORT is set in many shells for other programs; only `make up PORT=` moves the service."""
    assert "--port" not in make("--dry-run", "up", PORT="3000", AWS_PORT="3001").stdout

    moved = make("--dry-run", "up", "PORT=3000", "AWS_PORT=3001").stdout
    assert "--port 3000 --aws-port 3001" in moved


def test_the_runtime_is_chosen_by_a_variable() -> None:
    """Without one, containers where they can run; the command line behind it decides that."""
    assert "up --runtime auto" in make("--dry-run", "up").stdout
    assert "up --runtime docker" in make("--dry-run", "up", "RUNTIME=docker").stdout
    assert "--base-image python:3.14-slim" in make("--dry-run", "up", "BASE=python:3.14-slim").stdout


def test_developing_is_asked_for() -> None:
    """Only on the command line: nothing in a shell's environment opens a debugger."""
    assert "--dev" not in make("--dry-run", "up", DEV="1", DEBUG_PORT="5678").stdout
    assert "--dev --debug-port 6000" in make("--dry-run", "up", "DEV=1", "DEBUG_PORT=6000").stdout


def test_a_runtime_that_there_is_not_is_refused() -> None:
    """One sentence, before anything is installed or started."""
    refused = make("up", "RUNTIME=podman")

    assert refused.returncode != 0
    sentence = "RUNTIME is native, docker or auto (docker where it can be), not podman."
    assert refused.stderr.splitlines()[0] == sentence
    assert refused.stdout == ""
