"""The two ways CloudTrail writes a time."""

from __future__ import annotations

from datetime import UTC, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso_seconds(moment: datetime) -> str:
    """`2019-10-02T21:50:54Z`, as in `eventTime`; `moment` is aware."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spelled_out(moment: datetime) -> str:
    """`Oct 2, 2019, 11:12:29 PM`, as members of requests and answers are written.

    See the expiration of credentials in
    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html. A naive time counts as UTC.
    """
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    half = "AM" if utc.hour < 12 else "PM"  # noqa: PLR2004 - noon
    hour = utc.hour % 12 or 12
    month = _MONTHS[utc.month - 1]
    return f"{month} {utc.day}, {utc.year}, {hour}:{utc.minute:02}:{utc.second:02} {half}"
