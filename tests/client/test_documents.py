"""The client's README, held to the code."""

from __future__ import annotations

import re
from pathlib import Path

import click
from smas.cli.main import INTERRUPTED, TERMINATED, smas
from smas.errors import EXIT_CODES
from smas.identity.loopback import HOST, PATH, PORTS
from smas.session import VARIABLES
from smas_emulator.user_pool import SIGN_IN_CALLBACKS

CLIENT = Path(__file__).parents[2] / "client"
README = (CLIENT / "README.md").read_text(encoding="utf-8")


def test_every_exit_code_is_documented_as_the_help_has_it() -> None:
    """The table names each code once, with the very words of `smas --help`."""
    rows = re.findall(r"^\| ([0-9]+) \| (.+) \|$", README, re.MULTILINE)
    documented = {int(code): meaning for code, meaning in rows}

    assert len(rows) == len(documented)
    assert documented == dict(EXIT_CODES)
    assert {INTERRUPTED, TERMINATED} < set(documented)


def test_every_variable_is_documented() -> None:
    """Each variable that a session reads stands in the table, and none that it does not."""
    named = set(re.findall(r"`(SMAS_[A-Z_]+)`", README))

    assert named == {name for name, _ in VARIABLES}


def test_the_commands_it_shows_exist() -> None:
    """Whatever stands behind `smas` in the README is a command, and its options are that command's own."""
    shown = re.findall(r"^\$ smas ([a-z]+)(.*)$", README, re.MULTILINE)

    assert {name for name, _ in shown} >= {"login", "push", "pull", "diff", "ls"}
    for name, rest in shown:
        command, words = smas.commands[name], iter(rest.split())
        while isinstance(command, click.Group):
            command = command.commands[next(words)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"(--[a-z-]+)", rest)) <= options, (name, rest)


def test_the_callbacks_to_register_are_the_ones_that_are_used() -> None:
    """By whoever runs a user pool, and by the local one."""
    used = tuple(f"http://{HOST}:{port}{PATH}" for port in PORTS)

    assert tuple(re.findall(r"^    (http://\S+/callback)$", README, re.MULTILINE)) == used
    assert used == SIGN_IN_CALLBACKS
