"""Options that every command takes, wherever they stand; help for everything; nothing secret anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from smas.about import VERSION
from smas.cli.context import _OPTIONS
from smas.cli.main import smas as root
from smas.errors import EXIT_CODES

from tests.client.site.fixtures import M
from tests.client.site.user_pool import MACHINE_SECRET, PASSWORD
from tests.web.conftest import MACHINE, PUBLIC_URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.cli.conftest import Command


def commands(command: click.Command, *path: str) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    below = command.commands.items() if isinstance(command, click.Group) else ()
    return [(path, command), *(found for name, one in below for found in commands(one, *path, name))]


EVERY = dict(commands(root))
LEAVES = {path: one for path, one in EVERY.items() if not isinstance(one, click.Group)}


@pytest.mark.parametrize("path", EVERY, ids=lambda path: " ".join(path) or "smas")
def test_every_command_has_help(nobody: Command, path: tuple[str, ...]) -> None:
    """Without a sign-in, without asking anybody; every option and every subcommand says what it does."""
    ended = nobody.done(*path, "--help")
    assert nobody.done(*path, "-h") == ended
    assert ended.out.startswith("Usage: ")
    assert ended.err == ""
    assert nobody.wire.sent == []
    command = EVERY[path]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[0] in ended.out
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            assert name in ended.out
            assert one.get_short_help_str()


def test_the_start_page_documents_exit_codes(nobody: Command) -> None:
    """All of them, each in a line."""
    lines = nobody.done("--help").out.splitlines()
    for code, meaning in EXIT_CODES:
        assert f"    {code:>3}  {meaning}" in lines


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_takes_the_common_options(path: tuple[str, ...]) -> None:
    """--store, --json, --quiet and --debug, after the command too; only completion prints for shells."""
    names = {option for parameter in LEAVES[path].params for option in parameter.opts}
    assert ({"--store", "--json", "--quiet", "--debug"} <= names) == (path != ("completion",))
    assert len(_OPTIONS) == 4


def test_options_mean_the_same_before_and_after_the_command(smas: Command) -> None:
    """Each of them, in both places, alone and together."""
    before, after = smas.done("--json", "whoami"), smas.done("whoami", "--json")
    assert before.out == after.out
    both = smas.done("--json", "--quiet", "ls", "fraud", "--json", "-q")
    assert (both.json, both.err) == ([], "")
    for line in ("--quiet ls", "ls --quiet", "ls -q"):
        assert smas.done(*line.split()).err == ""
    assert smas.done("ls").err != ""
    smas.monkeypatch.delenv("SMAS_STORE")
    for line in (f"--store {PUBLIC_URL} whoami", f"whoami --store {PUBLIC_URL}"):
        assert PUBLIC_URL in smas.done(*line.split()).out
    nearer = smas.done("--store", "https://elsewhere.example", "whoami", "--store", PUBLIC_URL)
    assert PUBLIC_URL in nearer.out


def test_the_version_is_told(nobody: Command) -> None:
    """Name and version, alone."""
    assert nobody.done("--version").out == f"smas {VERSION}\n"


def test_no_command_at_all_shows_the_help(nobody: Command) -> None:
    """As a wrong call, with exit code 2, on stderr."""
    ended = nobody()
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: " in ended.err


@pytest.mark.parametrize("place", ["before", "after"])
def test_debug_tells_every_request_and_no_secret(
    smas: Command, files: Path, tmp_path: Path, place: str
) -> None:
    """Request ids, statuses and times on stderr; no token, no signed URL, no query; stdout is unchanged."""
    token = smas.become("ds-fraud")

    def debugged(*arguments: object) -> str:
        words = ("--debug", *arguments) if place == "before" else (*arguments, "--debug")
        ended = smas.done(*words)
        return ended.out + ended.err

    told = debugged("push", files, M, "--alias", "champion") + debugged("pull", M, tmp_path / "in")
    told += debugged("ls", M)
    asked = [one.headers["X-Request-Id"] for one in smas.wire.sent if one.url.startswith(PUBLIC_URL)]
    assert asked
    assert all(f"request id {request_id}" in told for request_id in asked)
    assert f"smas {VERSION}, Python" in told
    for secret in (token, "Bearer", "memory://", "limit=", "cursor"):
        assert secret not in told


def test_debug_tells_no_secret_of_signing_in(nobody: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither password, nor tokens, nor a machine's secret."""
    ended = nobody.done(
        "login", PUBLIC_URL, "-u", "ds-fraud", "--password-stdin", "--debug", stdin=f"{PASSWORD}\n"
    )
    said = ended.out + ended.err + nobody.done("logout", "--debug").err
    assert "request id" in said
    assert PASSWORD not in said
    assert "refresh-token" not in said
    assert "eyJ" not in said
    monkeypatch.setenv("SMAS_CLIENT_ID", MACHINE)
    monkeypatch.setenv("SMAS_CLIENT_SECRET", MACHINE_SECRET)
    monkeypatch.setenv("SMAS_STORE", PUBLIC_URL)
    machine = nobody.done("whoami", "--debug")
    assert "oauth2/token: 200" in machine.err
    assert MACHINE_SECRET not in machine.err
    assert "eyJ" not in machine.out + machine.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("push", "x", M, "--connections", "0"),
        ("push", "x", M, "--connections", "65"),
        ("push", "x", M, "--limit-rate", "fast"),
        ("push", "x", M, "--limit-rate", "0.1"),
        ("push", "x", M, "--retries", "-1"),
        ("push", "x", M, "--wait-seconds", "0"),
        ("pull", M, "--wait-seconds", "-1"),
        ("ls", "--limit", "0"),
        ("edit", M, "--tag", "no-value"),
        ("edit", M, "--tag", "=v"),
        ("login", PUBLIC_URL, "--token", "eyJ-a-token"),
        ("login", PUBLIC_URL, "--password-stdin"),
        ("push", "x"),
        ("alias",),
        ("completion", "tcsh"),
    ],
)
def test_impossible_options_are_wrong_usage(smas: Command, arguments: tuple[str, ...]) -> None:
    """Exit code 2, the option is named, and nothing is sent to the store's models."""
    ended = smas(*arguments, *(() if arguments[-1] != "--password-stdin" else ("--quiet",)))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err
    assert "eyJ-a-token" not in ended.err
    assert not [one for one in smas.wire.sent if "/v1/" in one.url]
