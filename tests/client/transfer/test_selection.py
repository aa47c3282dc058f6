"""What a push takes of a folder: every file is published, told to be left out, or refused by name."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from smas.errors import Invalid, LocalFault
from smas.transfer.selection import MAX_FILE_BYTES, MAX_FILES, select

from tests.client.transfer.trees import refusals, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def paths(source: Path, **options: bool) -> list[str]:
    """The paths that would be published."""
    return [file.path for file in select(source, **options).files]


def test_a_folders_files_are_taken_in_the_order_of_their_paths(folder: Path) -> None:
    """Every file below the folder, by its path in it, with its size and where it is."""
    for path, data in {"b": b"12", "a/z": b"1", "a/b/c": b"", "a.txt": b"123"}.items():
        write(folder / path, data)
    selection = select(folder)
    found = [(file.path, file.size, file.source) for file in selection.files]
    assert found == [
        ("a.txt", 3, folder / "a.txt"),
        ("a/b/c", 0, folder / "a/b/c"),
        ("a/z", 1, folder / "a/z"),
        ("b", 2, folder / "b"),
    ]
    assert selection.left_out == []
    for file in selection.files:
        file.check_unchanged()


@pytest.mark.parametrize("name", ["model.bin", ".hidden"])
def test_a_single_file_is_published_under_its_own_name(folder: Path, name: str) -> None:
    """Also a hidden one: whoever names it wants it."""
    assert paths(write(folder / name, b"x")) == [name]


def test_what_is_not_there_is_an_error_of_this_machine(folder: Path) -> None:
    """A source that does not exist, or leads nowhere, is named."""
    (folder / "link").symlink_to("nowhere")
    for name in ("missing", "link"):
        with pytest.raises(LocalFault, match=f"{name} can't be read: No such file"):
            select(folder / name)


def test_the_named_folder_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    """Whoever names a link means what it leads to: a folder or a file, under the name that was given."""
    write(folder / "model.bin", b"x")
    (tmp_path / "current").symlink_to("out")
    (tmp_path / "best.bin").symlink_to("out/model.bin")
    assert paths(tmp_path / "current") == ["model.bin"]
    assert paths(tmp_path / "best.bin") == ["best.bin"]


def test_symbolic_links_are_refused_and_their_targets_named(folder: Path, tmp_path: Path) -> None:
    """Nothing from outside the folder is published unasked; every link is named with where it leads."""
    write(tmp_path / "secret", b"x")
    write(folder / "model.bin", b"x")
    (folder / "to-file").symlink_to("../secret")
    (folder / "to-folder").symlink_to(tmp_path)
    (folder / "broken").symlink_to("no\nwhere")
    (folder / "loop").symlink_to("loop")
    found = refusals(folder)
    assert set(found) == {"to-file", "to-folder", "broken", "loop"}
    assert found["to-file"] == (
        "it is a symbolic link, to ../secret: --follow-symlinks takes what links lead to"
    )
    assert "to no\\nwhere:" in found["broken"]


def test_links_are_followed_when_asked(folder: Path, tmp_path: Path) -> None:
    """Files and whole folders that links lead to are published under the links' names, also twice."""
    write(tmp_path / "data/deep/weights", b"w")
    (folder / "to-file").symlink_to("../data/deep/weights")
    (folder / "one").symlink_to(tmp_path / "data")
    (folder / "two").symlink_to("one")
    assert paths(folder, follow_symlinks=True) == ["one/deep/weights", "to-file", "two/deep/weights"]


def test_links_that_lead_nowhere_or_in_circles_are_refused(folder: Path) -> None:
    """Following links ends, and names every one that can't be followed."""
    write(folder / "a/b/file")
    (folder / "broken").symlink_to("nowhere")
    (folder / "itself").symlink_to("itself")
    (folder / "a/b/up").symlink_to("..")
    (folder / "a/top").symlink_to("../../out")
    found = refusals(folder, follow_symlinks=True)
    back = "the link leads back to a folder it lies in"
    assert found["broken"] == "the link leads nowhere: No such file or directory"
    assert found["itself"].startswith("the link leads nowhere: ")
    assert (found["a/b/up"], found["a/top"]) == (back, back)
    assert len(found) == 4


def test_hidden_files_are_left_out_and_told(folder: Path) -> None:
    """Files and folders that begin with a dot are left out by name, at any depth, or taken when asked."""
    for path in (".env", ".git/config", "a/.cache/x", "a/b"):
        write(folder / path)
    selection = select(folder)
    assert [file.path for file in selection.files] == ["a/b"]
    assert selection.left_out == [".env (hidden)", ".git (hidden)", "a/.cache (hidden)"]
    assert paths(folder, hidden=True) == [".env", ".git/config", "a/.cache/x", "a/b"]


@pytest.mark.parametrize("hidden", [True, False])
def test_the_record_of_pulls_is_never_published(folder: Path, *, hidden: bool) -> None:
    """``.smas`` at the top belongs to pulls: neither taken nor worth a word; below it is a folder as any."""
    for path in (".smas/pulled.json", "sub/.smas/x", "a"):
        write(folder / path)
    selection = select(folder, hidden=hidden)
    assert [file.path for file in selection.files] == (["a", "sub/.smas/x"] if hidden else ["a"])
    assert selection.left_out == ([] if hidden else ["sub/.smas (hidden)"])


@pytest.mark.parametrize("name", [".SMAS", ".Smas", ".\u017fmas"])
def test_nothing_is_published_that_no_pull_would_take(folder: Path, name: str) -> None:
    """What a case-insensitive file system takes for ``.smas`` is refused by pulls, so by pushes already."""
    write(folder / name / "file")
    assert "nothing can be pulled under that name" in refusals(folder, hidden=True)[f"{name}/file"]
    with pytest.raises(Invalid, match="nothing can be pulled under that name"):
        select(write(folder / "sub/.smas"))


def test_empty_files_are_published_and_empty_folders_told(folder: Path) -> None:
    """A version has files alone: an empty folder is left out, and said to be."""
    write(folder / "empty")
    (folder / "a/b").mkdir(parents=True)
    (folder / "hidden-only").mkdir()
    write(folder / "hidden-only/.x")
    selection = select(folder)
    assert [(file.path, file.size) for file in selection.files] == [("empty", 0)]
    assert selection.left_out == ["a/b/ (an empty folder)", "hidden-only/.x (hidden)"]


def test_a_folder_without_files_is_refused(folder: Path) -> None:
    """Nothing to publish is an error, and if hidden files would be something, it says so."""
    with pytest.raises(Invalid, match="holds no file to publish") as refusal:
        select(folder)
    assert refusal.value.hint == ""
    write(folder / ".hidden")
    with pytest.raises(Invalid, match="holds no file to publish") as refusal:
        select(folder)
    assert "--hidden" in refusal.value.hint


def test_sockets_and_pipes_are_refused_without_waiting(folder: Path) -> None:
    """They are named for what they are; nobody waits for a pipe's other end."""
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder.parent / "named-pipe")
    write(folder / "file")
    # Not a connection: a name in the file system, which is all that is needed here.
    os.mknod(folder / "socket", stat.S_IFSOCK | 0o600)
    assert refusals(folder) == {
        "pipe": "it is a pipe, not a file",
        "socket": "it is a socket, not a file",
    }
    assert refusals(folder.parent / "named-pipe") == {"named-pipe": "it is a pipe, not a file"}


def test_devices_are_refused(tmp_path: Path) -> None:
    """A link to a device is none of a model's files."""
    (tmp_path / "zero").symlink_to(os.devnull)
    assert refusals(tmp_path, follow_symlinks=True) == {"zero": "it is a device, not a file"}


@pytest.mark.parametrize("count", [MAX_FILES, MAX_FILES + 1])
def test_a_version_holds_a_thousand_files_and_no_more(folder: Path, count: int) -> None:
    """Both sides of the limit; the refusal says how many there are and what to do."""
    for number in range(count):
        write(folder / f"{number % 7}" / f"{number}")
    if count <= MAX_FILES:
        assert len(paths(folder)) == 1000
    else:
        message = "1,001 files; a version holds at most 1,000: pack some of them together"
        assert refusals(folder) == {"the folder": message}


def test_a_file_may_be_fifty_gigabytes_and_no_more(folder: Path) -> None:
    """Both sides of the limit, with files that are all hole."""
    os.truncate(write(folder / "limit"), MAX_FILE_BYTES)
    assert [file.size for file in select(folder).files] == [50_000_000_000]
    os.truncate(write(folder / "beyond"), MAX_FILE_BYTES + 1)
    message = "it is 50,000,000,001 bytes long; at most 50,000,000,000 are allowed: split it"
    assert refusals(folder) == {"beyond": message}


SELECT_AS_SOMEBODY = """
import json, os, sys
from pathlib import Path
from smas.errors import Invalid
from smas.transfer.selection import select
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    select(Path("."))
except Invalid as refusal:
    print(json.dumps({fault.location: fault.message for fault in refusal.errors}))
"""


def test_unreadable_files_and_folders_are_named(folder: Path) -> None:
    """Whoever may not read a file is told which, before anything is sent."""
    write(folder / "open", b"x")
    write(folder / "secret", b"x").chmod(0)
    write(folder / "a/inside", b"x")
    (folder / "a").chmod(0)
    folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", SELECT_AS_SOMEBODY, str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    (folder / "a").chmod(0o755)
    assert done.stdout == (
        '{"a": "the folder can\'t be read: Permission denied",'
        ' "secret": "it can\'t be read: Permission denied"}\n'
    )


def test_all_faults_are_named_at_once(folder: Path) -> None:
    """A publisher mends everything in one round; the sentence names the first and counts the others."""
    write(folder / "good")
    write(folder / "a\\b")
    write(folder / "sub/new\nline")
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("good")
    with pytest.raises(Invalid) as refusal:
        select(folder)
    locations = [fault.location for fault in refusal.value.errors]
    assert locations == ["a\\b", "link", "pipe", "sub/new\\nline"]
    assert refusal.value.detail.endswith("a\\b: its name holds a backslash, and 3 more")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(b"longer"), "was changed while it was pushed"),
        (lambda path: os.utime(path, ns=(0, 0)), "was changed while it was pushed"),
        (lambda path: write(path.with_name("new"), b"x").replace(path), "was changed while it was pushed"),
        (lambda path: path.unlink(), "can't be read any more"),
    ],
)
def test_a_file_that_changes_after_it_was_selected_is_noticed(
    folder: Path, change: Callable[[Path], Any], message: str
) -> None:
    """Written, touched, replaced or removed: the push says so instead of publishing a mixture."""
    (file,) = select(write(folder / "file", b"x")).files
    file.check_unchanged()
    change(file.source)
    with pytest.raises(Invalid, match=message) as refusal:
        file.check_unchanged()
    assert "push again" in refusal.value.hint
