"""`requirements/environment.sh`: which Python it takes, and what it says when there is none."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "requirements" / "environment.sh"

# Stand-ins for interpreters: each answers the three questions that the script asks.
OLD = '#!/bin/sh\ncase "$2" in *version_info*3,*11*) exit 1 ;; *print*) echo 3.9.18 ;; esac\n'
NEW_WITHOUT_VENV = '#!/bin/sh\ncase "$2" in *print*) echo 3.11.2 ;; *ensurepip*) exit 1 ;; esac\n'
BROKEN = "#!/bin/sh\nexit 127\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, text: str) -> None:
    """A program on that PATH."""
    program = folder / name
    program.write_text(text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def run(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script for an environment that it must not get to make."""
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), str(path.parent / "environment"), "no-such-lock.txt"],
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_refused(result: subprocess.CompletedProcess[str], path: Path, sentence: str) -> None:
    """One sentence on stderr, nothing on stdout, nothing made."""
    assert (result.returncode, result.stdout, result.stderr) == (1, "", sentence + "\n")
    assert not (path.parent / "environment").exists()


def test_no_python_at_all(path: Path) -> None:
    """Without any Python, the names that were tried are said."""
    assert_refused(
        run(path),
        path,
        "Python 3.11 or newer is needed, but none of python3 python3.13 python3.12 python3.11 runs; "
        "install one, or name one with PYTHON=<path>.",
    )


def test_too_old_a_python_is_named_with_its_version(path: Path) -> None:
    """An old Python, and one that does not run, are no Python, and the old one's version is said."""
    put(path, "python3", OLD)
    put(path, "python3.12", BROKEN)

    assert_refused(
        run(path),
        path,
        "Python 3.11 or newer is needed, but python3 is 3.9.18; install one, or name one with PYTHON=<path>.",
    )


def test_a_python_without_venv_names_the_package(path: Path) -> None:
    """Debian's Python lacks ensurepip: the package to install is named, for the version that is there."""
    put(path, "python3", OLD)
    put(path, "python3.11", NEW_WITHOUT_VENV)

    assert_refused(
        run(path),
        path,
        "python3.11 (3.11.2) cannot make virtual environments; install the package python3.11-venv "
        "(Debian, Ubuntu), or name another Python with PYTHON=<path>.",
    )


def test_the_named_python_is_taken_or_refused_but_never_replaced(path: Path) -> None:
    """PYTHON= is obeyed: a wrong one is an error even when another would do."""
    put(path, "python3", NEW_WITHOUT_VENV)
    put(path, "old", OLD)

    assert_refused(run(path, PYTHON="old"), path, "PYTHON=old is Python 3.9.18; name a Python 3.11 or newer.")
    assert_refused(run(path, PYTHON="gone"), path, "PYTHON=gone does not run; name a Python 3.11 or newer.")


def test_a_failed_install_is_not_marked_ready(path: Path) -> None:
    """When pip fails, the environment has no mark, so the next run begins anew."""
    result = run(path, PYTHON=sys.executable, PATH=os.environ["PATH"])

    assert result.returncode == 1
    assert "failed; pip's own words are above" in result.stderr
    assert result.stdout == ""
    assert not (path.parent / "environment" / ".ready").exists()
