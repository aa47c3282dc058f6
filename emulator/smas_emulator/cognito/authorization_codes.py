"""Authorization codes: each stands for one sign-in, once, for five minutes.

"The response returns a one time use code that is valid for five minutes"
(https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from smas_emulator.cognito.bounded import Expiring

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

LIFETIME = timedelta(minutes=5)
MOST_CODES = 10_000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for; `auth_time` in Unix seconds is when the person gave their password."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    username: str
    auth_time: int
    nonce: str | None = None
    code_challenge: str | None = None


class AuthorizationCodes:
    """The codes that have been given out and not been used."""

    def __init__(self, now: Callable[[], datetime], *, cap: int = MOST_CODES) -> None:
        self._grants: Expiring[Grant] = Expiring(LIFETIME, cap, now)

    def issue(self, grant: Grant) -> str:
        """A new code."""
        code = str(uuid.uuid4())
        self._grants.put(code, grant)
        return code

    def redeem(self, code: str) -> Grant | None:
        """What the code stands for; whatever comes of it, the code is good no more."""
        return self._grants.take(code)
