"""Delivery: events into the log files of trails that want them, files into buckets, digests over files."""

from __future__ import annotations

import json
import logging
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail import statuses
from smas_emulator.cloudtrail.digests import Chain, sign_digest
from smas_emulator.cloudtrail.log_files import LogFile, OpenLogFile, as_json
from smas_emulator.cloudtrail.selectors import wanted
from smas_emulator.gateway.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from smas_emulator.cloudtrail.digests import SigningKeys
    from smas_emulator.cloudtrail.ports import LogGroups, Topics, TrailBuckets
    from smas_emulator.cloudtrail.statuses import Statuses
    from smas_emulator.cloudtrail.trails import Trail

LOG = logging.getLogger(__name__)
# What waits for a bucket that cannot be written; beyond it the oldest files are given up, and counted.
MOST_WAITING_BYTES = 128 * 1024 * 1024
_MOST_LINES, _LINE_BYTES = 1_000, 256 * 1024
_SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class _Stream:
    """One trail in one region: the open file, files on their way, and those that no digest names yet."""

    trail: Trail
    region: str
    open: OpenLogFile | None = None
    waiting: deque[LogFile] = field(default_factory=deque)
    delivered: list[LogFile] = field(default_factory=list)
    chain: Chain | None = None
    lines: list[tuple[int, str]] = field(default_factory=list)


class Delivery:
    """Used by one thread alone, the recorder's; `faults` and `delivered` count what happened."""

    def __init__(
        self,
        buckets: TrailBuckets,
        log_groups: LogGroups,
        topics: Topics,
        keys: SigningKeys,
        status: Statuses,
        now: Callable[[], datetime],
    ) -> None:
        self._buckets = buckets
        self._log_groups = log_groups
        self._topics = topics
        self._keys = keys
        self._status = status
        self._now = now
        self._trails: tuple[Trail, ...] = ()
        self._streams: dict[tuple[str, str], _Stream] = {}
        self.delivered: Counter[str] = Counter(events=0, log_files=0, digests=0)
        self.faults: Counter[str] = Counter(delivering=0, notifying=0, log_groups=0, lost_events=0)

    def use(self, trails: Sequence[Trail]) -> None:
        """From now on record for these trails, as they are set now.

        A trail that was turned off, or is gone, gets what it is owed and a last digest; turned on again it
        begins a new chain, as one does whose validation was off
        (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html).
        """
        active = {trail.arn: trail for trail in trails if trail.logging}
        for (arn, region), stream in list(self._streams.items()):
            now = active.get(arn)
            if now is not None and not (stream.trail.validation and not now.validation):
                self._close(stream)
                stream.trail = now
                if stream.chain is not None:
                    stream.chain = replace(stream.chain, trail=now)
                elif now.validation:
                    stream.chain = Chain(now, region, self._second())
                continue
            self._close(stream)
            self._send(stream)
            self._sign(stream)
            if now is None:
                del self._streams[arn, region]
            else:
                stream.trail, stream.chain = now, None
        for trail in active.values():
            self._stream(trail, trail.home_region)
        self._trails = tuple(active.values())

    def take(self, record: Mapping[str, Any]) -> None:
        """Add an event to the files of the trails that want it."""
        text = b""
        for trail in self._trails:
            if not wanted(trail, record):
                continue
            text = text or as_json(record)
            stream = self._stream(trail, record["awsRegion"])
            if stream.open is None:
                stream.open = OpenLogFile()
            stream.open.add(record, text)
            if stream.open.full:
                self._close(stream)
            if trail.log_group_arn is not None:
                self._line(stream, text)

    def deliver(self) -> bool:
        """Deliver all that is there; whether everything was."""
        for stream in self._streams.values():
            self._close(stream)
            self._send(stream)
            self._write_lines(stream)
        return not any(stream.waiting or stream.lines for stream in self._streams.values())

    def sign(self) -> bool:
        """Deliver what is there and a digest for each stream that is validated; whether everything was."""
        delivered = self.deliver()
        for stream in self._streams.values():
            delivered &= self._sign(stream)
        return delivered

    def _stream(self, trail: Trail, region: str) -> _Stream:
        stream = self._streams.get((trail.arn, region))
        if stream is None:
            chain = Chain(trail, region, self._second()) if trail.validation else None
            stream = self._streams[trail.arn, region] = _Stream(trail, region, chain=chain)
        return stream

    def _close(self, stream: _Stream) -> None:
        """Close the open file; its place is that of the trail as it was set while the file was written."""
        if stream.open is not None:
            stream.waiting.append(stream.open.closed(stream.trail, stream.region, self._now()))
            stream.open = None

    def _send(self, stream: _Stream) -> None:
        trail = stream.trail
        while stream.waiting:
            log = stream.waiting[0]
            try:
                self._put(trail, log.bucket, log.key, log.body, {})
            except AwsError as error:
                self._failed(trail, statuses.LOGS, error)
                self._give_up_the_oldest(stream)
                return
            stream.waiting.popleft()
            self._status.succeeded(trail, statuses.LOGS, self._now())
            self.delivered.update(events=log.events, log_files=1)
            if stream.chain is not None:
                stream.delivered.append(log)
            self._notify(trail, log)

    def _put(self, trail: Trail, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        if not self._buckets.allows(bucket, key, trail.arn):
            message = f"The policy of {bucket} does not let CloudTrail write {key}."
            raise AwsError("AccessDenied", message, 403)
        self._buckets.put(bucket, key, body, metadata, trail.kms_key)

    def _failed(self, trail: Trail, what: str, error: AwsError) -> None:
        self.faults["delivering"] += 1
        LOG.error("trail %s could not deliver and will try again: %s", trail.name, error)
        self._status.failed(trail, what, self._now(), error.code)

    def _give_up_the_oldest(self, stream: _Stream) -> None:
        while sum(len(log.body) for log in stream.waiting) > MOST_WAITING_BYTES:
            lost = stream.waiting.popleft()
            self.faults["lost_events"] += lost.events
            LOG.error("trail %s lost %d events: its bucket takes nothing", stream.trail.name, lost.events)

    def _sign(self, stream: _Stream) -> bool:
        """Deliver the next digest, if the stream has a chain; its name is the second it ends in."""
        if stream.chain is None:
            return True
        end = self._second()
        if stream.chain.previous is not None and end <= stream.chain.previous.end:
            end = stream.chain.previous.end + _SECOND
        digest = sign_digest(stream.chain, stream.delivered, end, self._keys)
        try:
            self._put(stream.trail, digest.bucket, digest.key, digest.body, digest.metadata)
        except AwsError as error:
            self._failed(stream.trail, statuses.DIGEST, error)
            return False
        stream.chain, stream.delivered = stream.chain.extended(digest), []
        self._status.succeeded(stream.trail, statuses.DIGEST, self._now())
        self.delivered["digests"] += 1
        return True

    def _second(self) -> datetime:
        return self._now().replace(microsecond=0)

    def _notify(self, trail: Trail, log: LogFile) -> None:
        if trail.topic_arn is None:
            return
        message = json.dumps({"s3Bucket": log.bucket, "s3ObjectKey": [log.key]})
        try:
            self._topics.publish(trail.topic_arn, message)
        except AwsError as error:
            self.faults["notifying"] += 1
            LOG.warning("trail %s could not notify: %s", trail.name, error)
            self._status.failed(trail, statuses.NOTIFICATION, self._now(), error.code)
        else:
            self._status.succeeded(trail, statuses.NOTIFICATION, self._now())

    def _line(self, stream: _Stream, text: bytes) -> None:
        """Keep an event for CloudWatch Logs, which takes no more than 256 KB of one."""
        if len(text) > _LINE_BYTES:
            self.faults["log_groups"] += 1
            return
        stream.lines.append((int(self._now().timestamp() * 1000), text.decode()))
        if len(stream.lines) >= _MOST_LINES:
            self._write_lines(stream)

    def _write_lines(self, stream: _Stream) -> None:
        trail = stream.trail
        if not stream.lines or trail.log_group_arn is None:
            stream.lines.clear()
            return
        try:
            self._log_groups.put(
                trail.log_group_arn, f"{trail.account}_CloudTrail_{stream.region}", stream.lines
            )
        except AwsError as error:
            self.faults["log_groups"] += 1
            LOG.warning("trail %s could not write to its log group: %s", trail.name, error)
            self._status.failed(trail, statuses.LOG_GROUP, self._now(), error.code)
            del stream.lines[:-_MOST_LINES]
        else:
            self._status.succeeded(trail, statuses.LOG_GROUP, self._now())
            stream.lines = []
