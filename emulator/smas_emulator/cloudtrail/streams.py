"""What is on its way for one trail in one region."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.log_files import LogFile, OpenLogFile
from smas_emulator.cloudtrail.log_lines import LogLines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from smas_emulator.cloudtrail.digests import Chain
    from smas_emulator.cloudtrail.trails import Trail

_LAST_EVENTS = frozenset({"StopLogging", "DeleteTrail"})


@dataclass(slots=True)
class Stream:
    """The open file, files on their way, those that no digest names yet, and lines for CloudWatch Logs.

    Once the trail is off, `until` is how long the event that turned it off is waited for, and `deleted`
    whether there is no such trail any more.
    """

    trail: Trail
    region: str
    open: OpenLogFile | None = None
    waiting: deque[LogFile] = field(default_factory=deque)
    delivered: list[LogFile] = field(default_factory=list)
    chain: Chain | None = None
    lines: LogLines = field(default_factory=LogLines)
    lines_refused: bool = False
    until: datetime | None = None
    deleted: bool = False

    def add(self, record: Mapping[str, Any], text: bytes) -> None:
        """Add an event to the open file."""
        if self.open is None:
            self.open = OpenLogFile()
        self.open.add(record, text)

    def close(self, now: datetime) -> None:
        """Close the open file; its place is that of the trail as it was set while the file was written."""
        if self.open is not None:
            self.waiting.append(self.open.closed(self.trail, self.region, now))
            self.open = None

    def turned_off_by(self, record: Mapping[str, Any]) -> bool:
        """Whether an event is the one that turned the trail off."""
        if record["eventName"] not in _LAST_EVENTS or record["eventSource"] != "cloudtrail.amazonaws.com":
            return False
        trail, asked = self.trail, record.get("requestParameters") or {}
        return (
            (trail.account, trail.home_region) == (record["recipientAccountId"], record["awsRegion"])
            and asked.get("name") in {trail.name, trail.arn}
            and "errorCode" not in record
        )
