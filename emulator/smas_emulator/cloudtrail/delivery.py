"""Delivery: events into the log files of trails that want them, files into buckets, digests over files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail import statuses
from smas_emulator.cloudtrail.attempts import Attempts
from smas_emulator.cloudtrail.digests import Chain, sign_digest
from smas_emulator.cloudtrail.log_files import as_json
from smas_emulator.cloudtrail.selectors import records_in, wanted
from smas_emulator.cloudtrail.streams import Stream
from smas_emulator.gateway.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from smas_emulator.cloudtrail.digests import SigningKeys
    from smas_emulator.cloudtrail.log_files import LogFile
    from smas_emulator.cloudtrail.ports import LogGroups, Topics, TrailBuckets
    from smas_emulator.cloudtrail.statuses import Statuses
    from smas_emulator.cloudtrail.trails import Trail

# What waits in all for buckets that cannot be written; beyond it the oldest files are given up, and counted.
MOST_WAITING_BYTES = 128 * 1024 * 1024
_SECOND = timedelta(seconds=1)
# The event that turned a trail off is recorded a moment after the trail is off.
_LAST_EVENT_WITHIN = timedelta(seconds=5)


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
        self._streams: dict[tuple[str, str], Stream] = {}
        self._leaving: list[Stream] = []
        self._ended: dict[tuple[str, str], datetime] = {}
        self.delivered: Counter[str] = Counter(events=0, log_files=0, digests=0)
        self._attempts = Attempts(status, now)
        self.faults = self._attempts.faults

    def use(self, trails: Sequence[Trail]) -> None:
        """From now on record for these trails, as they are set now.

        A trail that was turned off or deleted gets what it is owed, the event that did it, and a last
        digest; turned on again it begins a new chain, as does one whose validation was off
        (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html).
        """
        active = {trail.arn: trail for trail in trails if trail.logging}
        existing = {trail.arn for trail in trails}
        for (arn, region), stream in list(self._streams.items()):
            now = active.get(arn)
            if now == stream.trail:
                continue
            self._deliver(stream)
            if now is None or not records_in(now, region) or (stream.chain and not now.validation):
                del self._streams[arn, region]
                self._leave(stream, off=now is None, deleted=arn not in existing)
            else:
                stream.trail = now
                if stream.chain is not None:
                    stream.chain = replace(stream.chain, trail=now)
                elif now.validation:
                    stream.chain = self._new_chain(now, region)
        for stream in self._leaving:
            if stream.trail.arn not in existing:
                stream.deleted = True
                self._status.forget(stream.trail)
        for trail in active.values():
            self._stream(trail, trail.home_region)
        self._trails = tuple(active.values())

    def take(self, record: Mapping[str, Any]) -> None:
        """Add an event to the files of the trails that want it."""
        text = b""
        for trail in self._trails:
            if wanted(trail, record):
                text = text or as_json(record)
                self._add(self._stream(trail, record["awsRegion"]), record, text)
        for stream in self._leaving:
            if stream.until is not None and stream.turned_off_by(record):
                stream.until = None
                if wanted(stream.trail, record):
                    self._add(stream, record, text or as_json(record))
                self._settle()
                break

    def deliver(self) -> bool:
        """Deliver all that is there; whether everything was."""
        delivered = self._settle()
        for stream in [*self._streams.values(), *(each for each in self._leaving if each.until)]:
            delivered &= self._deliver(stream)
        return delivered

    def sign(self) -> bool:
        """Deliver what is there and a digest for each stream that is validated; whether everything was."""
        for stream in self._leaving:
            stream.until = None
        delivered = self.deliver()
        for stream in self._streams.values():
            delivered &= self._sign(stream)
        return delivered

    def _all(self) -> Iterator[Stream]:
        yield from self._streams.values()
        yield from self._leaving

    def _stream(self, trail: Trail, region: str) -> Stream:
        stream = self._streams.get((trail.arn, region))
        if stream is None:
            chain = self._new_chain(trail, region) if trail.validation else None
            stream = self._streams[trail.arn, region] = Stream(trail, region, chain=chain)
        return stream

    def _new_chain(self, trail: Trail, region: str) -> Chain:
        """A chain that begins now, after the last one of that trail, whose end does not wait any longer."""
        for stream in self._leaving:
            if (stream.trail.arn, stream.region) == (trail.arn, region):
                stream.until = None
        self._settle()
        now = self._second()
        return Chain(trail, region, max(now, self._ended.get((trail.arn, region), now)))

    def _add(self, stream: Stream, record: Mapping[str, Any], text: bytes) -> None:
        stream.add(record, text)
        if stream.open is not None and stream.open.full:
            stream.close(self._now())
        if stream.trail.log_group_arn is not None:
            lost = stream.lines.add(int(self._now().timestamp() * 1000), text)
            self._attempts.lost(stream, lines=lost)
            if stream.lines.enough and not stream.lines_refused:
                self._write_lines(stream)

    def _leave(self, stream: Stream, *, off: bool, deleted: bool) -> None:
        """Have a stream end: at once, or when the event that turned its trail off has come."""
        stream.deleted = deleted
        if off and stream.region == stream.trail.home_region:
            stream.until = self._now() + _LAST_EVENT_WITHIN
        self._leaving.append(stream)
        self._settle()

    def _settle(self) -> bool:
        """End what is to end; whether it did. What cannot be delivered waits, if its trail is there still.

        AWS tries again for 30 days, or until the trail is deleted
        (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-and-update-a-trail.html).
        """
        now, settled = self._now(), True
        for stream in list(self._leaving):
            if stream.until is not None and now < stream.until:
                continue
            stream.until = None
            done = self._deliver(stream) and self._sign(stream)
            if stream.deleted and not done:
                self._give_up(stream, 0)
                self._attempts.lost(stream, lines=len(stream.lines))
            if stream.deleted or done:
                self._leaving = [other for other in self._leaving if other is not stream]
            settled &= done
        return settled

    def _deliver(self, stream: Stream) -> bool:
        stream.close(self._now())
        self._send(stream)
        self._write_lines(stream)
        return not stream.waiting and not stream.lines

    def _send(self, stream: Stream) -> None:
        while stream.waiting:
            log = stream.waiting[0]
            if not self._put(stream, statuses.LOGS, log.bucket, log.key, log.body, {}):
                self._give_up(stream, MOST_WAITING_BYTES)
                return
            stream.waiting.popleft()
            self.delivered.update(events=log.events, log_files=1)
            if stream.chain is not None:
                stream.delivered.append(replace(log, body=b""))  # a digest needs what it says, not what it is
            self._notify(stream, log)

    def _put(
        self, stream: Stream, what: str, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]
    ) -> bool:
        trail = stream.trail

        def put() -> None:
            if not self._buckets.allows(bucket, key, trail.arn):
                message = f"The policy of {bucket} does not let CloudTrail write {key}."
                raise AwsError("AccessDenied", message, 403)
            self._buckets.put(bucket, key, body, metadata, trail.kms_key)

        return self._attempts.succeed(stream, what, put)

    def _give_up(self, stream: Stream, most: int) -> None:
        """Give up the oldest files of a stream until no more bytes wait in all, or none of it."""
        waiting = sum(len(log.body) for each in self._all() for log in each.waiting)
        while stream.waiting and waiting > most:
            lost = stream.waiting.popleft()
            waiting -= len(lost.body)
            self._attempts.lost(stream, events=lost.events)

    def _sign(self, stream: Stream) -> bool:
        """Deliver the next digest, if the stream has a chain; its name is the second it ends in."""
        if stream.chain is None:
            return True
        place = stream.trail.arn, stream.region
        end = max(self._second(), stream.chain.start)
        if place in self._ended:
            end = max(end, self._ended[place] + _SECOND)
        digest = sign_digest(stream.chain, stream.delivered, end, self._keys)
        if not self._put(stream, statuses.DIGEST, digest.bucket, digest.key, digest.body, digest.metadata):
            return False
        stream.chain, stream.delivered = stream.chain.extended(digest), []
        self._ended[place] = end
        self.delivered["digests"] += 1
        return True

    def _second(self) -> datetime:
        return self._now().replace(microsecond=0)

    def _notify(self, stream: Stream, log: LogFile) -> None:
        topic = stream.trail.topic_arn
        if topic is not None:
            message = json.dumps({"s3Bucket": log.bucket, "s3ObjectKey": [log.key]})
            self._attempts.succeed(
                stream, statuses.NOTIFICATION, partial(self._topics.publish, topic, message)
            )

    def _write_lines(self, stream: Stream) -> None:
        trail, group = stream.trail, stream.trail.log_group_arn
        if group is None:  # it was taken away from the trail, and did not take these
            self._attempts.lost(stream, lines=len(stream.lines))
            stream.lines.sent(len(stream.lines))
            return
        name = f"{trail.account}_CloudTrail_{stream.region}"
        while stream.lines:
            call = stream.lines.call()
            put = partial(self._log_groups.put, group, name, call)
            stream.lines_refused = not self._attempts.succeed(stream, statuses.LOG_GROUP, put)
            if stream.lines_refused:
                return
            stream.lines.sent(len(call))
