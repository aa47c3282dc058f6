"""Reading locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supply_chain.locks import LockError, read_lock, read_locks
from tests.local_aws import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

REQUIREMENTS = REPOSITORY / "requirements"
HASH = "    --hash=sha256:" + "a" * 64 + "\n"


def written(folder: Path, text: str) -> Path:
    """A lock of this text."""
    path = folder / "service.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(REQUIREMENTS.glob("*.txt")), ids=lambda path: path.stem)
def test_every_line_of_every_lock_is_an_exact_version_with_hashes(path: Path) -> None:
    """As many pins as lines that pin; each was asked for by somebody."""
    lock = read_lock(path)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] not in " #"]
    assert len(lock.pins) == len(lines)
    assert [pin.name for pin in lock.pins if not (pin.wanted or pin.asked_by)] == []


def test_every_input_has_a_lock() -> None:
    """And no lock is without its input."""
    assert {path.stem for path in REQUIREMENTS.glob("*.in")} == {
        lock.name for lock in read_locks(REQUIREMENTS)
    }


def test_it_knows_who_asked(tmp_path: Path) -> None:
    """An input file, or other distributions; a constraint asks for nothing."""
    text = (
        f"Flask==3.1.3 ; sys_platform == 'linux' \\\n{HASH}    # via\n    #   -r requirements/service.in\n"
        f"    #   flask-jwt-extended\nclick==8.0 \\\n{HASH}    # via\n    #   -c service.txt\n    #   Flask\n"
    )
    flask, click = read_lock(written(tmp_path, text)).pins
    assert (flask.name, flask.version, flask.marker) == ("flask", "3.1.3", 'sys_platform == "linux"')
    assert (flask.wanted, flask.asked_by) == (True, ("flask-jwt-extended",))
    assert (click.wanted, click.asked_by) == (False, ("flask",))
    assert click.sha256 == ("a" * 64,)


@pytest.mark.parametrize(
    "line",
    ["flask>=3", "flask==3.1.3", "flask", f"flask==3,<4 \\\n{HASH}", "-e ./client", "--index-url https://x"],
)
def test_what_is_not_exact_is_refused(tmp_path: Path, line: str) -> None:
    """A range, a line without hashes, or an option that would let something else in."""
    with pytest.raises(LockError):
        read_lock(written(tmp_path, line + "\n"))


def test_a_folder_without_locks_is_refused(tmp_path: Path) -> None:
    """Nothing to look at is not nothing to object to."""
    with pytest.raises(LockError, match="no locks"):
        read_locks(tmp_path)
