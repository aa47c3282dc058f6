"""What each act of a person's takes: requests to the API, and calls to S3 by what AWS charges for them.

Counted, not timed: requests in the service's log, calls in the trail, which is what AWS bills and records. A
version of four files, 224 MiB, of which one goes in seven parts, is pushed, waited for and given an alias;
pulled with an empty cache; shown and listed. The verifier works during the push alone, but for its sweep of
a minute, which a push may or may not meet. docs/sources/usage.py has these counts.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.commands import SMAS, Commands
from benchmarks.figures import Figure, Report, columns
from benchmarks.processes import paused, run
from benchmarks.stack import BenchmarkError, Stack, running_stack

if TYPE_CHECKING:
    from benchmarks.progress import Say

TITLE = "Requests and calls to S3, by act"
ACTS: Final = ("push", "pull", "show", "list")
_LARGE_BYTES: Final = 224 << 20
_SMALL_FILES: Final = 3
# What S3 charges as GET and others; the rest is PUT, COPY, POST, LIST, and deletions cost nothing.
_READS: Final = frozenset({"GetObject", "HeadObject", "GetObjectTagging", "GetObjectAcl"})
_FREE: Final = frozenset({"DeleteObject", "AbortMultipartUpload"})
# The trail delivers within seconds; when it has nothing new for so long, it has delivered all.
_QUIET_SECONDS: Final = 8.0
_PATIENCE_SECONDS: Final = 120.0


class Count(NamedTuple):
    """Requests to the API, and calls to S3: writes and lists, reads, those that cost nothing."""

    requests: int
    writes: int
    reads: int
    free: int


def measure(runs: int, say: Say) -> Report:
    """Counts of each act."""
    with running_stack() as stack, TemporaryDirectory(prefix="smas-bench-") as name:
        commands, folder = Commands(stack, Path(name)), Path(name)
        commands.prepare()
        measured = []
        for number in range(runs):
            counts = _one(stack, commands, folder, f"fraud/calls-{number}")
            measured.append([value for count in counts for value in count])
            say(
                f"run {number + 1}: "
                + "; ".join(f"{act} {tuple(count)}" for act, count in zip(ACTS, counts, strict=True))
            )
    names = [f"{act}: {field}" for act in ACTS for field in Count._fields]
    figures = (Figure(name, "calls", values) for name, values in zip(names, columns(measured), strict=True))
    return Report("calls", TITLE, tuple(figures))


def _one(stack: Stack, commands: Commands, folder: Path, model: str) -> list[Count]:
    source = folder / "source"
    source.mkdir()
    (source / "weights.bin").write_bytes(os.urandom(16) + bytes(_LARGE_BYTES - 16))
    for number in range(_SMALL_FILES):
        (source / f"small-{number}.json").write_bytes(os.urandom(2_000))
    push = ("push", str(source), model, "--message", "counted", "--alias", "champion")
    pull, show = ("pull", f"{model}@champion", str(folder / "target")), ("show", f"{model}@1")
    counts = [_count(stack, commands, push)]
    shutil.rmtree(commands.cache, ignore_errors=True)
    with paused(stack.process_id("worker")):
        counts += [_count(stack, commands, command) for command in (pull, show, ("ls",))]
    shutil.rmtree(source)
    shutil.rmtree(folder / "target")
    commands.forget(model)
    _settle(stack)
    return counts


def _count(stack: Stack, commands: Commands, command: tuple[str, ...]) -> Count:
    requests, before = _requests(stack), _settle(stack)
    run((*SMAS, "--quiet", *command), commands.environment)
    calls = _settle(stack)[len(before) :]
    reads = sum(name in _READS for name in calls)
    free = sum(name in _FREE for name in calls)
    return Count(_requests(stack) - requests, len(calls) - reads - free, reads, free)


def _requests(stack: Stack) -> int:
    """Requests with a token: the others are asked once at sign-in, or by whoever watches the stack."""
    lines = (stack.state / "logs" / "service.log").read_text(encoding="utf-8").splitlines()
    found = (json.loads(line) for line in lines if line.startswith("{"))
    return sum(line.get("message") == "request" and "subject" in line for line in found)


def _settle(stack: Stack) -> list[str]:
    """The names of all calls to objects of models so far, once the trail has delivered them, oldest first."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    calls = _calls(stack)
    changed = time.monotonic()
    while time.monotonic() < ends:
        time.sleep(1)
        now = _calls(stack)
        if len(now) != len(calls):
            calls, changed = now, time.monotonic()
        elif time.monotonic() - changed >= _QUIET_SECONDS:
            return calls
    message = f"The trail still delivers after {_PATIENCE_SECONDS:g} s of quiet on our side."
    raise BenchmarkError(message)


def _calls(stack: Stack) -> list[str]:
    s3: Any = stack.s3()
    bucket = json.loads((stack.state / "stack.json").read_text(encoding="utf-8"))["bucket"]
    trails = [each["Name"] for each in s3.list_buckets()["Buckets"] if "trail" in each["Name"]]
    records: list[tuple[str, str]] = []
    for trail in trails:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=trail):
            for item in page.get("Contents", []):
                if "/CloudTrail/" in item["Key"] and item["Key"].endswith(".json.gz"):
                    body = s3.get_object(Bucket=trail, Key=item["Key"])["Body"].read()
                    records += [
                        (record["eventTime"], record["eventName"])
                        for record in json.loads(gzip.decompress(body))["Records"]
                        if record["eventSource"] == "s3.amazonaws.com"
                        and (record.get("requestParameters") or {}).get("bucketName") == bucket
                        and record["userIdentity"].get("type") == "AssumedRole"
                    ]
    return [name for _, name in sorted(records)]
