"""The file that remembers sign-ins: one's own, whole or not at all, whoever else writes to it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas.errors import LocalFault
from smas.identity.credentials import CredentialsFile, SignIn

if TYPE_CHECKING:
    from pathlib import Path

STORE = "https://models.example.test"
KEPT = SignIn("the-access-token", "the-refresh-token", "https://pool.example.test/", "client", "ds-fraud")
WRITER = """
import sys
from pathlib import Path
from smas.identity.credentials import CredentialsFile, SignIn
credentials = CredentialsFile(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
for number in range(20):
    credentials.keep(f"https://{sys.argv[2]}-{number}.example", SignIn(f"token-{number}"))
"""


@pytest.fixture
def credentials(tmp_path: Path) -> CredentialsFile:
    """A file that does not exist yet, in a folder that does not either."""
    return CredentialsFile(tmp_path / "config" / "credentials.json")


def test_a_sign_in_is_found_again(credentials: CredentialsFile) -> None:
    """By its store's address, with all of its fields; before there is a file, nothing is found."""
    assert credentials.find(STORE) is None
    assert credentials.current() is None
    assert not credentials.path.parent.exists()
    credentials.keep(STORE, KEPT, make_current=True)
    credentials.keep("https://other.example.test", SignIn("other"))
    assert credentials.find(STORE) == KEPT
    assert credentials.current() == STORE
    credentials.forget(STORE)
    assert credentials.find(STORE) is None
    assert credentials.current() == STORE
    assert credentials.find("https://other.example.test") == SignIn("other")


def test_the_file_is_its_owner_s_alone(credentials: CredentialsFile, tmp_path: Path) -> None:
    """Mode 600 in a folder of mode 700, whatever the umask; nothing else is left beside it but the lock."""
    before = os.umask(0)
    try:
        credentials.keep(STORE, KEPT)
    finally:
        os.umask(before)
    assert stat.S_IMODE(credentials.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(credentials.path.parent.stat().st_mode) == 0o700
    beside = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "config").iterdir()}
    assert set(beside.values()) == {0o600}
    assert set(beside) <= {"credentials.json", "credentials.lock"}


def test_nobody_could_read_it_at_any_moment(credentials: CredentialsFile) -> None:
    """From the first moment on: somebody who looks all the time never sees another mode."""
    folder, stop = credentials.path.parent, threading.Event()
    seen: set[tuple[str, int]] = set()

    def look() -> None:
        while not stop.is_set():
            for entry in os.scandir(folder) if folder.exists() else ():
                try:
                    seen.add((entry.name.partition(".json")[0], stat.S_IMODE(entry.stat().st_mode)))
                except FileNotFoundError:
                    continue

    before = os.umask(0)
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for number in range(100):
            credentials.keep(STORE, SignIn(f"token-{number}"))
    finally:
        stop.set()
        watcher.join()
        os.umask(before)
    assert seen
    assert {mode for _, mode in seen} == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
def test_a_file_that_others_may_read_is_not_used(credentials: CredentialsFile, mode: int) -> None:
    """The error says what is wrong and how to mend it, and tells nothing of what is in there."""
    credentials.keep(STORE, KEPT)
    credentials.path.chmod(mode)
    for use in (credentials.current, lambda: credentials.find(STORE), lambda: credentials.forget(STORE)):
        with pytest.raises(LocalFault, match="others than you") as told:
            use()
        assert f"chmod 600 {credentials.path}" in told.value.hint
        assert "the-access-token" not in repr(vars(told.value))
    credentials.path.chmod(0o600)
    assert credentials.find(STORE) == KEPT


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"stores": {"x": {}}}', b'{"stores": {"x": {"access_token": 7}}}', b"\xff\xfe"],
)
def test_a_damaged_file_is_named(credentials: CredentialsFile, content: bytes) -> None:
    """It is neither taken for an empty one nor overwritten: the sign-ins in it may still be saved."""
    credentials.path.parent.mkdir()
    credentials.path.touch(mode=0o600)
    credentials.path.write_bytes(content)
    with pytest.raises(LocalFault, match="is damaged") as told:
        credentials.find(STORE)
    assert "smas login" in told.value.hint
    with pytest.raises(LocalFault, match="is damaged"):
        credentials.keep(STORE, KEPT)
    assert credentials.path.read_bytes() == content


def test_a_folder_in_its_place_is_named(credentials: CredentialsFile) -> None:
    """What is no file at all is an error of this machine, not a traceback."""
    credentials.path.mkdir(parents=True)
    with pytest.raises(LocalFault):
        credentials.find(STORE)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file where the folder should be, say, is an error of this machine, not a traceback."""
    (tmp_path / "config").write_text("a file")
    credentials = CredentialsFile(tmp_path / "config" / "credentials.json")
    with pytest.raises(LocalFault, match="config"):
        credentials.find(STORE)
    with pytest.raises(LocalFault, match="config"):
        credentials.keep(STORE, KEPT)


def test_writers_in_several_processes_lose_nothing(credentials: CredentialsFile) -> None:
    """Each process keeps twenty sign-ins at the same time as the others; all are there in the end."""
    names = ("a", "b", "c")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(credentials.path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    for name in names:
        for number in range(20):
            assert credentials.find(f"https://{name}-{number}.example") == SignIn(f"token-{number}")


def test_writers_in_several_threads_lose_nothing(credentials: CredentialsFile) -> None:
    """The same within a process."""

    def write(name: str) -> None:
        for number in range(10):
            credentials.keep(f"https://{name}-{number}.example", SignIn(name))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [credentials.find(f"https://{name}-{number}.example") for name in "abcd" for number in range(10)]
    assert held == [SignIn(name) for name in "abcd" for _ in range(10)]


def test_the_lock_may_be_entered_again(credentials: CredentialsFile) -> None:
    """Whoever renews a token holds the file, and keeps what was granted in it meanwhile."""
    with credentials.locked():
        credentials.keep(STORE, KEPT)
        with credentials.locked():
            assert credentials.find(STORE) == KEPT


@given(tokens=st.tuples(st.text(min_size=8), st.text(min_size=8), st.none() | st.text()))
def test_a_sign_in_shows_no_token(tokens: tuple[str, str, str | None]) -> None:
    """Its representation names the user and nothing else."""
    access, refresh, name = tokens
    assert repr(SignIn(access, refresh, username=name)) == f"SignIn(username={name!r})"
