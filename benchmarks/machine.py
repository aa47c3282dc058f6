"""The machine a figure belongs to: without it, a figure says nothing."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.stack import REPOSITORY

_LIBRARIES = ("boto3", "flask", "flask-jwt-extended", "gunicorn", "msgspec", "urllib3")
_GIB = 1 << 30


def description() -> dict[str, str]:
    """What to name beside every figure."""
    return {
        "processor": f"{len(os.sched_getaffinity(0))} cores, {_processor()}",
        "memory": f"{psutil.virtual_memory().total / _GIB:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        "local AWS": f"LocalStack {_localstack()} on the same machine",
    }


def load() -> str:
    """How busy the machine is: processes that want a core, over the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named.group(1).strip() if named else platform.processor() or "unknown model"


def _localstack() -> str:
    lock = (REPOSITORY / "requirements" / "emulator.txt").read_text(encoding="utf-8")
    locked = re.search(r"^localstack-core(?:\[.*?\])?==(\S+)", lock, re.MULTILINE)
    return locked.group(1) if locked else "unknown"
