"""Processes are recognised by id and start, and stopped whole, and nobody else's are."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from smas_emulator import processes
from smas_emulator.processes import Command, ProcessRecord, ProcessTable

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEP = "import time; time.sleep(60)"
BORN = "print('born', flush=True)"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {BORN}; {SLEEP}"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {BORN}; {SLEEP}"


@pytest.fixture
def started() -> Iterator[list[ProcessRecord]]:
    """Records of what a test has started; whatever of it is left is ended."""
    records: list[ProcessRecord] = []
    yield records
    processes.stop(records, grace=0.1)


def run(code: str, tmp_path: Path, started: list[ProcessRecord]) -> ProcessRecord:
    """Start Python code as a process of the stack."""
    command = Command("program", (sys.executable, "-c", code), tmp_path, dict(os.environ))
    record = processes.start(command, tmp_path / "program.log", {})
    started.append(record)
    return record


def await_words(record: ProcessRecord, words: str) -> None:
    """Wait until the process has written these words."""
    deadline = time.monotonic() + 60
    while words not in Path(record.log).read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_started_process_is_recognised_until_it_ends(tmp_path: Path, started: list[ProcessRecord]) -> None:
    """A record finds its process, and says so when it has gone."""
    record = run(SLEEP, tmp_path, started)
    assert processes.is_running(record)

    processes.stop([record])

    assert not processes.is_running(record)


def test_another_process_with_the_id_is_left_alone(tmp_path: Path, started: list[ProcessRecord]) -> None:
    """Once an id belongs to somebody else, a stop does not touch it."""
    stranger = run(SLEEP, tmp_path, started)
    boot = stranger.started.rpartition("/")[0]
    stale = replace(stranger, started=f"{boot}/1")

    processes.stop([stale], grace=0.1)

    assert not processes.is_running(stale)
    assert processes.is_running(stranger)


def test_children_end_with_their_parent(tmp_path: Path, started: list[ProcessRecord]) -> None:
    """What a program has started ends with it."""
    record = run(PARENT, tmp_path, started)
    await_words(record, "born")
    (child,) = psutil.Process(record.pid).children()

    processes.stop([record])

    assert not child.is_running()


def test_orphans_of_a_killed_parent_are_found(tmp_path: Path, started: list[ProcessRecord]) -> None:
    """A server killed with -9 may leave children that hold its port; a stop ends them too."""
    record = run(PARENT, tmp_path, started)
    await_words(record, "born")
    leader = psutil.Process(record.pid)
    (child,) = leader.children()
    leader.kill()
    leader.wait()
    assert child.is_running()

    processes.stop([record])

    assert not child.is_running()


def test_what_does_not_listen_is_killed(tmp_path: Path, started: list[ProcessRecord]) -> None:
    """A process that ignores SIGTERM ends all the same, after the grace it was given."""
    record = run(STUBBORN, tmp_path, started)
    await_words(record, "born")

    processes.stop([record], grace=0.2)

    assert not processes.is_running(record)


def test_each_run_knows_where_its_log_begins(tmp_path: Path, started: list[ProcessRecord]) -> None:
    """A log is kept across restarts, and a cause is looked for in the last run only."""
    first = run("print('first')", tmp_path, started)
    await_words(first, "first")

    second = run("print('second')", tmp_path, started)
    await_words(second, "second")

    assert (first.log_offset, second.log_offset) == (0, len("first\n"))


def test_records_survive_the_command_that_made_them(tmp_path: Path, started: list[ProcessRecord]) -> None:
    """What one command started, the next one finds, until it is forgotten."""
    record = run(SLEEP, tmp_path, started)
    ProcessTable(tmp_path / "processes.json").add(record)

    assert ProcessTable(tmp_path / "processes.json").read() == {"program": record}

    ProcessTable(tmp_path / "processes.json").remove(["program"])
    assert ProcessTable(tmp_path / "processes.json").read() == {}
