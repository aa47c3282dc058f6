"""Waits until a server answers, and knows why if it does not."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smas_emulator.errors import StackError
from smas_emulator.log_lines import last_meaningful_line
from smas_emulator.processes import ProcessRecord, is_running

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.2
# A proxy of the environment must not be asked for a server on this machine.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Probe:
    """What one request to a server said: its status, or None if there was no answer, and its own words."""

    status: int | None
    reason: str


def probe(url: str) -> Probe:
    """Ask once, for at most three seconds."""
    try:
        with _DIRECT.open(url, timeout=3) as response:
            return Probe(response.status, "")
    except urllib.error.HTTPError as error:
        return Probe(error.code, _words(error))
    except (OSError, http.client.HTTPException) as error:
        return Probe(None, f"no answer at {url} ({error})")


def _words(error: urllib.error.HTTPError) -> str:
    body = error.read(2000).decode(errors="replace").strip()
    try:
        problem = json.loads(body)
    except json.JSONDecodeError:
        return f"{error.code} {body.splitlines()[0] if body else error.reason}"
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return f"{error.code} {detail or body}"


def wait_ready(
    title: str,
    url: str,
    record: ProcessRecord,
    seconds: float,
    also: Callable[[], None] = lambda: None,
) -> None:
    """Wait until `url` answers 200; `title` begins a sentence, as in "The service".

    `also` is called between attempts and may raise. Raises `StackError` when the process has ended, or after
    `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        require_running(title, record)
        also()
        answer = probe(url)
        if answer.status == http.client.OK:
            return
        if time.monotonic() > deadline:
            log = shown(record.log)
            msg = f"{title} was not ready after {seconds:.0f} seconds: {answer.reason}; its log is {log}."
            raise StackError(msg)
        time.sleep(POLL_SECONDS)


def require_running(title: str, record: ProcessRecord) -> None:
    """Raise `StackError` with the cause, as far as the log tells, if the process has ended."""
    if is_running(record):
        return
    cause = last_meaningful_line(Path(record.log), record.log_offset) or "it wrote nothing"
    msg = f"{title} ended while starting: {cause.rstrip('.')}; its log is {shown(record.log)}."
    raise StackError(msg)


def shown(path: str) -> str:
    """A path as the user would type it: relative when it is below the current directory."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
