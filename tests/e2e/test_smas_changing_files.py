"""Files that change while the installed command pushes them: refused, and nothing is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.smas_command import Smas, noise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Stack

# Slowly enough that the change happens while bytes travel.
SLOWLY: Final = ("--connections", "1", "--limit-rate", "6M", "--debug")


def append(path: Path) -> None:
    """Somebody still writes."""
    with path.open("ab") as file:
        file.write(b"more")


def overwrite(path: Path) -> None:
    """Other bytes in the same place, of the same length."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 100)
        file.write(b"other bytes")


def truncate(path: Path) -> None:
    """Half of it is gone."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def replace(path: Path) -> None:
    """Another file with the same name and length."""
    noise(path.with_name("another"), 8).replace(path)


def remove(path: Path) -> None:
    """It is gone."""
    path.unlink()


@pytest.mark.parametrize("change", [append, overwrite, truncate, replace, remove])
def test_a_file_that_changes_while_it_is_pushed_is_refused(
    stack: Stack, model: str, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """Exit code 7 with the file's name and what to do, no version; pushed when all is quiet, it is right."""
    smas = Smas(tmp_path).login(stack)
    path = noise(tmp_path / "out" / "model.bin", 8)
    with smas.started("push", path.parent, model, *SLOWLY) as process:
        assert process.stderr
        for line in process.stderr:
            if "/uploads: 200" in line:
                break
        change(path)
        out, said = process.communicate(timeout=30)
        assert (process.returncode, out) == (7, "")
    assert str(path) in said
    assert "  next: wait until whatever writes it is done, then push again" in said.splitlines()
    stack.user("ds-fraud").expect(404, "GET", f"/v1/models/{model}/versions/latest")

    noise(path, 1)
    pushed = smas.json("push", path.parent, model)
    assert (pushed["version"]["version"], pushed["version"]["state"]) == (1, "available")
