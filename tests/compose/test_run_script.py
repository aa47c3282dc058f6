"""`emulator/compose/run`, which every container begins with: output in two places, none of it lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.local_aws import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

RUN = str(REPOSITORY / "emulator" / "compose" / "run")
SAID = str(REPOSITORY / "emulator" / "compose" / "said")
# Ends in order at a signal, and has much to say then.
FINISHES = """
import signal, sys, time
def finish(*_):
    for number in range(20_000):
        print("finishing", number)
    print("the last line")
    sys.exit(7)
signal.signal(signal.SIGTERM, finish)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A state directory with a folder for logs, and a folder for temporary files."""
    for folder in ("logs", "tmp"):
        (tmp_path / folder).mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SMAS_"))}
    return {**kept, "SMAS_STATE": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}


def test_output_is_on_stdout_and_at_the_end_of_the_log(tmp_path: Path, environment: dict[str, str]) -> None:
    """Both streams, in order, once each; the log of an earlier run stays; the exit code is the program's."""
    log = tmp_path / "logs" / "service.log"
    log.write_text("earlier\n")
    program = "import sys; print('one', flush=True); print('two', file=sys.stderr); sys.exit(3)"

    command = [RUN, "service", sys.executable, "-c", program]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "one\ntwo\n", "")
    assert log.read_text() == "earlier\none\ntwo\n"


def test_a_stop_is_passed_on_and_waits_for_the_last_line(tmp_path: Path, environment: dict[str, str]) -> None:
    """As at `docker stop`: the signal reaches the program, and all it says while finishing is kept."""
    process = subprocess.Popen(
        [RUN, "worker", sys.executable, "-c", FINISHES], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)

    assert process.returncode == 7
    assert said.splitlines()[-1] == "the last line"
    assert said.count("\n") == 20_001
    assert (tmp_path / "logs" / "worker.log").read_text() == f"ready\n{said}"


def test_the_settings_are_for_whoever_has_a_profile(tmp_path: Path, environment: dict[str, str]) -> None:
    """They are read when the container starts, because provisioning writes them just before."""
    (tmp_path / "service.env").write_text("SMAS_BUCKET=the-bucket\n")
    program = "import os; print(os.environ.get('SMAS_BUCKET'))"
    command = [RUN, "service", sys.executable, "-c", program]

    without = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    having = subprocess.run(
        command,
        env={**environment, "AWS_PROFILE": "smas-service"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (without.stdout, having.stdout) == ("None\n", "the-bucket\n")


def test_only_what_this_run_has_said_counts(tmp_path: Path, environment: dict[str, str]) -> None:
    """What an earlier run wrote into the same log does not make this one ready."""
    log = tmp_path / "logs" / "shipper.log"
    log.write_text("shipping, as it was\n")
    process = subprocess.Popen(
        [RUN, "shipper", sys.executable, "-c", FINISHES], env=environment, stdout=subprocess.PIPE, text=True
    )

    def said(words: str) -> bool:
        return subprocess.run([SAID, "shipper", words], env=environment, check=False).returncode == 0

    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 60
        while not said("ready"):
            assert time.monotonic() < deadline
        assert not said("shipping")
    finally:
        process.terminate()
        process.communicate(timeout=30)
