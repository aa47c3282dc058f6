"""CloudTrail's log files: which of them may hold the events of a range, and the records in one.

A trail delivers gzipped JSON under ``AWSLogs/<account>/CloudTrail/<region>/Y/m/d/``, the day and the minute
of delivery in the key. A file "can contain records written at any point before that time"
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html).
"""

from __future__ import annotations

import json
import logging
import re
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.audit.ports import TrailFile, TrailFiles, TrailIdentity

log = logging.getLogger(__name__)

# CloudTrail delivers "on average within about 5 minutes" of a call and guarantees nothing, so what is looked
# for after the end of a range is a choice: a day covers every delay AWS has told of short of an outage.
LATEST_DELIVERY: Final = timedelta(hours=24)
# The key tells the minute of delivery; another one for clocks that differ.
DELIVERED_WITHIN: Final = timedelta(minutes=2)
# Real files are a few MB of text; more than this is no log file, and must not fill the memory.
MAX_TEXT_BYTES: Final = 128 * 1024 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_DAY: Final = timedelta(days=1)
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)
_PAGE: Final = 1000
_NAME: Final = re.compile(r"(?P<minute>[0-9]{8}T[0-9]{4})Z_(?P<unique>[A-Za-z0-9]{1,64})", re.ASCII)


class UnreadableLogFile(Exception):
    """A file that is no gzip, or no JSON of CloudTrail's; the message says which."""


class LogFile(msgspec.Struct, frozen=True, order=True):
    """A delivered log file; in order of delivery, as their keys are.

    ``name`` is what tells it from the others of its trail: the minute of delivery and a unique part.
    """

    key: str
    name: str
    delivered: datetime

    @property
    def before(self) -> datetime:
        """All events in the file are older than this."""
        return self.delivered + DELIVERED_WITHIN


def named(identity: TrailIdentity, name: str) -> LogFile | None:
    """The log file of that name, None if no log file can have it."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        delivered_at = datetime.strptime(match["minute"], "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    return LogFile(f"{_stem(identity, delivered_at)}{name}.json.gz", name, delivered_at)


def delivered(
    files: TrailFiles, start: datetime, end: datetime, *, upto: LogFile | None = None
) -> Iterator[LogFile]:
    """The log files that may hold events from ``start`` until before ``end``, newest first.

    ``upto`` leaves out all that are newer than it. Keys that no log file has are passed over, with a
    warning in the log. Days are listed one after the other as they are asked for, a busy one hour by hour.
    """
    oldest = start - min(DELIVERED_WITHIN, start - _BEGINNING)
    newest = end + min(LATEST_DELIVERY, _END - end)
    if upto is not None:
        newest = min(newest, upto.before)
    last_day, bounded = _midnight(oldest), False
    day, step = _midnight(newest), _DAY
    while day >= last_day:
        seen = False
        for file in _of_day(files, day):
            seen = True
            if oldest < file.delivered < newest and (upto is None or file <= upto):
                yield file
        if not seen and not bounded:
            last_day, bounded = max(last_day, _first_day(files)), True
        # Days without files are passed over in steps that grow as long as nothing is found in them.
        step = _DAY if seen else min(2 * step, day - last_day)
        if step > _DAY and _any_between(files, day - step, day):
            step = _DAY
        day -= max(step, _DAY)


def _first_day(files: TrailFiles) -> datetime:
    """The day of the oldest file there is, the end of all days if there is none."""
    found = files.files(_folder(files.identity), limit=1).items
    first = _log_file(files.identity, found[0]) if found else None
    if first is None:
        return _BEGINNING if found else _END
    return _midnight(first.delivered)


def _any_between(files: TrailFiles, start: datetime, end: datetime) -> bool:
    """Whether any file was delivered on the days from ``start`` until before ``end``."""
    folder = _folder(files.identity)
    found = files.files(folder, after=_stem(files.identity, start), limit=1).items
    return bool(found) and found[0].key < _stem(files.identity, end)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _of_day(files: TrailFiles, day: datetime) -> Iterator[LogFile]:
    """A day's log files, newest first, in the memory of a thousand of them or of an hour."""
    identity = files.identity
    stem = _stem(identity, day)
    page = files.files(stem, limit=_PAGE)
    if page.next is None:
        yield from _log_files(identity, page.items)
        return
    for hour in reversed(range(24)):
        found: list[TrailFile] = []
        after: str | None = None
        while True:
            page = files.files(f"{stem}{day:%Y%m%d}T{hour:02}", after=after, limit=_PAGE)
            found += page.items
            after = page.next
            if after is None:
                break
        yield from _log_files(identity, found)


def _log_files(identity: TrailIdentity, found: list[TrailFile] | tuple[TrailFile, ...]) -> Iterator[LogFile]:
    for item in reversed(found):
        file = _log_file(identity, item)
        if file is None:
            log.warning("no log file's name", extra={"key": item.key})
        else:
            yield file


def _log_file(identity: TrailIdentity, item: TrailFile) -> LogFile | None:
    name = item.key.rpartition("/")[2].removeprefix(_opening(identity)).removesuffix(".json.gz")
    file = named(identity, name)
    return file if file and file.key == item.key else None


def _folder(identity: TrailIdentity) -> str:
    return f"{identity.prefix}AWSLogs/{identity.account}/CloudTrail/{identity.region}/"


def _opening(identity: TrailIdentity) -> str:
    return f"{identity.account}_CloudTrail_{identity.region}_"


def _stem(identity: TrailIdentity, day: datetime) -> str:
    # Not strftime for the year: it writes those before 1000 with fewer than four digits.
    return f"{_folder(identity)}{day.year:04}/{day:%m/%d}/{_opening(identity)}"


_NOTHING: Final = msgspec.Raw(b"null")


class SessionIssuer(msgspec.Struct):
    """The role behind a session."""

    arn: str | None = None
    user_name: str | None = msgspec.field(default=None, name="userName")


class SessionContext(msgspec.Struct):
    """How a session came to be."""

    source_identity: str | None = msgspec.field(default=None, name="sourceIdentity")
    issuer: SessionIssuer | None = msgspec.field(default=None, name="sessionIssuer")


class UserIdentity(msgspec.Struct):
    """Who called.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """

    type: str | None = None
    principal_id: str | None = msgspec.field(default=None, name="principalId")
    arn: str | None = None
    user_name: str | None = msgspec.field(default=None, name="userName")
    invoked_by: str | None = msgspec.field(default=None, name="invokedBy")
    session: SessionContext | None = msgspec.field(default=None, name="sessionContext")


class Record(msgspec.Struct, rename="camel"):
    """What is read of a CloudTrail record.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    Every service has request parameters of its own, so these stay JSON until somebody knows what they are.
    """

    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] = msgspec.field(name="eventID")
    event_time: datetime
    event_source: str
    event_name: str
    user_identity: UserIdentity | None = None
    source_ip: str | None = msgspec.field(default=None, name="sourceIPAddress")
    user_agent: str | None = None
    error_code: str | None = None
    request_id: str | None = msgspec.field(default=None, name="requestID")
    read_only: bool | None = None
    request_parameters: msgspec.Raw = _NOTHING
    additional_event_data: msgspec.Raw = _NOTHING

    @property
    def time(self) -> datetime:
        """When the call was made: UTC, whole seconds."""
        moment = self.event_time
        if moment.tzinfo is UTC and not moment.microsecond:
            return moment
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC, microsecond=0)
        return moment.astimezone(UTC).replace(microsecond=0)

    @property
    def parameters(self) -> dict[str, Any]:
        """All of the request's parameters; none of them has a type that could be relied on."""
        value = msgspec.json.decode(self.request_parameters)
        return value if isinstance(value, dict) else {}


class _File(msgspec.Struct):
    records: list[Record] = msgspec.field(name="Records")


class _Pieces(msgspec.Struct):
    records: list[msgspec.Raw] = msgspec.field(name="Records")


_FILES: Final = msgspec.json.Decoder(_File)
_PIECES: Final = msgspec.json.Decoder(_Pieces)
_RECORDS: Final = msgspec.json.Decoder(Record)
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def records(data: bytes) -> list[Record]:
    """The records in a log file as it is stored. Raises ``UnreadableLogFile``.

    A record without id, time or name is left out, with an error in the log: it must not hide the others.
    """
    return records_in(text_of(data))


def text_of(data: bytes) -> bytes:
    """The JSON in a log file as it is stored. Raises ``UnreadableLogFile``, beyond ``MAX_TEXT_BYTES`` too."""
    texts: list[bytes] = []
    room = MAX_TEXT_BYTES
    while data or not texts:
        unpacked = zlib.decompressobj(wbits=_GZIP)
        try:
            texts.append(unpacked.decompress(data, room + 1))
        except zlib.error as error:
            message = f"no gzip: {error}"
            raise UnreadableLogFile(message) from error
        room -= len(texts[-1])
        if room < 0:
            message = f"more than {MAX_TEXT_BYTES} bytes of text"
            raise UnreadableLogFile(message)
        if not unpacked.eof:
            message = "no whole gzip: it is cut off"
            raise UnreadableLogFile(message)
        data = unpacked.unused_data
    return texts[0] if len(texts) == 1 else b"".join(texts)


def records_in(text: bytes, wanted: Callable[[bytes], bool] | None = None) -> list[Record]:
    """The records in a log file's JSON; otherwise like ``records``.

    ``wanted`` looks at the JSON of a record and may spare those that nobody asks for from being read.
    """
    try:
        if wanted is None:
            return _FILES.decode(text).records
        pieces = _PIECES.decode(text).records
        return [_RECORDS.decode(piece) for piece in pieces if wanted(bytes(piece))]
    except _BROKEN:
        return _one_by_one(text)


def _one_by_one(text: bytes) -> list[Record]:
    """The records of a file that holds something odd, above all in what callers made up.

    A key may hold half of a surrogate pair, which a strict reader refuses: nobody hides a file by that.
    """
    try:
        pieces = json.loads(text.decode(errors="replace"))["Records"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        message = f"no log file's JSON: {error}"
        raise UnreadableLogFile(message) from error
    if not isinstance(pieces, list):
        message = "no log file's JSON: Records is no list"
        raise UnreadableLogFile(message)
    return [record for record in map(_record, pieces) if record]


def _record(piece: Any) -> Record | None:
    try:
        return _RECORDS.decode(json.dumps(piece, ensure_ascii=False).encode(errors="replace"))
    except _BROKEN as error:
        log.error("unreadable record left out of a log file", extra={"fault": str(error)})  # noqa: TRY400
        return None
