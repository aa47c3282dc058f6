"""The access review of the local stack: its people, its machine, and who may assume which role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator import seed

from deployment.__main__ import main
from deployment.access_review import review
from deployment.store import of_local_stack

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.local_aws import LocalStack


def test_everybody_has_the_roles_they_were_given(local_aws: LocalStack) -> None:
    """People by their groups, the machine by its scopes, personas by their trust."""
    rows = review(*of_local_stack(local_aws.state)).rows

    held = {(row.who, f"{row.role}@{row.team}".rstrip("@")) for row in rows if row.kind == "person"}
    given = {(user.name, group) for user in seed.LOCAL_USERS for group in user.groups}
    assert given <= held
    assert ("nobody", "") in held
    machines = {(row.who, row.through) for row in rows if row.kind == "machine"}
    assert machines == {(seed.MACHINE_CLIENT, f"scope {scope}") for scope in seed.MACHINE_SCOPES}
    trusted = {(row.who.rpartition("/")[2], row.role) for row in rows if row.kind == "iam"}
    assert {("smas-service", persona) for persona in seed.PERSONAS} <= trusted


def test_it_is_one_command(local_aws: LocalStack, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A table by default, and a file that nobody else reads where one is named."""
    assert main(["access-review", "--local", str(local_aws.state)]) == 0
    assert "ds-fraud" in capsys.readouterr().out
    file = tmp_path / "review.csv"
    assert main(["access-review", f"--local={local_aws.state}", "--format=csv", f"--output={file}"]) == 0
    assert "data-scientist,fraud" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_a_stack_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence, with the command that starts one."""
    assert main(["access-review", "--local", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"No local stack runs from {tmp_path}; start it with `make up`.\n"
