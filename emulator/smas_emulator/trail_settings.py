"""How the local trail works, from the supervisor to the plug-in by way of the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LOG_SECONDS = 2.0
DEFAULT_DIGEST_SECONDS = 60.0
_LOG_SECONDS, _DIGEST_SECONDS = "SMAS_TRAIL_LOG_SECONDS", "SMAS_TRAIL_DIGEST_SECONDS"
_ARCHIVE = "SMAS_TRAIL_ARCHIVE"


@dataclass(frozen=True, slots=True)
class TrailSettings:
    """How often log files and digests are delivered (AWS: about 5 minutes, and an hour), in seconds.

    All that is delivered is written below `archive` too, because LocalStack forgets its buckets at a stop.
    """

    archive: Path
    log_seconds: float = DEFAULT_LOG_SECONDS
    digest_seconds: float = DEFAULT_DIGEST_SECONDS

    def environment(self) -> dict[str, str]:
        """The variables that say this."""
        return {
            _ARCHIVE: str(self.archive),
            _LOG_SECONDS: f"{self.log_seconds:g}",
            _DIGEST_SECONDS: f"{self.digest_seconds:g}",
        }

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> TrailSettings:
        """What `environment` says. Raises `KeyError` naming a missing variable."""
        return cls(
            Path(environment[_ARCHIVE]),
            float(environment[_LOG_SECONDS]),
            float(environment[_DIGEST_SECONDS]),
        )
