"""`--json` prints one document of a stable shape, whatever the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import pytest
from smas.cli.main import smas as root

from tests.client.cli.shapes import ALIAS, ERROR, SHAPES, misfit
from tests.client.site.fixtures import M, sparse
from tests.client.site.user_pool import PASSWORD
from tests.fakes.trail_records import s3_record
from tests.web.conftest import PUBLIC_URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.cli.conftest import Command


NOW = datetime.now(UTC)


@pytest.fixture
def documents(smas: Command, files: Path, tmp_path: Path) -> dict[str, Any]:
    """What every command prints in a life of a model, by the names of ``SHAPES``."""

    def printed(*arguments: object, stdin: str | None = None) -> Any:
        return smas.done(*arguments, "--json", stdin=stdin).json

    found: dict[str, Any] = {}
    (files / ".hidden").write_text("h")
    found["push"] = printed(
        "push", files, M, "--metadata", "metrics.auc=0.9", "--metadata", "a=b", "--alias", "champion"
    )
    (files / "model.bin").write_bytes(b"better")
    smas.done("push", files, M, "--metadata", "metrics.auc=0.95")
    found["pull"] = printed("pull", f"{M}@1", tmp_path / "in")
    found["whoami"] = printed("whoami")
    found["token"] = printed("token")
    found["ls models"] = printed("ls")
    found["ls versions"] = printed("ls", M)
    found["ls files"] = printed("ls", f"{M}@1")
    found["edit"] = printed("edit", M, "--description", "d", "--tag", "k=v")
    found["show model"] = printed("show", M)
    found["show version"] = printed("show", f"{M}@champion")
    found["diff"] = printed("diff", f"{M}@1", f"{M}@2")
    found["alias set"] = printed("alias", "set", M, "champion", "2", "--expect", "1")
    found["alias list"] = printed("alias", "list", M)
    found["alias history --at"] = printed("alias", "history", M, "champion", "--at", "9999-12-31T23:59:59Z")
    found["alias rm"] = printed("alias", "rm", M, "champion")
    found["alias history"] = printed("alias", "history", M, "champion")
    smas.wire.drop("PUT", "memory://part", times=100)
    assert smas("push", sparse(tmp_path / "large"), M, "--retries", "0").code == 9
    found["uploads ls"] = printed("uploads", "ls", M)
    found["uploads abort"] = printed("uploads", "abort", M, found["uploads ls"][0]["sha256"])
    found["cache show"] = printed("cache", "show")
    found["cache prune"] = printed("cache", "prune", "--unused", "0s")
    found["login"] = printed("login", PUBLIC_URL, "-u", "ds-fraud", "--password-stdin", stdin=f"{PASSWORD}\n")
    found["logout"] = printed("logout")
    found["open"] = json.loads(opened(tmp_path).stdout)
    smas.wire.site.audit.files.log(NOW, [s3_record(NOW, "an-event", f"cards/{M}.json")])
    smas.become("compliance")
    found["audit events"] = printed("audit", "events")
    # No digest was ever delivered here, so it is not valid.
    found["audit integrity"] = smas("audit", "integrity", "--since", "7d", "--json").json
    return found


def opened(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`smas open` where the browser is a script that writes down what it is to open."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("xdg-open", "open"):
        (programs / name).write_text(f'#!/bin/sh\necho "$1" >> "{folder}/opened"\n')
        (programs / name).chmod(0o755)
    environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "SMAS_STORE": PUBLIC_URL}
    command = [sys.executable, "-m", "smas", "open", *(arguments or ("--json",))]
    return subprocess.run(
        command, env=environ | environment, capture_output=True, text=True, check=True, timeout=60
    )


def test_every_document_has_its_shape(documents: dict[str, Any]) -> None:
    """Every field of the table, of its type, and none besides."""
    assert set(documents) == set(SHAPES)
    assert {
        name: fault for name, fault in ((n, misfit(d, SHAPES[n], n)) for n, d in documents.items()) if fault
    } == {}
    # Lists and what may be null were really there to look at.
    for name, document in documents.items():
        assert document not in ([], {}, None), name
    assert documents["push"]["alias"]["alias"] == "champion"
    assert documents["push"]["left_out"] == [".hidden (hidden)"]
    assert len(documents["diff"]["changed"]) == 1
    assert documents["diff"]["metadata"]["metrics.auc"] == [0.9, 0.95]
    assert documents["diff"]["metadata"]["a"] == ["b", None]
    assert [move["version"] for move in documents["alias history"]] == [None, 2, 1]
    assert documents["logout"] == {"store": PUBLIC_URL, "signed_out": True}


def test_every_command_is_in_the_table() -> None:
    """A new command needs a shape here, or this test fails; only scripts for shells have none."""

    def leaves(command: click.Command, name: str) -> list[str]:
        if not isinstance(command, click.Group):
            return [name]
        return [
            found for key, one in command.commands.items() for found in leaves(one, f"{name} {key}".strip())
        ]

    in_table = {name.removesuffix(" --at") for name in SHAPES}
    one_of_several = {"ls": "ls models", "show": "show model"}
    for name in leaves(root, ""):
        assert one_of_several.get(name, name) in in_table or name == "completion", name


def test_a_failure_is_one_json_line_on_stderr(smas: Command, files: Path) -> None:
    """With its exit code in it; stdout stays empty, so that no script takes it for a result."""
    for arguments in (
        ("show", "fraud/none"),
        ("push", files, M, "--metadata", "much=" + "x" * 70_000),
        ("pull", "not a model"),
    ):
        ended = smas(*arguments, "--json", "--quiet")
        assert ended.out == ""
        assert len(ended.err.splitlines()) == 1
        told = json.loads(ended.err)
        assert misfit(told, ERROR) is None
        assert told["error"]["exit_code"] == ended.code != 0


def test_the_table_itself_can_be_missed() -> None:
    """The comparison used here finds a field too many, too few, and of another type."""
    good = {"alias": "a", "version": 1, "protected": False, "updated_at": "t", "updated_by": "b"}
    assert misfit(good, ALIAS) is None
    assert misfit({**good, "version": True}, ALIAS) == ".version: True is no number"
    assert misfit({**good, "more": 1}, ALIAS)
    assert misfit({}, ALIAS)
    assert misfit([good, {**good, "alias": None}], [ALIAS]) == "[1].alias: None is no text"


def test_the_page_of_the_api_is_opened_and_named(tmp_path: Path) -> None:
    """`smas open` prints the address, and hands it to the browser."""
    ended = opened(tmp_path, "--quiet")
    assert ended.stdout == f"{PUBLIC_URL}/docs\n"
