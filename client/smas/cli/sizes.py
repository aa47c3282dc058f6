"""Sizes and times as people write them."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")
_STEP: Final = 1000
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kKmMgGtT]?)(i?)[bB]?")
_AGE: Final = re.compile(r"([0-9]+)\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def size_text(size: float) -> str:
    """``1500`` is ``1.5 kB``: decimal units, as disks and networks count."""
    unit = 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def parse_size(text: str) -> int:
    """``10M`` is 10,000,000 and ``10Mi`` 10,485,760. Raises ``ValueError``."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        message = f"{text!r} is no size: write it like 500k, 10M or 1.5G (Ki, Mi and Gi count by 1,024)"
        raise ValueError(message)
    number, unit, binary = found.groups()
    power = " kmgt".index(unit.lower()) if unit else 0
    return int(float(number) * (1024 if binary else _STEP) ** power)


def parse_age(text: str) -> int:
    """``30d`` in seconds; units are s, m, h, d and w. Raises ``ValueError``."""
    found = _AGE.fullmatch(text.strip())
    if not found:
        message = f"{text!r} is no age: write it like 12h, 30d or 4w"
        raise ValueError(message)
    return int(found.group(1)) * _SECONDS[found.group(2)]


def duration_text(seconds: float) -> str:
    """``75`` is ``1:15``, ``4000`` is ``1:06:40``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
