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
CREATE TABLE IF NOT EXISTS places (
    number INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, UNIQUE (account, region));
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, place INTEGER NOT NULL, time INTEGER NOT NULL, event_id TEXT NOT NULL,
    event_name TEXT NOT NULL, event_source TEXT NOT NULL, read_only TEXT NOT NULL, username TEXT,
    access_key TEXT, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_time ON events (place, time);
CREATE TABLE IF NOT EXISTS resources (
    number INTEGER NOT NULL, place INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT, name TEXT);
CREATE INDEX IF NOT EXISTS of_event ON resources (number);
"""
# An index for each attribute holds its events in the order of the answer. A lookup keeps the recorder's
# thread waiting, so that none may search or sort them all.
_INDEXES = "".join(
    f"CREATE INDEX IF NOT EXISTS by_{column} ON resources (place, {column}, time, number);"
    if attribute in _OF_RESOURCES
    else f"CREATE INDEX IF NOT EXISTS by_{column} ON events (place, {column}, time);"
    for attribute, column in ATTRIBUTES.items()
)

_PLACE = "SELECT number FROM places WHERE account = ? AND region = ?"
_INSERT_PLACE = "INSERT OR IGNORE INTO places VALUES (NULL, ?, ?)"
_INSERT_EVENT = "INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_RESOURCE = "INSERT INTO resources VALUES (?, ?, ?, ?, ?)"
_OLD = "FROM events WHERE place IN (SELECT number FROM places) AND time < ?"
_FORGET_RESOURCES = f"DELETE FROM resources WHERE number IN (SELECT number {_OLD})"  # noqa: S608 - our own


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
        self._database.executescript(
            "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;" + _SCHEMA + _INDEXES
        )

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Keep management events, and forget those that are too old."""
        if not records:
            return
        rows = [(_place(record), _row(record), {*_resources(record)}) for record in records]
        oldest = int((self._now() - KEPT).timestamp())
        with self._lock, closing(self._database.cursor()) as cursor:
            cursor.execute("BEGIN")
            try:
                places = {place: _numbered(cursor, place) for place in {place for place, _, _ in rows}}
                for place, row, resources in rows:
                    cursor.execute(_INSERT_EVENT, (places[place], *row))
                    number, time = cursor.lastrowid, row[0]
                    cursor.executemany(
                        _INSERT_RESOURCE, [(number, places[place], time, *each) for each in resources]
                    )
                cursor.execute(_FORGET_RESOURCES, (oldest,))
                cursor.execute(f"DELETE {_OLD}", (oldest,))
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def find(self, lookup: Lookup) -> Page:
        """A page of what matches."""
        query, values = _query(lookup)
        with self._lock:
            rows = self._database.execute(query, values).fetchall()
        shown = rows[: lookup.limit]
        following = (shown[-1][0], shown[-1][1]) if len(rows) > lookup.limit else None
        return Page(tuple(_event(json.loads(row[2])) for row in shown), following)

    def close(self) -> None:
        """Give the file up."""
        with self._lock:
            self._database.close()


def _query(lookup: Lookup) -> tuple[str, tuple[Any, ...]]:
    """What finds a page, and one event more; its index is named, because SQLite would take `by_time`."""
    table, column, joined = "events", "time", ""
    conditions = [f"found.place = ({_PLACE})", "found.time >= ?", "found.time <= ?"]
    # A later page begins where the one before ended, and does not read what came before once more.
    until = lookup.until if lookup.before is None else min(lookup.until, lookup.before[0])
    values: list[Any] = [lookup.account, lookup.region, lookup.since, until]
    if lookup.attribute is not None:
        name, value = lookup.attribute
        column = ATTRIBUTES[name]
        conditions.append(f"found.{column} = ?")
        values.append(value)
        if name in _OF_RESOURCES:
            table, joined = "resources", "CROSS JOIN events ON events.number = found.number"
    if lookup.before is not None:
        conditions.append("(found.time, found.number) < (?, ?)")
        values.extend(lookup.before)
    # The names are our own, from the tables above; what a caller gives is a parameter. An event with two
    # resources of a type is grouped into one.
    query = (
        f"SELECT found.time, found.number, record FROM {table} AS found INDEXED BY by_{column} {joined} "  # noqa: S608
        f"WHERE {' AND '.join(conditions)} GROUP BY found.time, found.number "
        "ORDER BY found.time DESC, found.number DESC LIMIT ?"
    )
    return query, (*values, lookup.limit + 1)


def _place(record: Mapping[str, Any]) -> tuple[str, str]:
    return record["recipientAccountId"], record["awsRegion"]


def _numbered(cursor: sqlite3.Cursor, place: tuple[str, str]) -> int:
    """The number of an account and region, a new one if need be."""
    cursor.execute(_INSERT_PLACE, place)
    return int(cursor.execute(_PLACE, place).fetchone()[0])


def _row(record: Mapping[str, Any]) -> tuple[Any, ...]:
    identity = record["userIdentity"]
    return (
        int(datetime.fromisoformat(record["eventTime"]).timestamp()),
        record["eventID"],
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
