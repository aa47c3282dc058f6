"""Somebody does things in a session of their own, and the trail is asked for them."""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import urllib3

from tests.stack.sessions import allowed, persona, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws.deployed import Deployed
    from tests.aws.leftovers import Leftovers

HTTP = urllib3.PoolManager(retries=False)
Event = dict[str, Any]
# What is done, and what CloudTrail has to say of it: how it was signed, whether it only reads, the error.
DONE: dict[str, tuple[str, bool, str | None]] = {
    "PutObject": ("AuthHeader", False, None),
    "GetObject": ("QueryString", True, None),
    "HeadObject": ("AuthHeader", True, None),
    "DeleteObject": ("AuthHeader", False, "AccessDenied"),
}


@dataclass(frozen=True)
class Recorded:
    """The events of one person's acts on one object, and of the session they were done in."""

    person: str
    subject: str
    key: str
    events: dict[str, Event]
    session: Event


@dataclass(frozen=True)
class Acts:
    """Who did something to which object, and since when."""

    person: str
    subject: str
    key: str
    since: datetime

    @classmethod
    def done(cls, deployed: Deployed, leftovers: Leftovers) -> Acts:
        """Write a card, read it by a URL, look at it, and try to delete it."""
        acts = cls(
            person=f"ds-{leftovers.run}",
            subject=f"sub-of-{leftovers.run}",
            key=f"cards/fraud/{leftovers.unseen}-acts.json",
            since=datetime.now(UTC),
        )
        keys = persona(deployed, "data-scientist", name=acts.person, subject=acts.subject)
        s3 = keys.client(deployed, "s3")
        place = {"Bucket": deployed.bucket, "Key": acts.key}
        under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": deployed.stack["metadata_key_arn"]}
        s3.put_object(**place, Body=b"{}", **under)
        url = s3.generate_presigned_url("get_object", Params=place, ExpiresIn=60)
        assert HTTP.request("GET", url).status == 200
        s3.head_object(**place)
        assert not allowed(s3.delete_object, **place)
        return acts

    def awaited(self, deployed: Deployed) -> Recorded:
        """What the trail's files tell of it, read as compliance reads them, once all of it is there."""
        s3 = session(deployed, "persona-compliance").client(deployed, "s3")
        deadline, read = time.monotonic() + deployed.trail_seconds, dict[str, list[Event]]()
        while True:
            deployed.hasten()
            for place in self._files(deployed, s3):
                if place not in read:
                    body = s3.get_object(Bucket=deployed.stack["trail_bucket"], Key=place)["Body"].read()
                    read[place] = json.loads(gzip.decompress(body))["Records"]
            events = [event for file in read.values() for event in file]
            about = {event["eventName"]: event for event in events if _key(event) == self.key}
            begun = [event for event in events if self._began(event)]
            if about.keys() >= DONE.keys() and begun:
                return Recorded(self.person, self.subject, self.key, about, begun[0])
            assert time.monotonic() < deadline, (
                f"after {deployed.trail_seconds} s the trail has {sorted(about)}"
            )
            time.sleep(deployed.trail_poll_seconds)

    def _files(self, deployed: Deployed, s3: Any) -> Iterator[str]:
        about = deployed.stack
        folder = f"AWSLogs/{about['account']}/CloudTrail/{about['region']}/"
        for day in {self.since.date(), datetime.now(UTC).date()}:
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=about["trail_bucket"], Prefix=f"{folder}{day:%Y/%m/%d}/"
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    if entry["LastModified"] > self.since - timedelta(minutes=1):
                        yield entry["Key"]

    def _began(self, event: Event) -> bool:
        asked = event.get("requestParameters") or {}
        return event["eventName"] == "AssumeRole" and asked.get("roleSessionName") == self.person


def _key(event: Event) -> object:
    return (event.get("requestParameters") or {}).get("key")
