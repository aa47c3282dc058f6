"""The command line: sentences and exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from smas_emulator import seed
from smas_emulator.stack import main

if TYPE_CHECKING:
    from pathlib import Path


def call(tmp_path: Path, *arguments: str) -> int:
    """Run the command line on a state directory that does not exist yet."""
    return main(["--state", str(tmp_path / "state"), *arguments])


@pytest.mark.parametrize("arguments", [["token"], ["token", "--", ""], ["token", "root"]])
def test_token_without_a_seeded_name_lists_the_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """A missing or unknown name is a usage error that shows the names, and nothing goes to stdout."""
    assert call(tmp_path, *arguments) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert [user.name for user in seed.LOCAL_USERS if user.name not in printed.err] == []


@pytest.mark.parametrize("arguments", [["token", "ds-fraud"], ["aws", "s3", "ls"], ["logs"]])
def test_without_a_stack_the_next_command_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """What needs a running stack says in one sentence how to get one."""
    assert call(tmp_path, *arguments) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "`make up`" in printed.err


def test_down_with_nothing_to_stop_is_harmless(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stopping twice, or before the first start, is fine and leaves nothing behind."""
    assert call(tmp_path, "down") == 0

    assert capsys.readouterr().err == "nothing is running\n"
    assert list(tmp_path.iterdir()) == []


def test_up_outside_the_repository_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without policy templates nothing is started."""
    assert call(tmp_path, "up", "--project", str(tmp_path)) == 1

    assert "run this from the repository" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "65536", "http", "-1"])
def test_a_port_is_a_port(tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str) -> None:
    """A number that is no port is refused before anything happens."""
    with pytest.raises(SystemExit) as ended:
        call(tmp_path, "up", f"--port={value}")

    assert ended.value.code == 2
    assert "is not a port" in capsys.readouterr().err


def test_the_users_are_those_of_the_contract() -> None:
    """The seeded names and groups are the documented ones."""
    assert {user.name: user.groups for user in seed.LOCAL_USERS} == {
        "ds-fraud": ("data-scientist@fraud",),
        "ds-fraud-2": ("data-scientist@fraud",),
        "ds-nlp": ("data-scientist@nlp",),
        "approver-fraud": ("approver@fraud",),
        "deployer-fraud": ("deployer@fraud",),
        "compliance": ("compliance",),
        "auditor": ("auditor",),
        "custodian": ("custodian",),
        "nobody": (),
    }
