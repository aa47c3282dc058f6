"""Access keys and whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from smas_emulator.gateway.principals import Principal


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key: its secret, its principal, and for temporary ones token and end (aware, UTC)."""

    access_key_id: str
    secret: str = field(repr=False)
    principal: Principal
    session_token: str | None = field(default=None, repr=False)
    expires: datetime | None = None


class CredentialStore(Protocol):
    """Where access keys are looked up."""

    def find(self, access_key_id: str) -> Credential | None:
        """The active key of this id, or that of an expired session; None for any other."""
        ...
