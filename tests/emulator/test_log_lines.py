"""The cause of a failed start, out of a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from smas_emulator.log_lines import last_meaningful_line

if TYPE_CHECKING:
    from pathlib import Path

GUNICORN = """\
{"message": "Exception in worker", "exc_info": "Traceback:\\n  File\\nTypeError: no such thing"}
{"message": "Reason: Worker failed to boot."}
"""


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("Traceback (most recent call last):\n  File …\nValueError: no bucket\n", "ValueError: no bucket"),
        (
            "botocore.exceptions.NoRegionError: name one\n[INFO] Shutting down: Master\n[INFO] Reason.\n",
            "botocore.exceptions.NoRegionError: name one",
        ),
        ("starting\nSMAS_BUCKET is missing; cannot start\nbye\n", "SMAS_BUCKET is missing; cannot start"),
        ('{"level": "ERROR", "message": "cannot reach the key set"}\n', "cannot reach the key set"),
        (GUNICORN, "TypeError: no such thing"),
        ("one\ntwo\n\n", "two"),
        ("{not json\n", "{not json"),
        ("", None),
    ],
)
def test_the_telling_line_is_found(tmp_path: Path, log: str, line: str | None) -> None:
    """An exception's own line comes first, then what speaks of an error, then the last line."""
    path = tmp_path / "service.log"
    path.write_text(log, encoding="utf-8")

    assert last_meaningful_line(path) == line


def test_earlier_runs_do_not_count(tmp_path: Path) -> None:
    """An error of an earlier run is not taken for the cause of this one."""
    path = tmp_path / "service.log"
    path.write_text("OldError: yesterday\n", encoding="utf-8")
    offset = path.stat().st_size
    path.write_text("OldError: yesterday\nlistening\n", encoding="utf-8")

    assert last_meaningful_line(path, offset) == "listening"
