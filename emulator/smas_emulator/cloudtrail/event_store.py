"""The management events of the last 90 days, for LookupEvents: on disk, so that memory stays bounded.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

KEPT = timedelta(days=90)
# By the name an attribute has in a lookup, where it is found.
ATTRIBUTES = {
    "EventId": "event_id",
    "EventName": "event_name",
    "ReadOnly": "read_only",
    "Username": "username",
    "ResourceType": "type",
    "ResourceName": "name",
    "EventSource": "event_source",
    "AccessKeyId": "access_key",
}
_OF_RESOURCES = frozenset({"ResourceType", "ResourceName"})
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, event_id TEXT NOT NULL, time INTEGER NOT NULL, region TEXT NOT NULL,
    account TEXT NOT NULL, event_name TEXT NOT NULL, event_source TEXT NOT NULL, read_only TEXT NOT NULL,
    username TEXT, access_key TEXT, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_time ON events (time, number);
CREATE INDEX IF NOT EXISTS by_name ON events (event_name, time);
CREATE INDEX IF NOT EXISTS by_username ON events (username, time);
CREATE INDEX IF NOT EXISTS by_id ON events (event_id);
CREATE TABLE IF NOT EXISTS resources (number INTEGER NOT NULL, type TEXT, name TEXT);
CREATE INDEX IF NOT EXISTS by_resource ON resources (name, type);
CREATE INDEX IF NOT EXISTS of_event ON resources (number);
"""

_INSERT_EVENT = "INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_RESOURCE = "INSERT INTO resources VALUES (?, ?, ?)"
_FORGET_RESOURCES = "DELETE FROM resources WHERE number IN (SELECT number FROM events WHERE time < ?)"


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is looked up; times in seconds since 1970, `before` a position that an earlier page ended at."""

    account: str
    region: str
    attribute: tuple[str, str] | None
    since: float
    until: float
    limit: int
    before: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest first, and where the next page begins; None at the end."""

    events: tuple[dict[str, Any], ...]
    next: tuple[int, int] | None


class EventStore:
    """Events in a SQLite file; safe to use from many threads."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # What is kept here is forgotten with the emulator: speed is all that counts.
        self._database.executescript("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;" + _SCHEMA)

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Keep management events, and forget those that are too old."""
        if not records:
            return
        rows = [(_row(record), [*_resources(record)]) for record in records]
        oldest = int((self._now() - KEPT).timestamp())
        with self._lock, closing(self._database.cursor()) as cursor:
            cursor.execute("BEGIN")
            try:
                for row, resources in rows:
                    cursor.execute(_INSERT_EVENT, row)
                    number = cursor.lastrowid
                    cursor.executemany(_INSERT_RESOURCE, [(number, *each) for each in resources])
                cursor.execute(_FORGET_RESOURCES, (oldest,))
                cursor.execute("DELETE FROM events WHERE time < ?", (oldest,))
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def find(self, lookup: Lookup) -> Page:
        """A page of what matches."""
        conditions = ["account = ?", "region = ?", "time >= ?", "time <= ?"]
        values: list[Any] = [lookup.account, lookup.region, lookup.since, lookup.until]
        if lookup.attribute is not None:
            name, value = lookup.attribute
            column = ATTRIBUTES[name]
            if name in _OF_RESOURCES:
                conditions.append(f"number IN (SELECT number FROM resources WHERE {column} = ?)")  # noqa: S608
            else:
                conditions.append(f"{column} = ?")
            values.append(value)
        if lookup.before is not None:
            conditions.append("(time, number) < (?, ?)")
            values.extend(lookup.before)
        # The names are our own, from the tables above; what a caller gives is a parameter.
        query = f"SELECT time, number, record FROM events WHERE {' AND '.join(conditions)}"  # noqa: S608
        with self._lock:
            rows = self._database.execute(
                f"{query} ORDER BY time DESC, number DESC LIMIT ?", (*values, lookup.limit + 1)
            ).fetchall()
        shown = rows[: lookup.limit]
        following = (shown[-1][0], shown[-1][1]) if len(rows) > lookup.limit else None
        return Page(tuple(_event(json.loads(row[2])) for row in shown), following)

    def close(self) -> None:
        """Give the file up."""
        with self._lock:
            self._database.close()


def _row(record: Mapping[str, Any]) -> tuple[Any, ...]:
    identity = record["userIdentity"]
    return (
        record["eventID"],
        int(datetime.fromisoformat(record["eventTime"]).timestamp()),
        record["awsRegion"],
        record["recipientAccountId"],
        _text(record["eventName"]),
        _text(record["eventSource"]),
        "true" if record["readOnly"] else "false",
        _text(_username(identity)),
        _text(identity.get("accessKeyId")),
        json.dumps(record, separators=(",", ":")),
    )


def _username(identity: Mapping[str, Any]) -> str | None:
    """The user, or the session of a role, as the console shows it."""
    if identity.get("type") == "AssumedRole":
        return str(identity.get("arn", "")).rpartition("/")[2] or None
    if identity.get("type") == "Root":
        return "root"
    return identity.get("userName") or identity.get("invokedBy")


def _resources(record: Mapping[str, Any]) -> Iterable[tuple[str | None, str | None]]:
    for resource in record.get("resources") or ():
        yield _text(resource.get("type")), _text(resource.get("ARN"))


def _text(value: str | None) -> str | None:
    """What SQLite can keep: half of a surrogate pair is written as an escape."""
    return None if value is None else value.encode("utf-8", "backslashreplace").decode()


def _event(record: dict[str, Any]) -> dict[str, Any]:
    """An event as LookupEvents shows it."""
    identity = record["userIdentity"]
    shown = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": "true" if record["readOnly"] else "false",
        "AccessKeyId": identity.get("accessKeyId"),
        "EventTime": datetime.fromisoformat(record["eventTime"]),
        "EventSource": record["eventSource"],
        "Username": _username(identity),
        "Resources": [
            {"ResourceType": kind, "ResourceName": name} for kind, name in _resources(record) if kind and name
        ],
        "CloudTrailEvent": json.dumps(record),
    }
    return {name: value for name, value in shown.items() if value is not None}
