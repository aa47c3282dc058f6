"""Records made-up calls through the local AWS's own recorder, and prints what it cost as one line of JSON.

A program for the emulator's interpreter: `python -m benchmarks.recorded_events EVENTS FOLDER`. Of twenty
calls, nineteen read and write objects in turn and one assumes a role; log files go into the folder every two
seconds, a digest every minute.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from smas_emulator.cloudtrail.delivery import Delivery
from smas_emulator.cloudtrail.digests import SigningKeys
from smas_emulator.cloudtrail.event_store import EventStore
from smas_emulator.cloudtrail.recorder import Recorder
from smas_emulator.cloudtrail.records import build_record
from smas_emulator.cloudtrail.statuses import Statuses
from smas_emulator.cloudtrail.trails import Trail
from smas_emulator.gateway.calls import Call, HttpRequest, Outcome, Signature
from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.principals import RoleSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ACCOUNT, _REGION = "000000000000", "us-east-1"
_BUCKET, _KEY = "smas-models", "blobs/fraud/measured/" + "a" * 64
_WARM_UP = 5_000
_MIB = 1 << 20
_BEGUN = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
_SESSION = RoleSession(
    account=_ACCOUNT,
    access_key_id="LSIAQAAAAAAAMEASURED1",
    role_name="smas-data-scientist",
    role_id="AROAMEASURED",
    name="ds-fraud",
    created=_BEGUN,
    expires=_BEGUN + timedelta(hours=1),
    source_identity="sub-of-ds-fraud",
    tags={"team": "fraud"},
)
# Everything, of objects of the one bucket, too.
_SELECTOR: dict[str, object] = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [{"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{_BUCKET}/"]}],
    "ExcludeManagementEventSources": [],
}


class _Folder:
    """A folder for a bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self, _bucket: str) -> bool:
        return True

    def allows(self, _bucket: str, _key: str, _trail_arn: str) -> bool:
        return True

    def put(
        self, _bucket: str, key: str, body: bytes, _metadata: Mapping[str, str], _kms_key: str | None
    ) -> None:
        (self._folder / key.replace("/", "_")).write_bytes(body)


class _Nowhere:
    """No log group and no topic."""

    def exists(self, _log_group_arn: str) -> bool:
        return False

    def put(self, log_group_arn: str, _stream: str, _events: Sequence[tuple[int, str]]) -> None:
        raise AwsError("ResourceNotFoundException", f"There is no log group {log_group_arn}.")

    def resolve(self, _topic: str, _account: str, _region: str) -> str | None:
        return None

    def publish(self, topic_arn: str, _message: str) -> None:
        raise AwsError("NotFound", f"There is no topic {topic_arn}.", 404)


def main() -> int:
    """Record, deliver, print."""
    events, folder = int(sys.argv[1]), Path(sys.argv[2])
    recorder = _recorder(folder)
    recorder.start()
    calls = _calls()
    _submit(recorder, calls, _WARM_UP)
    before = _resident()
    begun, cpu = time.perf_counter(), time.process_time()
    _submit(recorder, calls, events)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    report = recorder.report()
    if not recorder.stop() or any(report["faults"].values()):
        print(f"not everything was delivered: {report}", file=sys.stderr)
        return 1
    told = {
        "events_per_second": events / seconds,
        "cpu_microseconds": cpu / events * 1e6,
        "grown_mib": _resident() - before,
    }
    print(json.dumps(told))
    return 0


def _recorder(folder: Path) -> Recorder[tuple[Call, Outcome]]:
    def now() -> datetime:
        return datetime.now(UTC)

    nowhere = _Nowhere()
    delivery = Delivery(_Folder(folder), nowhere, nowhere, SigningKeys(now), Statuses(), now)
    recorder: Recorder[tuple[Call, Outcome]] = Recorder(
        lambda item: [build_record(*item)],
        delivery,
        EventStore(folder / "events.sqlite"),
        log_seconds=2,
        digest_seconds=60,
    )
    trail = Trail(
        "measured", _ACCOUNT, _REGION, bucket="trail", validation=True, selectors=(_SELECTOR,), logging=True
    )
    delivery.use([trail])
    return recorder


def _calls() -> list[tuple[Call, Outcome]]:
    place = {"Bucket": _BUCKET, "Key": _KEY}
    read = _call("s3", "GetObject", place, "GET"), Outcome(200, {"ContentLength": 1024}, bytes_out=1024)
    write = _call("s3", "PutObject", place, "PUT"), Outcome(200, {"ETag": '"e"'}, bytes_in=1024)
    role = {"RoleArn": f"arn:aws:iam::{_ACCOUNT}:role/smas-auditor", "RoleSessionName": "auditor"}
    assume = _call("sts", "AssumeRole", role, "POST"), Outcome(200)
    return [read, write] * 9 + [read, assume]


def _call(service: str, operation: str, parameters: Mapping[str, str], method: str) -> Call:
    path = f"/{_BUCKET}/{_KEY}" if service == "s3" else "/"
    headers = {"host": "localhost:4566", "user-agent": "python-urllib3/2.5"}
    return Call(
        service=service,
        operation=operation,
        parameters=parameters,
        principal=_SESSION,
        signature=Signature("AuthHeader", _SESSION.access_key_id, _BEGUN),
        http=HttpRequest(method, path, "", headers, "127.0.0.1"),
        region=_REGION,
        account=_ACCOUNT,
        request_id="609b7188-8531-4b60-ad81-e451b2175c35",
        time=datetime.now(UTC),
    )


def _submit(
    recorder: Recorder[tuple[Call, Outcome]], calls: Sequence[tuple[Call, Outcome]], events: int
) -> None:
    for number in range(events):
        recorder.submit(calls[number % len(calls)])
    if not recorder.flush(digest=True):
        message = "the recorder could not deliver"
        raise RuntimeError(message)


def _resident() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / _MIB


if __name__ == "__main__":
    sys.exit(main())
