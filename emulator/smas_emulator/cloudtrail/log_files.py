"""Log files: events of one trail and region, compressed as they come in, so that few bytes wait in memory."""

from __future__ import annotations

import hashlib
import json
import secrets
import string
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from smas_emulator.cloudtrail.trails import Trail

_GZIP = 16 + zlib.MAX_WBITS
_LETTERS = string.ascii_letters + string.digits
# A file is closed at this size, before it is compressed.
FULL_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to be delivered; `sha256` is of its text, times are those of its events as written."""

    bucket: str
    key: str
    body: bytes
    sha256: str
    oldest: str
    newest: str
    events: int


class OpenLogFile:
    """A log file that still takes events."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(wbits=_GZIP)
        self._digest = hashlib.sha256()
        self._body = bytearray()
        self._bytes = 0
        self._oldest = self._newest = ""
        self._events = 0
        self._write(b'{"Records":[')

    @property
    def full(self) -> bool:
        """Whether the next event had better go into another file."""
        return self._bytes >= FULL_BYTES

    def add(self, record: Mapping[str, Any], text: bytes) -> None:
        """Add an event and its JSON."""
        time = record["eventTime"]
        self._oldest = min(self._oldest or time, time)
        self._newest = max(self._newest, time)
        self._write(b"," + text if self._events else text)
        self._events += 1

    def closed(self, trail: Trail, region: str, now: datetime) -> LogFile:
        """The file, complete; it takes no more events."""
        self._write(b"]}")
        self._body += self._compressor.flush()
        return LogFile(
            bucket=trail.bucket,
            key=log_key(trail, region, now),
            body=bytes(self._body),
            sha256=self._digest.hexdigest(),
            oldest=self._oldest,
            newest=self._newest,
            events=self._events,
        )

    def _write(self, text: bytes) -> None:
        self._digest.update(text)
        self._bytes += len(text)
        self._body += self._compressor.compress(text)


def log_key(trail: Trail, region: str, now: datetime) -> str:
    """A new key for a log file.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
    """
    unique = "".join(secrets.choice(_LETTERS) for _ in range(16))
    name = f"{trail.account}_CloudTrail_{region}_{now:%Y%m%dT%H%MZ}_{unique}.json.gz"
    return f"{trail.folder}CloudTrail/{region}/{now:%Y/%m/%d}/{name}"


def as_json(record: Mapping[str, Any]) -> bytes:
    """An event as it stands in a log file."""
    try:
        return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # JSON can carry half of a surrogate pair, which UTF-8 cannot: nobody hides from the log by one.
        return json.dumps(record, separators=(",", ":")).encode()
