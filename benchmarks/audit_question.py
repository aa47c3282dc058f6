"""Asks the audit one question, page by page, and prints what it cost as one line of JSON.

A program: ``python -m benchmarks.audit_question ENDPOINT FIRST-DAY DAYS MODEL`` (a model of ``-`` for all).
The reader, the adapter to S3 and its client are the service's own; memory is what the process's peak grew by
from the first page on.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from botocore.credentials import ReadOnlyCredentials

from benchmarks.made_up_trail import ACCOUNT, BEGUN, REGION, ROLE_PREFIX, STORE, TRAIL
from service.audit.log_file_trail import LogFileTrail
from service.audit.ports import TrailIdentity
from service.audit.records import Store
from service.aws.clients import CONNECTIONS, s3_client
from service.aws.known_keys import KnownKeys
from service.aws.personas import ActingCredentials, PersonaSession
from service.aws.s3_objects import Bucket
from service.aws.trail_files import S3TrailFiles
from service.domain.audit import EventFilter
from service.domain.names import parse_model_id
from service.settings import StorageSettings

_PAGE = 1_000
_KIB_IN_MB = 1024 / 1_000_000


def main(endpoint: str, first_day: int, days: int, model: str) -> None:
    """Ask, and print."""
    start = BEGUN + timedelta(days=first_day)
    named = None if model == "-" else parse_model_id(*model.split("/"))
    wanted = EventFilter(start, start + timedelta(days=days), model=named)
    trail = LogFileTrail(_files(endpoint), Store(STORE, ROLE_PREFIX))
    trail.files.files("warm-up", limit=1)
    # The peak is counted from here on (5: proc(5), clear_refs); a started program inherits its parent's.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, begun = _status_mb("VmRSS"), time.perf_counter()
    pages = events = 0
    after: str | None = None
    while True:
        page = trail.events(wanted, after=after, limit=_PAGE)
        pages, events, after = pages + 1, events + len(page.items), page.next
        if after is None:
            break
    told = {
        "seconds": time.perf_counter() - begun,
        "grown_mb": _status_mb("VmHWM") - before,
        "pages": pages,
        "events": events,
    }
    print(json.dumps(told))


def _files(endpoint: str) -> S3TrailFiles:
    storage = StorageSettings(STORE, REGION, ROLE_PREFIX, "", aws_endpoint_url=endpoint)
    bucket = Bucket(
        s3_client(storage, ActingCredentials()), TRAIL, "", ThreadPoolExecutor(CONNECTIONS), KnownKeys()
    )
    session = PersonaSession(ReadOnlyCredentials("test", "test", "", None), datetime.max.replace(tzinfo=UTC))
    return S3TrailFiles(bucket, session, TrailIdentity(ACCOUNT, REGION, "measured", REGION, TRAIL))


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * _KIB_IN_MB


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
