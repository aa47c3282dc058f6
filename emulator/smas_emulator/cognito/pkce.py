"""Proof Key for Code Exchange, by the one method that Cognito knows: S256 (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

METHOD = "S256"
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")  # section 4.1
_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")  # a SHA-256 in base64url, without padding


def challenge_of(verifier: str) -> str:
    """The challenge that a verifier answers (section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_challenge(text: str) -> bool:
    """Whether it can be the challenge of any verifier."""
    return _CHALLENGE.fullmatch(text) is not None


def answers(verifier: str | None, challenge: str | None) -> bool:
    """Whether a code that was asked for with `challenge` may be exchanged with `verifier`.

    A verifier that nobody asked for is refused too: somebody took the challenge out of the request (RFC 9700,
    section 4.8.2).
    """
    if verifier is None or challenge is None:
        return verifier is None and challenge is None
    if not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(challenge_of(verifier), challenge)
