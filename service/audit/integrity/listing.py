"""What is in the bucket: the digests of a range, and the log files of a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from service.audit.integrity import digests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.audit.integrity.digests import DigestName
    from service.audit.ports import TrailFiles

# Log files of the end of a range may be listed only in the digest of the next hour.
NEXT_DIGEST: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_DELIVERED: Final = re.compile(r"_(?P<minute>[0-9]{8}T[0-9]{4})Z_[A-Za-z0-9]+\.json\.gz", re.ASCII)


def digests_between(files: TrailFiles, start: datetime, end: datetime, most: int) -> list[DigestName]:
    """The digests that end from ``start`` to an hour after ``end``, in that order; up to the first ``most``.

    Both ends count, as in `validate-logs`.
    """
    found: list[DigestName] = []
    for day in _days(start, end + NEXT_DIGEST):
        for key in _keys(files, digests.stem(files.identity, day)):
            name = digests.named(files.identity, key)
            if name and start <= name.end <= end + NEXT_DIGEST:
                found.append(name)
        if len(found) >= most:
            break
    return sorted(found)[:most]


def first_digest_after(files: TrailFiles, moment: datetime) -> DigestName | None:
    """The first digest that ends after ``moment``, backfill digests left out."""
    identity = files.identity
    folder = f"{identity.prefix}AWSLogs/{identity.account}/CloudTrail-Digest/{identity.region}/"
    names = (digests.named(identity, key) for key in _keys(files, folder, digests.stem(identity, moment)))
    return next((name for name in names if name and name.end > moment and not name.backfill), None)


def first_log_file(files: TrailFiles) -> datetime | None:
    """The minute in which the oldest log file that is there was delivered."""
    identity = files.identity
    folder = f"{identity.prefix}AWSLogs/{identity.account}/CloudTrail/{identity.region}/"
    found = (_DELIVERED.search(key) for key in _keys(files, folder))
    minutes = (_minute(match["minute"]) for match in found if match)
    return next((minute for minute in minutes if minute), None)


def log_files_since(files: TrailFiles, start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """Log files by the minute of their delivery, from ``start`` on to the day of ``end``: minute and key."""
    identity = files.identity
    folder = f"{identity.prefix}AWSLogs/{identity.account}/CloudTrail/{identity.region}/"
    opening = f"{identity.account}_CloudTrail_{identity.region}"
    for day in _days(start, end):
        begin = f"{folder}{day.year:04}/{day:%m/%d}/{opening}"
        for key in _keys(files, begin, after=f"{begin}_{start:%Y%m%dT%H%M}" if start > day else None):
            match = _DELIVERED.fullmatch(key.removeprefix(begin))
            minute = _minute(match["minute"]) if match else None
            if minute and minute >= start:
                yield minute, key


def _minute(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def _keys(files: TrailFiles, prefix: str, after: str | None = None) -> Iterator[str]:
    while True:
        page = files.files(prefix, after=after)
        yield from (file.key for file in page.items)
        after = page.next
        if after is None:
            return


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    day = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= end:
        yield day
        day += _DAY
