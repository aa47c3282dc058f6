"""What each command prints for people: the result on stdout, everything else on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.site.fixtures import M, contents_of, sparse
from tests.web.conftest import PUBLIC_URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.cli.conftest import Command


@pytest.fixture
def published(smas: Command, files: Path) -> Path:
    """Two versions of a model."""
    smas.done("push", files, M, "-m", "first", "--alias", "champion")
    (files / "model.bin").write_bytes(b"better")
    smas.done("push", files, M, "-m", "second")
    return files


def test_push_prints_the_version_and_pull_the_folder(
    smas: Command, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line each on stdout, fit for `$(…)`; what happened is told on stderr."""
    pushed = smas.done("push", files, M, "--alias", "champion")
    assert pushed.out == f"{M}@1\n"
    for told in ("published", "verified", "champion is now version 1", "sent 3 files"):
        assert told in pushed.err
    monkeypatch.chdir(tmp_path)
    pulled = smas.done("pull", f"{M}@champion")
    assert pulled.out == "credit-risk\n"
    assert f"{M}@1: fetched 3 files" in pulled.err
    assert contents_of(tmp_path / "credit-risk") == contents_of(files)
    again = smas.done("pull", f"{M}@champion", tmp_path / "credit-risk")
    assert "4 unchanged" in again.err
    cached = smas.done("pull", M, tmp_path / "other")
    assert "4 from the cache" in cached.err


def test_all_ways_to_pull(smas: Command, published: Path, tmp_path: Path) -> None:
    """Every option of pull, each with its effect."""
    smas.done("pull", M, tmp_path / "a", "--no-cache", "--connections", "1", "--limit-rate", "10M")
    assert smas.done("cache", "show", "--json").json["files"] == 0
    smas.done("pull", M, tmp_path / "b", "--copy", "--retries", "3", "--wait-seconds", "5")
    assert (tmp_path / "b" / "model.bin").stat().st_nlink == 1
    (tmp_path / "b" / "model.bin").write_bytes(b"mine")
    assert smas("pull", M, tmp_path / "b").code == 11
    smas.done("pull", M, tmp_path / "b", "--overwrite", "--verify")
    assert contents_of(tmp_path / "b") == contents_of(published)


def test_lists_are_tables_with_headings(smas: Command, published: Path) -> None:
    """Models, versions with their aliases, files; no headings where there is nothing."""
    assert published
    models = smas.done("ls").out.splitlines()
    assert models[0].split() == ["MODEL", "LATEST", "UPDATED", "BY", "DESCRIPTION"]
    assert models[1].split()[:2] == [M, "2"]
    versions = smas.done("ls", M).out.splitlines()
    assert [line.split()[0] for line in versions] == ["VERSION", "2", "1"]
    assert "champion" in versions[2]
    assert versions[1].endswith("second")
    assert len(smas.done("ls", M, "--limit", "1").out.splitlines()) == 2
    listed = smas.done("ls", f"{M}@2").out
    assert [line.rpartition("  ")[2] for line in listed.splitlines()] == [
        "PATH",
        "copy.bin",
        "empty",
        "model.bin",
        "weights/größe 1 %?#.bin",
    ]
    nothing = smas.done("ls", "fraud", "--prefix", "none")
    assert nothing.out == ""
    assert "smas push" in nothing.err
    assert smas.done("ls", "--prefix", "credit").out == smas.done("ls", "fraud").out


def test_show_tells_about_models_and_versions(smas: Command, published: Path) -> None:
    """State, digests and metadata of a version; tags and aliases of a model."""
    assert published
    smas.done("edit", M, "-d", "Ausfallrisiko", "-t", "owner=risk", "-t", "x=1")
    edited = smas.done("edit", M, "--remove-tag", "x").out
    assert edited == smas.done("show", M).out
    shown = dict(line.split("  ", 1) for line in edited.splitlines())
    assert shown["description"].strip() == "Ausfallrisiko"
    assert shown["tags"].strip() == "owner=risk"
    assert shown["aliases"].strip() == "champion -> 1"
    version = smas.done("show", f"{M}@champion").out
    assert "available" in version
    assert "model.bin" in version
    assert smas.wire.site.bucket.objects


def test_diff_marks_what_changed(smas: Command, published: Path) -> None:
    """`+`, `-` and `~` by file, and metadata before and after."""
    (published / "new").write_bytes(b"n")
    (published / "empty").unlink()
    smas.done("push", published, M, "--metadata", "auc=0.9")
    assert smas.done("diff", f"{M}@2", f"{M}@3").out.splitlines() == [
        "+ new  1 bytes",
        "- empty  0 bytes",
        "~ auc: null -> 0.9",
    ]
    assert smas.done("diff", f"{M}@1", f"{M}@2").out == "~ model.bin  6 bytes\n"


def test_aliases_are_set_listed_and_remembered(smas: Command, published: Path) -> None:
    """Every subcommand, also with an expectation."""
    assert published
    assert smas.done("alias", "set", M, "champion", "latest", "--expect", "1").out == "champion -> 2\n"
    assert smas.done("alias", "set", M, "new", "1", "--expect", "none").out == "new -> 1\n"
    assert smas("alias", "set", M, "new", "2", "--expect", "none").code == 6
    assert smas("alias", "set", M, "new", "2", "--expect", "soon").code == 2
    listed = smas.done("alias", "list", M).out.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["champion", "2"], ["new", "1"]]
    assert smas.done("alias", "rm", M, "new").out == "new removed\n"
    history = smas.done("alias", "history", M, "new").out.splitlines()
    assert [line.split()[0] for line in history] == ["VERSION", "removed", "1"]
    then = smas.done("alias", "history", M, "champion", "--at", "9999-12-31T23:59:59Z").out
    assert then.startswith("champion -> 2  since ")


def test_open_uploads_are_listed_and_ended(smas: Command, tmp_path: Path) -> None:
    """An upload that broke off is seen, and given up."""
    smas.wire.drop("PUT", "memory://part", times=100)
    assert smas("push", sparse(tmp_path / "large"), M, "--retries", "0").code == 9
    (line,) = smas.done("uploads", "ls", M).out.splitlines()[1:]
    assert smas.done("uploads", "abort", M, line.split()[0]).out == "aborted\n"
    nothing = smas.done("uploads", "ls", M)
    assert (nothing.out, nothing.err) == ("", "none is open\n")


def test_the_cache_is_shown_and_emptied(smas: Command, published: Path, tmp_path: Path) -> None:
    """Pruning removes what nobody used for so long; pulled folders keep their files."""
    smas.done("pull", M, tmp_path / "in")
    shown = smas.done("cache", "show").out
    assert str(tmp_path / "cache") in shown
    assert smas.done("cache", "prune").out.startswith("removed 0 files")
    assert smas.done("cache", "prune", "--unused", "0s").out.startswith("removed 4 files")
    assert contents_of(tmp_path / "in") == contents_of(published)
    assert smas("cache", "prune", "--unused", "soon").code == 2


def test_whoami_tells_people_and_machines(smas: Command) -> None:
    """Names and values, and what to do without a role."""
    told = smas.done("whoami").out
    assert f"store        {PUBLIC_URL}\n" in told
    assert "data-scientist of fraud" in told
    smas.become("machine")
    assert "machine-client (a machine)" in smas.done("whoami").out
    smas.become("nobody")
    assert "none: ask whoever administers the store" in smas.done("whoami").out
    smas.become("compliance")
    assert "compliance (all teams)" in smas.done("whoami").out


def test_the_token_is_alone_on_stdout(smas: Command) -> None:
    """For `$(smas token)`: nothing else is printed at all."""
    token = smas.become("ds-fraud")
    ended = smas.done("token")
    assert (ended.out, ended.err) == (f"{token}\n", "")


def test_no_text_of_others_steers_the_terminal(smas: Command, files: Path) -> None:
    """Escape sequences that somebody wrote into names or messages are shown, not obeyed."""
    smas.done(
        "push", files, M, "-m", "a \x1b[31mred\x1b[0m message\u202e", "--metadata", "a=\x1b]0;title\x07"
    )
    smas.done("edit", M, "-d", "bell \x07")
    printed = "".join(
        smas.done(*command).out
        for command in (("ls",), ("ls", M), ("show", M), ("show", f"{M}@1"), ("diff", f"{M}@1", f"{M}@1"))
    )
    assert "\\x1b[31mred" in printed
    assert not set(printed) & {"\x1b", "\x07", "\u202e"}


def test_files_left_out_are_told(smas: Command, files: Path) -> None:
    """Hidden files are named, unless they are asked for; quiet says nothing and does the same."""
    (files / ".env").write_text("secret")
    assert "left out: .env (hidden)" in smas.done("push", files, M).err
    quiet = smas.done("push", files, M, "--quiet")
    assert (quiet.out, quiet.err) == (f"{M}@2\n", "")
    taken = smas.done("push", files, M, "--hidden", "--json").json
    assert ".env" in {file["path"] for file in taken["version"]["files"]}


def test_without_waiting(smas: Command, files: Path) -> None:
    """`--no-wait` ends at once; `--wait-seconds` ends with exit code 8 when time is up."""
    smas.wire.verifies = False
    ended = smas.done("push", files, M, "--no-wait")
    assert ended.out == f"{M}@1\n"
    assert "verifying" in ended.err
    late = smas("push", files, M, "--wait-seconds", "0.05")
    assert late.code == 8
    assert f"smas show {M}@2" in late.err
