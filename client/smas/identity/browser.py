"""Signing in with a browser: an authorization code with a proof of possession (RFC 6749, 7636, 8252)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec

from smas.errors import NotSignedIn, SmasError, Unavailable
from smas.identity.cognito import Granted
from smas.retries import PASSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas.http import HttpClient
    from smas.identity.discovery import SignInPlace

WAIT_SECONDS: Final = 300.0
# As much as is needed for an identity token, which brings the nonce back.
_SCOPE: Final = "openid"
_CLOCKS_DIFFER_SECONDS: Final = 60
_OK: Final = 200
# RFC 6749, section 4.1.2.1, and OpenID Connect Core 1.0, section 3.1.2.6.
_REFUSALS: Final = {
    "access_denied": "you, or the user pool, refused",
    "invalid_scope": "its client may not ask who you are (scope openid)",
    "unauthorized_client": "its client may not sign people in with a browser",
    "unsupported_response_type": "it gives no authorization codes",
    "server_error": "it failed",
    "temporarily_unavailable": "it is too busy right now",
    "login_required": "you have to sign in again",
}


@dataclass(frozen=True, slots=True)
class BrowserSignIn:
    """One sign-in with a browser: what is asked for, and what must come back."""

    place: SignInPlace
    redirect_uri: str
    state: str
    nonce: str
    verifier: str

    @classmethod
    def begin(cls, place: SignInPlace, redirect_uri: str, state: str) -> BrowserSignIn:
        """A sign-in with secrets of its own, which comes back with ``state``."""
        return cls(place, redirect_uri, state, secrets.token_urlsafe(32), secrets.token_urlsafe(48))

    def __repr__(self) -> str:
        return f"BrowserSignIn(redirect_uri={self.redirect_uri!r})"

    def url(self, *, ask_again: bool = False) -> str:
        """What the browser is to open; with ``ask_again`` it may not use a sign-in that it remembers."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        query = {
            "response_type": "code",
            "client_id": self.place.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": _SCOPE,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **({"prompt": "login"} if ask_again else {}),
        }
        page = self.place.page_url or ""
        return f"{page}{'&' if '?' in page else '?'}{urlencode(query)}"

    def finish(self, answer: Mapping[str, str], http: HttpClient) -> Granted:
        """The tokens for what the browser brought back.

        Raises ``NotSignedIn`` if the pool refuses or the answer is not for this sign-in.
        """
        # RFC 9207: a pool that names itself must be the one that was asked.
        if answer.get("iss", self.place.issuer) != self.place.issuer:
            message = "the browser came back from another user pool than the one that was asked"
            raise NotSignedIn(message, hint="do not go on; tell whoever administers the store")
        if "error" in answer:
            raise _refusal(answer)
        form = {
            "grant_type": "authorization_code",
            "client_id": self.place.client_id,
            "code": answer["code"],
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        reply = http.ask("POST", self.place.token_url or "", headers, urlencode(form).encode())
        if reply.status in PASSING:
            message = f"the token endpoint answers with status {reply.status}"
            raise Unavailable(message, hint="sign in again in a while")
        if reply.status != _OK:
            message = f"the user pool gave no tokens{_reason_in(reply.content)}"
            raise NotSignedIn(message, hint=f"smas login {self.place.store}")
        try:
            granted = msgspec.json.decode(reply.content, type=_Tokens)
        except msgspec.MsgspecError as error:
            message = "the token endpoint answered without tokens"
            raise SmasError(message) from error
        self._require_ours(granted.id_token)
        return Granted(granted.access_token, granted.refresh_token)

    def _require_ours(self, id_token: str) -> None:
        """OpenID Connect Core 1.0, section 3.1.3.7.

        It came from the token endpoint itself, so TLS stands for its signature (number 6 there).
        """
        claims = _claims(id_token)
        audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != self.place.issuer or self.place.client_id not in audience:
            message = "the user pool answered with somebody else's identity token"
        elif not secrets.compare_digest(claims.nonce.encode(), self.nonce.encode()):
            message = "the user pool answered with the identity token of another sign-in"
        elif claims.exp <= time.time() - _CLOCKS_DIFFER_SECONDS:
            message = "the user pool answered with an identity token that has expired (is your clock right?)"
        else:
            return
        raise NotSignedIn(message, hint="do not go on; tell whoever administers the store")


class _Tokens(msgspec.Struct):
    access_token: str
    id_token: str
    refresh_token: str | None = None


class _Identity(msgspec.Struct):
    iss: str
    aud: str | list[str]
    exp: float
    nonce: str = ""


class _TokenRefusal(msgspec.Struct):
    error: str = ""


def _claims(id_token: str) -> _Identity:
    try:
        payload = id_token.split(".")[1]
        return msgspec.json.decode(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Identity
        )
    except (IndexError, ValueError, binascii.Error) as error:
        message = "the user pool answered with an identity token that can't be read"
        raise NotSignedIn(message) from error


def _refusal(answer: Mapping[str, str]) -> NotSignedIn:
    error = answer["error"]
    words = _REFUSALS.get(error)
    said = answer.get("error_description", "").strip()[:200]
    if words is None:
        words = f"it says {error[:60]}"
    return NotSignedIn(f"the sign-in page sent you back: {words}{f' ({said})' if said else ''}")


def _reason_in(content: bytes) -> str:
    try:
        error = msgspec.json.decode(content, type=_TokenRefusal).error
    except msgspec.MsgspecError:
        return ""
    return f" ({error})" if error.isascii() and error.replace("_", "").isalnum() else ""
