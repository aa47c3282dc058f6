"""The tokens of a user pool as Amazon Cognito makes them: keys, claims, key set; no emulator in sight.

Claims follow "Understanding user pool JSON web tokens" in the Amazon Cognito developer guide. A pool has two
RSA keys of its own, one for identity tokens and one for access tokens, both published in its key set.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY_BITS = 2048
# What AWS grants every sign-in that used no OAuth scope.
PASSWORD_SIGN_IN_SCOPE = "aws.cognito.signin.user.admin"  # noqa: S105
DEFAULT_VALIDITY_SECONDS = 3600
DEFAULT_REFRESH_SECONDS = 30 * 86400
_SECONDS_PER_UNIT = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key pair and the `kid` under which its public half is published."""

    private: rsa.RSAPrivateKey
    kid: str

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key; it lives in memory only and dies with the pool."""
        private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        return cls(private=private, kid=thumbprint(private.public_key()))

    def public_jwk(self) -> dict[str, str]:
        """The public half, in the members and the order of Cognito's own key set."""
        numbers = self.private.public_key().public_numbers()
        return {
            "alg": "RS256",
            "e": _base64url(numbers.e),
            "kid": self.kid,
            "kty": "RSA",
            "n": _base64url(numbers.n),
            "use": "sig",
        }

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return `claims` as an RS256 token with the header Cognito writes: `kid` and `alg`, no `typ`."""
        return jwt.encode(
            dict(claims), self.private, algorithm="RS256", headers={"kid": self.kid, "typ": None}
        )

    def claims_of(self, token: str, issuer: str) -> Claims | None:
        """The claims of a token that this key signed for `issuer` and that has not expired, else None."""
        try:
            return jwt.decode(
                token,
                self.private.public_key(),
                algorithms=["RS256"],
                issuer=issuer,
                options={"require": ["exp", "iss"], "verify_aud": False},
            )
        except jwt.PyJWTError:
            return None


@dataclass(frozen=True, slots=True)
class PoolKeys:
    """The two keys of one user pool."""

    id_token: SigningKey
    access_token: SigningKey

    @classmethod
    def generate(cls) -> PoolKeys:
        """Make both keys of a new pool."""
        return cls(id_token=SigningKey.generate(), access_token=SigningKey.generate())

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The JSON Web Key Set to publish (RFC 7517)."""
        return {"keys": [self.id_token.public_jwk(), self.access_token.public_jwk()]}


def thumbprint(key: rsa.RSAPublicKey) -> str:
    """The RFC 7638 thumbprint of a public key: one key has one name, and two keys never share one."""
    numbers = key.public_numbers()
    required = {"e": _base64url(numbers.e), "kty": "RSA", "n": _base64url(numbers.n)}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()


def issuer(region: str, pool_id: str) -> str:
    """The `iss` of a pool's tokens: always the address in AWS, wherever the key set is really served."""
    return f"https://cognito-idp.{region}.amazonaws.com/{pool_id}"


def validity_seconds(client: Mapping[str, Any], token: str) -> int:
    """How long a client's tokens live, in seconds.

    `client` is the app client's configuration, `token` is `AccessToken`, `IdToken` or `RefreshToken`. As in
    AWS, a number without a unit means hours, and no number one hour; of a refresh token days, and thirty.
    """
    amount = client.get(f"{token}Validity")
    if not amount:
        return DEFAULT_REFRESH_SECONDS if token == "RefreshToken" else DEFAULT_VALIDITY_SECONDS  # noqa: S105
    default = "days" if token == "RefreshToken" else "hours"  # noqa: S105 - kinds of token
    unit = (client.get("TokenValidityUnits") or {}).get(token) or default
    return int(amount) * _SECONDS_PER_UNIT[unit]


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person's sign-in at a pool through one client; times are Unix seconds.

    `scopes` are what was granted at the OAuth endpoints, or the one of a sign-in without them.
    """

    issuer: str
    client_id: str
    subject: str
    username: str
    groups: tuple[str, ...]
    origin_jti: str
    auth_time: int
    scopes: tuple[str, ...] = (PASSWORD_SIGN_IN_SCOPE,)


def person_access_claims(sign_in: SignIn, *, now: int, lifetime: int) -> Claims:
    """The claims of a person's access token, valid from `now` for `lifetime` seconds."""
    return {
        "sub": sign_in.subject,
        **_groups(sign_in.groups),
        "iss": sign_in.issuer,
        "version": 2,
        "client_id": sign_in.client_id,
        "origin_jti": sign_in.origin_jti,
        "event_id": str(uuid.uuid4()),
        "token_use": "access",
        "scope": " ".join(sign_in.scopes),
        "auth_time": sign_in.auth_time,
        "exp": now + lifetime,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "username": sign_in.username,
    }


def person_id_claims(
    sign_in: SignIn,
    attributes: Mapping[str, Any],
    *,
    now: int,
    lifetime: int,
    access_token: str | None = None,
    nonce: str | None = None,
) -> Claims:
    """The claims of a person's identity token; `attributes` are the ones the client may read.

    One from the OAuth endpoints names its `access_token` by hash, and its request's `nonce` (OpenID Connect
    Core 1.0, sections 3.1.3.6 and 2).
    """
    return {
        **attributes,
        **({"at_hash": access_token_hash(access_token)} if access_token else {}),
        **({"nonce": nonce} if nonce else {}),
        "sub": sign_in.subject,
        **_groups(sign_in.groups),
        "iss": sign_in.issuer,
        "cognito:username": sign_in.username,
        "origin_jti": sign_in.origin_jti,
        "aud": sign_in.client_id,
        "event_id": str(uuid.uuid4()),
        "token_use": "id",
        "auth_time": sign_in.auth_time,
        "exp": now + lifetime,
        "iat": now,
        "jti": str(uuid.uuid4()),
    }


def access_token_hash(access_token: str) -> str:
    """The left half of the token's SHA-256, in base64url."""
    left = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(left).rstrip(b"=").decode()


def machine_access_claims(
    issuer: str, client_id: str, scopes: Iterable[str], *, now: int, lifetime: int
) -> Claims:
    """The claims of a token for client credentials: the client is its own subject and has no groups."""
    return {
        "sub": client_id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": now,
        "iss": issuer,
        "exp": now + lifetime,
        "iat": now,
        "version": 2,
        "jti": str(uuid.uuid4()),
        "client_id": client_id,
    }


def _groups(groups: tuple[str, ...]) -> Claims:
    """Cognito leaves the claim out for somebody without groups."""
    return {"cognito:groups": list(groups)} if groups else {}


def _base64url(number: int) -> str:
    """A positive integer in the encoding of RFC 7518, section 2 (Base64urlUInt)."""
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
