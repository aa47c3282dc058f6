"""Which records are known to be there, so that nobody is refused what merely does not exist.

S3 refuses a GET of a missing key to a session whose list rights are bound to prefixes, and CloudTrail then
holds that against its person. So a key is looked for in a list first, unless this process has seen it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from service.registry.keys import is_lasting

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_KEYS: Final = 50_000


class KnownKeys:
    """Lasting keys seen in the bucket, by whomever; the oldest are forgotten. Grants nothing: S3 decides."""

    def __init__(self, most: int = _MOST_KEYS) -> None:
        self._most = most
        self._keys: dict[str, None] = {}
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, keys: Iterable[str]) -> None:
        """Remember those of the keys that stay once they are there."""
        with self._lock:
            self._keys.update((key, None) for key in keys if key not in self._keys and is_lasting(key))
            while len(self._keys) > self._most:
                del self._keys[next(iter(self._keys))]

    def discard(self, key: str) -> None:
        """Forget a key that is gone after all."""
        with self._lock:
            self._keys.pop(key, None)
