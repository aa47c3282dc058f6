"""Questions to the audit over 1,000,000 events in 1,000 log files of thirty days, against reading the files.

The files lie in LocalStack as it comes, without our plugin, and are read through the service's own adapter
and client; each question is asked in a process of its own, in pages of 1,000. A tenth of the month stands
beside all of it, for how time and memory grow at ten times as many events. What a user without the audit
would do is `aws s3 sync` of the same days and a dozen lines of Python that unpack and filter the files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from benchmarks.figures import Figure, Report, columns
from benchmarks.made_up_trail import BEGUN, FOLDER, MODELS, REGION, TRAIL, log_file
from benchmarks.plain_localstack import plain_localstack
from benchmarks.stack import EMULATOR_PYTHON, REPOSITORY, BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.progress import Say

TITLE = "Events of a trail of 1,000,000 in 1,000 log files over 30 days"
DAYS, FILES, EVENTS = 30, 1_000, 1_000
TARGET_SECONDS, TARGET_MB = 2.0, 200.0
_MODEL = MODELS[17]
_DAY = 14
# What is late is delivered the day after.
_FILTER = """
import gzip, json, sys
from pathlib import Path
folder, first, last, model = sys.argv[1:]
found = []
for path in Path(folder).rglob("*.json.gz"):
    for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
        if first <= record["eventTime"] < last and f"/{model}/" in json.dumps(record["requestParameters"]):
            found.append(record)
found.sort(key=lambda record: record["eventTime"], reverse=True)
print(len(found))
"""


def measure(runs: int, say: Say) -> Report:
    """Seconds and memory of four questions; of the first also by hand."""
    measured = []
    with plain_localstack() as port:
        _fill(port, say)
        for run in range(runs):
            day = _asked(port, _DAY, 1, _MODEL)
            by_hand = _by_hand(port)
            part, month = _asked(port, 0, DAYS // 10, _MODEL), _asked(port, 0, DAYS, _MODEL)
            part_of_all, all_of_it = _asked(port, 0, DAYS // 10, "-"), _asked(port, 0, DAYS, "-")
            answers = (day, part, month, part_of_all, all_of_it)
            values = [value for told in answers for value in (told["seconds"], told["grown_mb"])]
            measured.append((*values, by_hand, day["seconds"] / by_hand))
            say(f"run {run + 1}: a day {day['seconds']:.2f} s, all of it {all_of_it['seconds']:.1f} s")
    (
        day_s,
        day_mb,
        part_s,
        part_mb,
        month_s,
        month_mb,
        part_all_s,
        part_all_mb,
        all_s,
        all_mb,
        hand_s,
        ratio,
    ) = columns(measured)
    figures = (
        Figure("one model, one day", "s", day_s, TARGET_SECONDS),
        Figure("one model, one day: memory", "MB", day_mb, TARGET_MB),
        Figure("the same by aws s3 sync and Python", "s", hand_s),
        Figure("one model, one day / by hand", "×", ratio),
        Figure("one model, 3 days (100,000 events)", "s", part_s),
        Figure("one model, 3 days: memory", "MB", part_mb),
        Figure("one model, 30 days", "s", month_s),
        Figure("one model, 30 days: memory", "MB", month_mb, TARGET_MB),
        Figure("every event, 3 days, 1,000 a page", "s", part_all_s),
        Figure("every event, 3 days: memory", "MB", part_all_mb),
        Figure("every event, 30 days, 1,000 a page", "s", all_s),
        Figure("every event, 30 days: memory", "MB", all_mb, TARGET_MB),
    )
    return Report("audit", TITLE, figures)


def _fill(port: int, say: Say) -> None:
    """Make the log files up and put them into the bucket."""
    s3: Any = boto3.client(
        "s3",
        endpoint_url=_endpoint(port),
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - what LocalStack takes from anybody
    )
    s3.create_bucket(Bucket=TRAIL)
    with ProcessPoolExecutor() as processes, ThreadPoolExecutor(4) as threads:
        made = processes.map(_made, range(FILES), chunksize=10)
        for _ in threads.map(lambda file: s3.put_object(Bucket=TRAIL, Key=file[0], Body=file[1]), made):
            pass
    say("the trail is there")


def _made(number: int) -> tuple[str, bytes]:
    return log_file(number, DAYS, FILES, EVENTS)


def _asked(port: int, first_day: int, days: int, model: str) -> dict[str, float]:
    question = [str(first_day), str(days), model]
    command = [sys.executable, "-m", "benchmarks.audit_question", _endpoint(port), *question]
    return dict(json.loads(_run(command)))


def _by_hand(port: int) -> float:
    """Seconds to copy the files of the day and of the one after it, and to filter them."""
    start = BEGUN + timedelta(days=_DAY)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="smas-bench-audit-") as folder:
        for day in (start, start + timedelta(days=1)):
            part = f"{FOLDER}{day:%Y/%m/%d}/"
            sync = [
                str(EMULATOR_PYTHON),
                "-m",
                "awscli",
                "s3",
                "sync",
                f"s3://{TRAIL}/{part}",
                f"{folder}/{part}",
            ]
            _run([*sync, "--only-show-errors"], port)
        times = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (start, start + timedelta(days=1))]
        _run([sys.executable, "-c", _FILTER, str(Path(folder)), *times, _MODEL])
    return time.perf_counter() - begun


def _endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _run(command: Sequence[str], port: int | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"no_proxy": "localhost,127.0.0.1", "NO_PROXY": "localhost,127.0.0.1"}
    if port is not None:
        environment |= {
            "AWS_ENDPOINT_URL": _endpoint(port),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
        }
    ended = subprocess.run(
        list(command), cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        message = f"Asking the audit failed: {ended.stderr.strip()}"
        raise BenchmarkError(message)
    return ended.stdout
