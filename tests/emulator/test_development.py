"""What `up --dev` runs natively, and that nothing else does."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from smas_emulator.development import Debuggers, libraries
from smas_emulator.errors import StackError
from smas_emulator.programs import service_command, worker_command

from tests.local_aws import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

RELOAD = str(REPOSITORY / "emulator" / "develop" / "reload")
# Says that it began, and in its own time that it ends.
PROGRAM = """
import signal, sys, time
print("began", flush=True)
signal.signal(signal.SIGTERM, lambda *_: (print("ended", flush=True), sys.exit(0)))
time.sleep(60)
"""


def test_a_debugger_listens_on_request_only(tmp_path: Path) -> None:
    """On the loopback address, the worker's at the next port; one gunicorn worker, never replaced."""
    plain = [service_command("python", tmp_path, 8080, {}), worker_command("python", tmp_path, {})]
    debuggers = Debuggers(5678)
    service = service_command("python", tmp_path, 8080, {}, debuggers)
    worker = worker_command("python", tmp_path, {}, debuggers)

    for command in plain:
        assert not any("debug" in part or "reload" in part for part in command.arguments)
        assert "PYTHONPATH" not in command.environment
    assert service.arguments[-5:] == (
        "--workers",
        "1",
        "--timeout",
        "0",
        "debugged:service('127.0.0.1', 5678)",
    )
    assert worker.arguments[-4:] == ("-m", "debugged", "127.0.0.1", "5679")
    for command in (service, worker):
        assert command.arguments[:2] == (
            str(tmp_path / "emulator" / "develop" / "reload"),
            str(tmp_path / "service"),
        )
        assert command.environment["PYTHONPATH"] == str(tmp_path / "emulator" / "develop")


def test_an_environment_without_a_debugger_is_told() -> None:
    """As before `make up` has made it."""
    with pytest.raises(StackError, match=r"has no debugpy or no watchdog .*`make up DEV=1` installs them"):
        libraries("no-such-python")
    debugger, watcher = libraries(sys.executable)
    assert re.search(r"debugpy$", debugger)
    assert re.search(r"watchdog$", watcher)


def test_a_program_begins_anew_when_code_changes(tmp_path: Path) -> None:
    """In folders below, too; other files do not matter, and a stop reaches the program."""
    folder = tmp_path / "code"
    (folder / "below").mkdir(parents=True)
    log = tmp_path / "log"

    def words() -> list[str]:
        return log.read_text(encoding="utf-8").split()

    with (
        log.open("wb") as output,
        subprocess.Popen([RELOAD, str(folder), sys.executable, "-c", PROGRAM], stdout=output) as running,
    ):
        try:
            deadline = time.monotonic() + 120
            # Nothing tells when the watcher begins to watch: the code changes until it is seen.
            while words().count("began") < 2:
                assert time.monotonic() < deadline, words()
                (folder / "notes.txt").write_text("not code", encoding="utf-8")
                if words():
                    time.sleep(1)
                    (folder / "below" / "module.py").write_text("code = 1", encoding="utf-8")
        finally:
            running.terminate()
    assert words() == ["began", "ended"] * words().count("began")
