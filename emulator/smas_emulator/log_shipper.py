"""Ships the logs of service and worker into CloudWatch Logs, as Lambda does with what a function prints.

What was shipped is written down after it arrived, so that a new start goes on there: nothing is lost, and
only a kill between the two ships some lines twice. Run as `python -m smas_emulator.log_shipper STATE`.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from smas_emulator.cloudtrail.log_lines import LARGEST_LINE_BYTES, LogLines
from smas_emulator.log_groups import GROUPS
from smas_emulator.log_tail import BEGINNING, Line, Position, lines_after
from smas_emulator.state import StateDirectory, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOG = logging.getLogger("smas_emulator.log_shipper")
POLL_SECONDS = 0.5
_PAUSE_SECONDS = 2.0


class Positions:
    """How far each log has been shipped, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._read()

    def get(self, name: str) -> Position:
        """How far that log has been shipped."""
        return self._known.get(name, BEGINNING)

    def put(self, name: str, position: Position) -> None:
        """Write down that it has been shipped so far."""
        self._known[name] = position
        write_private(self._path, json.dumps({each: asdict(at) for each, at in self._known.items()}) + "\n")

    def _read(self) -> dict[str, Position]:
        try:
            written = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: Position(**position) for name, position in written.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            LOG.warning("%s is unreadable: all logs are shipped from their beginning", self._path)
            return {}


@dataclass(slots=True)
class Shipper:
    """Ships one log into a stream of its own in one log group."""

    logs: Any
    file: Path
    group: str
    positions: Positions
    clock: Callable[[], datetime]
    stream: str = field(default="", init=False)
    _latest: int = field(default=0, init=False)

    def ship(self) -> bool:
        """Ship the next lines, if there are any; whether there were.

        Raises `ClientError` or `BotoCoreError` when they did not arrive; the next call ships them again.
        """
        lines = lines_after(self.file, self.positions.get(self.file.stem))
        while lines:
            batch, taken = self._batch(lines)
            if batch:
                self._put(batch)
            self.positions.put(self.file.stem, lines[taken - 1].after)
            lines = lines[taken:]
            if not lines:
                return True
        return False

    def _batch(self, lines: Sequence[Line]) -> tuple[list[dict[str, Any]], int]:
        """What one call takes of `lines`, and how many of them that uses up; empty ones are not shipped."""
        waiting = LogLines()
        shipped = [number for number, line in enumerate(lines) if line.text.strip()]
        for number in shipped:
            # Nothing that the service writes is so long; what somebody's traceback holds may be.
            text = lines[number].text.decode(errors="replace").encode()[:LARGEST_LINE_BYTES]
            waiting.add(self._time_of(lines[number].text), text.decode(errors="ignore").encode())
        if not shipped:
            return [], len(lines)
        call = waiting.call()
        batch = [{"timestamp": milliseconds, "message": text} for milliseconds, text in call]
        taken = len(lines) if len(call) == len(shipped) else shipped[len(call)]
        return batch, taken

    def _time_of(self, line: bytes) -> int:
        """The line's own time in milliseconds; for what has none, that of the line before it."""
        try:
            moment = datetime.fromisoformat(json.loads(line)["time"])
        except (ValueError, TypeError, KeyError, RecursionError):
            moment = None
        if moment is not None and moment.tzinfo is not None:
            self._latest = int(moment.timestamp() * 1000)
        elif not self._latest:
            self._latest = int(self.clock().timestamp() * 1000)
        return self._latest

    def _put(self, batch: list[dict[str, Any]]) -> None:
        if not self.stream:
            self._create_stream()
        try:
            self.logs.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=batch)
        except self.logs.exceptions.ResourceNotFoundException:
            self._create_stream()
            self.logs.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=batch)

    def _create_stream(self) -> None:
        # As Lambda names its streams.
        stream = f"{self.clock():%Y/%m/%d}/[$LATEST]{uuid4().hex}"
        self.logs.create_log_stream(logGroupName=self.group, logStreamName=stream)
        self.stream = stream


def run(shippers: Sequence[Shipper], stopping: threading.Event) -> None:
    """Ship what comes until told to stop, and then what is still there."""
    failing: set[str] = set()
    while True:
        last = stopping.is_set()
        for shipper in shippers:
            try:
                while shipper.ship():
                    pass
                failing.discard(shipper.group)
            except (ClientError, BotoCoreError) as error:
                if shipper.group not in failing:
                    LOG.warning(
                        "lines do not arrive in %s, but will be tried again: %s", shipper.group, error
                    )
                failing.add(shipper.group)
        if last:
            return
        stopping.wait(_PAUSE_SECONDS if failing else POLL_SECONDS)


def _session(program: str) -> boto3.Session:
    """The shipper's own; where it has none, that of the program whose log it is, as in Lambda."""
    own, programs = "smas-shipper", f"smas-{program}"
    known = boto3.Session(profile_name=programs).available_profiles
    return boto3.Session(profile_name=own if own in known else programs)


def main() -> None:
    """Ship the logs of the state directory that is the one argument."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    logging.Formatter.converter = time.gmtime
    logging.getLogger("botocore").setLevel(logging.WARNING)
    state = StateDirectory(Path(sys.argv[1]))
    direct = Config(proxies={}, connect_timeout=3, read_timeout=10, retries={"mode": "standard"})
    positions = Positions(state.shipped)
    shippers = [
        Shipper(
            _session(name).client("logs", config=direct),
            state.logs / f"{name}.log",
            group,
            positions,
            lambda: datetime.now(UTC),
        )
        for name, group in GROUPS.items()
    ]
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    LOG.info("shipping %s", ", ".join(f"{each.file.name} to {each.group}" for each in shippers))
    run(shippers, stopping)


if __name__ == "__main__":
    main()
