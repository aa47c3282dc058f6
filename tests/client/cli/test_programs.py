"""The command as a program of its own: how it starts, what it needs, and how it ends in a pipe."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from smas.about import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT = Path(__file__).parents[3] / "client"
SMAS = [sys.executable, "-m", "smas"]


def python(code: str, *arguments: str, folder: Path | None = None) -> str:
    """What a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_needs_no_heavy_library() -> None:
    """`smas --help` answers at once: neither the HTTP library nor the one that draws is imported for it."""
    code = (
        "import sys; from smas.cli.main import run; assert run(['--help']) == 0; print(sorted(sys.modules))"
    )
    *_, modules = python(code).splitlines()
    for name in ("urllib3", "rich", "msgspec", "filelock", "sqlite3", "smas.store"):
        assert f"'{name}'" not in modules, name
    assert "'click'" in modules


def test_the_package_s_names_are_imported_when_they_are_used() -> None:
    """`import smas` alone imports nothing; its public names are all there, and no others."""
    code = (
        "import sys, smas; print('smas.store' in sys.modules);"
        "print(all(getattr(smas, name) for name in smas.__all__), smas.__all__ == dir(smas));"
        "print(smas.Store.__module__, smas.__version__)"
    )
    assert python(code).splitlines() == ["False", "True True", f"smas.store {VERSION}"]


def test_the_version_is_written_down_once_more_where_it_is_packaged() -> None:
    """`pyproject.toml` and what the command says are the same."""
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client as it is published, built without any network from a copy of its sources."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "dist", "build")
    shutil.copytree(CLIENT, folder / "client", ignore=ignored)
    code = "import sys; from flit_core import buildapi; print(buildapi.build_wheel(sys.argv[1]))"
    name = python(code, str(folder), folder=folder / "client").splitlines()[-1]
    return folder / name


def test_the_wheel_holds_the_client_alone(wheel: Path) -> None:
    """Nothing but the package and its metadata, typed, with the command and fsspec's entry point."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = f"smas-{VERSION}.dist-info/"
        metadata = archive.read(f"{info}METADATA").decode()
        entry_points = archive.read(f"{info}entry_points.txt").decode()
    assert {name.partition("/")[0] for name in names} == {"smas", info.rstrip("/")}
    assert "smas/py.typed" in names
    sources = {path.relative_to(CLIENT).as_posix() for path in (CLIENT / "smas").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == sources
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert needed
    for line in needed:
        for foreign in ("boto", "flask", "werkzeug", "aws"):
            assert foreign not in line.lower()
    assert "smas=smas.cli.main:main" in entry_points.replace(" ", "")
    assert "smas=smas.filesystem:StoreFileSystem" in entry_points.replace(" ", "")


def test_the_wheel_needs_neither_aws_s_library_nor_the_service(wheel: Path) -> None:
    """Every module of it can be imported where boto3, Flask and the service do not exist."""
    code = """
import importlib, pkgutil, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"boto3", "botocore", "s3transfer", "flask", "werkzeug", "service"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
sys.path.insert(0, sys.argv[1])
import smas
assert smas.__file__.startswith(sys.argv[1]), smas.__file__
names = [one.name for one in pkgutil.walk_packages(smas.__path__, "smas.") if one.name != "smas.__main__"]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
    assert int(python(code, str(wheel))) > 30


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_taken_by_their_shell(shell: str) -> None:
    """The script is sourced without a complaint, and asks the command for what may follow."""
    script = subprocess.run(
        [*SMAS, "completion", shell], capture_output=True, text=True, check=True, timeout=60
    )
    assert script.stderr == ""
    assert "_SMAS_COMPLETE" in script.stdout
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    check = {
        "bash": "source /dev/stdin && complete -p smas",
        "zsh": "autoload -Uz compinit && compinit -u && source /dev/stdin && print $_comps[smas]",
        "fish": "source - && complete -c smas",
    }[shell]
    done = subprocess.run(
        [shell, "-c", check], input=script.stdout, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "smas" in done.stdout


def test_the_shell_is_told_what_may_follow() -> None:
    """Commands and options, as click's scripts ask for them."""
    environ = {**os.environ, "_SMAS_COMPLETE": "bash_complete"}

    def completed(words: str) -> set[str]:
        asked = environ | {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
        done = subprocess.run(
            [shutil.which("smas", path=str(Path(sys.executable).parent)) or "smas"],
            env=asked,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return {line.partition(",")[2] for line in done.stdout.splitlines()}

    assert {"push", "pull"} <= completed("smas pu")
    assert completed("smas alias s") == {"set"}
    assert {"--connections"} <= completed("smas push --conn")
    assert completed("smas audit e") == {"events"}
    assert completed("smas audit events --outcome d") == {"denied"}


def test_a_reader_that_leaves_is_no_error() -> None:
    """`smas … | head` ends quietly: no traceback, no complaint at exit, exit code 0."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*SMAS, "--help"], stdout=write, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def on_a_terminal(environ: Mapping[str, str]) -> str:
    """What `smas whoami` of somebody who is not signed in prints on a terminal."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen([*SMAS, "whoami"], stdout=subprocess.DEVNULL, stderr=theirs, env=dict(environ))
    os.close(theirs)
    said = b""
    try:
        while block := os.read(ours, 1000):
            said += block
    except OSError:  # so Linux says that the other end is closed
        pass
    finally:
        os.close(ours)
    assert done.wait() == 3
    return said.decode()


def test_colours_are_for_terminals_and_never_with_no_color(tmp_path: Path) -> None:
    """On a terminal the error stands out; with NO_COLOR it is the same text without."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("SMAS_", "NO_COLOR"))
    }
    environ |= {"SMAS_CONFIG": str(tmp_path), "SMAS_CACHE": str(tmp_path), "TERM": "xterm"}
    coloured, plain = on_a_terminal(environ), on_a_terminal({**environ, "NO_COLOR": "1"})
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain
    assert "which store?" in plain
    piped = subprocess.run(
        [*SMAS, "whoami"], env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert piped.returncode == 3
    assert "\x1b[" not in piped.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_with_the_shell_s_codes(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Ctrl-C and SIGTERM, while it waits for a password: the code of the signal, and how to go on."""
    environ = {**os.environ, "SMAS_CONFIG": str(tmp_path), "SMAS_CACHE": str(tmp_path)}
    # A token that never comes: the command waits on stdin, which says nothing and stays open.
    waiting = subprocess.Popen(
        [*SMAS, "login", "https://models.example.test", "--token", "-", "--debug"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    assert waiting.stderr
    assert waiting.stderr.readline()  # the line of --debug: it has begun
    waiting.send_signal(number)
    _, said = waiting.communicate(timeout=60)
    assert waiting.returncode == code
    assert "interrupted" in said
