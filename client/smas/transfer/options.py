"""How a transfer behaves on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from smas.retries import RetryPolicy

MAX_CONNECTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """``connections`` at once; at most ``bytes_per_second`` over all of them (None: as fast as it goes)."""

    connections: int = 4
    bytes_per_second: int | None = None
    retries: RetryPolicy = field(default_factory=RetryPolicy)

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= MAX_CONNECTIONS:
            message = f"connections must be 1 to {MAX_CONNECTIONS}, not {self.connections}"
            raise ValueError(message)
        if self.bytes_per_second is not None and self.bytes_per_second < 1:
            message = f"bytes_per_second must be at least 1, not {self.bytes_per_second}"
            raise ValueError(message)
