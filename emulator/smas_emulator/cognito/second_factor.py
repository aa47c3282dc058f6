"""One-time codes of an authenticator app (TOTP, RFC 6238), as Cognito has them: SHA-1, six digits, 30 s.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa-totp.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
import threading
from dataclasses import dataclass, field

STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 35  # in base 32 without padding
# A code of the step before or after counts as well: clocks differ.
_STEPS_APART = (0, -1, 1)


def _new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


@dataclass(slots=True)
class SecondFactor:
    """A person's authenticator; `confirmed` once a first code has shown that they have the secret."""

    secret: str = field(default_factory=_new_secret, repr=False)
    confirmed: bool = False
    _latest: int = field(default=-1, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def accepts(self, code: str, now: float) -> bool:
        """Whether `code` is one of now; each is good once, and none from before the latest is any more."""
        current = int(now) // STEP_SECONDS
        with self._lock:
            for step in (current + apart for apart in _STEPS_APART):
                right = hmac.compare_digest(one_time_code(self.secret, step).encode(), code.encode())
                if right and step > self._latest:
                    self._latest, self.confirmed = step, True
                    return True
        return False


def one_time_code(secret: str, step: int) -> str:
    """The code of a step, counted in 30 seconds since 1970, for a secret in base 32."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 10**_DIGITS:0{_DIGITS}d}"
