"""Starts, recognises and stops the processes of the stack.

Each runs in a session of its own, with a log file of its own, and outlives the command that started it. A
record of id *and* start recognises it later: an id alone may by then belong to somebody else's process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GRACE_SECONDS = 15.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: where, with which arguments and environment. Two equal commands need no restart."""

    name: str
    arguments: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process that was started: enough to find just it again.

    `started` marks its start (see `start_mark`), `log_offset` is where in its log this run begins, in bytes,
    and `settings` are the arguments and environment that were chosen for it.
    """

    name: str
    pid: int
    started: str
    log: str
    log_offset: int
    settings: dict[str, str]


def start_mark(pid: int) -> str | None:
    """A text that tells the process now running as `pid` from all others that had the id; None without one.

    On Linux it is the boot and the clock tick the process started at, which no change of the wall clock
    moves; elsewhere it is the creation time.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if _BOOT_ID.exists():
            # Fields after the command name, which is in parentheses and may hold anything; the 20th of them
            # is the start.
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            ticks = stat.rpartition(")")[2].split()[19]
            return f"{_BOOT_ID.read_text(encoding='ascii').strip()}/{ticks}"
        return f"{process.create_time():.2f}"
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None


def is_running(record: ProcessRecord) -> bool:
    """Whether the very process that was started still runs."""
    return start_mark(record.pid) == record.started


def start(command: Command, log: Path, settings: Mapping[str, str]) -> ProcessRecord:
    """Start a process in a session of its own, its output appended to `log`.

    Raises `OSError` if the program cannot be executed.
    """
    with log.open("ab") as output:
        offset = output.tell()
        process = subprocess.Popen(
            command.arguments,
            cwd=command.directory,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process.returncode = (
        0  # it outlives us on purpose; without this, Popen warns of that when it is collected
    )
    mark = start_mark(process.pid)
    return ProcessRecord(
        name=command.name,
        pid=process.pid,
        started=mark or "ended at once",
        log=str(log),
        log_offset=offset,
        settings=dict(settings),
    )


def stop(records: Sequence[ProcessRecord], grace: float = GRACE_SECONDS) -> None:
    """Stop these processes and all they started: SIGTERM, then SIGKILL after `grace` seconds.

    What has ended already, or is somebody else's process by now, is left alone.
    """
    mine = [process for record in records for process in _session_of(record)]
    leaders = {record.pid for record in records}
    for process in mine:
        if process.pid in leaders:
            _signal(process, signal.SIGTERM)
    # Leaders end their children themselves; whoever is left when they have gone is told so directly.
    _, alive = psutil.wait_procs([process for process in mine if process.pid in leaders], timeout=grace)
    orphans = [process for record in records for process in _session_of(record)]
    for process in orphans:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs({*alive, *orphans}, timeout=min(grace, 3.0))
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5.0)


def _session_of(record: ProcessRecord) -> list[psutil.Process]:
    """All live processes of the session that the recorded process leads or led.

    The kernel gives a process id to nobody else while a session bears it, so members found after their
    leader's death are still ours; but only if the machine has not been started anew and the id is not
    somebody else's by now.
    """
    mark = start_mark(record.pid)
    if mark is not None and mark != record.started:
        return []
    if mark is None and not _same_boot(record):
        return []
    members = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == record.pid and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
        except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            continue  # it ended while we looked, or is another user's and so not ours
    return members


def _same_boot(record: ProcessRecord) -> bool:
    if not _BOOT_ID.exists():
        return False  # cannot tell: then rather leave a process than end a stranger's
    return record.started.startswith(_BOOT_ID.read_text(encoding="ascii").strip() + "/")


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)  # psutil refuses if the id has been given to another process meanwhile
    except psutil.NoSuchProcess:
        return  # ended by itself, which is what we wanted


class ProcessTable:
    """The records of one state directory, in a file: the next command finds what this one started."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, ProcessRecord]:
        """All records by name, of running and of ended processes."""
        if not self._path.exists():
            return {}
        entries = json.loads(self._path.read_text(encoding="utf-8"))
        return {entry["name"]: ProcessRecord(**entry) for entry in entries}

    def add(self, record: ProcessRecord) -> None:
        """Record a process, in place of an earlier one of its name."""
        self._write({**self.read(), record.name: record})

    def remove(self, names: Sequence[str]) -> None:
        """Forget these."""
        self._write({name: record for name, record in self.read().items() if name not in names})

    def _write(self, records: Mapping[str, ProcessRecord]) -> None:
        temporary = self._path.with_suffix(".new")
        text = json.dumps([asdict(record) for record in records.values()], indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(self._path)
