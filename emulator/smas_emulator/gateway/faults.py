"""Faults of our own code, told without what they were about: an error's text may quote a parameter."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def fault(error: BaseException) -> str:
    """What kind of error it was and where it came up: `KeyError at s3.py:41 in resources`."""
    frames = traceback.extract_tb(error.__traceback__)
    place = (
        f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    )
    return type(error).__name__ + place
