"""The tokens of moto's user pools: our keys and claims in place of its own."""
# LocalStack and moto are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.cognitoidp.models import CognitoIdpUserPool, cognitoidp_backends

from smas_emulator.cognito import tokens
from smas_emulator.cognito.bounded import Capped
from smas_emulator.cognito.token_endpoint import Tokens
from smas_emulator.cognito.user_info import visible_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

# moto remembers every token for ever. The oldest go first; whose sign-in goes must sign in again.
_MOST_TOKENS = 20_000


@dataclass(slots=True)
class Origin:
    """The sign-in that a refresh token stands for, and the access tokens it gave; in Unix seconds.

    `auth_time` is when the person gave their password, `begun` when the refresh token was made.
    """

    auth_time: int
    begun: int
    scopes: tuple[str, ...] = (tokens.PASSWORD_SIGN_IN_SCOPE,)
    access_tokens: list[str] = field(default_factory=list)


def make_cognito_keep_its_own_keys() -> None:
    """Give every user pool its own two keys at creation, and take moto's away.

    moto signs the tokens of every pool in the world with one private key that ships in its package: whoever
    has moto could sign in anywhere as anybody. The attribute that held it is deleted, so that nothing can
    fall back on it.
    """
    original_init = CognitoIdpUserPool.__init__
    original_refresh_token = CognitoIdpUserPool.create_refresh_token

    def init_with_own_keys(pool: Any, *args: Any, **kwargs: Any) -> None:
        original_init(pool, *args, **kwargs)
        del pool.json_web_key
        pool.smas_keys = tokens.PoolKeys.generate()
        pool.smas_risks = {}  # by client id, None for the pool's own
        pool.smas_origins = Capped(_MOST_TOKENS)  # by origin_jti: it outlives each access token
        pool.refresh_tokens = Capped(_MOST_TOKENS)
        pool.access_tokens = Capped(_MOST_TOKENS)
        pool.id_tokens = Capped(_MOST_TOKENS)

    def create_refresh_token(pool: Any, client_id: str, username: str) -> tuple[str, str]:
        now = int(time.time())
        refresh_token, origin_jti = original_refresh_token(pool, client_id, username)
        pool.smas_origins[origin_jti] = Origin(auth_time=now, begun=now)
        return refresh_token, origin_jti

    CognitoIdpUserPool.__init__ = init_with_own_keys
    CognitoIdpUserPool.create_refresh_token = create_refresh_token
    CognitoIdpUserPool.create_jwt = _create_jwt


def _create_jwt(
    pool: Any,
    client_id: str,
    username: str,
    token_use: str,
    _expires_in: int = tokens.DEFAULT_VALIDITY_SECONDS,
    extra_data: dict[str, Any] | None = None,
) -> tuple[str, int]:
    """Stand in for moto's `CognitoIdpUserPool.create_jwt`: its arguments, Cognito's claims, our key."""
    attributes = dict(extra_data or {})
    attributes.pop("cognito:groups", None)
    user = pool._get_user(username)  # noqa: SLF001 - how moto looks up by alias
    person = sign_in(pool, client_id, user, attributes.pop("origin_jti"))
    if token_use == "access":  # noqa: S105 - a kind of token
        return _access_token(pool, person)
    lifetime = tokens.validity_seconds(pool.clients[client_id].extended_config, "IdToken")
    claims = tokens.person_id_claims(person, attributes, now=int(time.time()), lifetime=lifetime)
    return pool.smas_keys.id_token.sign(claims), lifetime


def sign_in(pool: Any, client_id: str, user: Any, origin_jti: str) -> tokens.SignIn:
    """A user's sign-in, as `create_refresh_token` began it. Raises `KeyError` for one that made room."""
    origin: Origin = pool.smas_origins[origin_jti]
    return tokens.SignIn(
        issuer=tokens.issuer(pool.region, pool.id),
        client_id=client_id,
        subject=user.id,
        username=user.username,
        # moto keeps a set; the same person, the same order.
        groups=tuple(sorted(group.group_name for group in user.groups)),
        origin_jti=origin_jti,
        auth_time=origin.auth_time,
        scopes=origin.scopes,
    )


def _access_token(pool: Any, person: tokens.SignIn) -> tuple[str, int]:
    lifetime = tokens.validity_seconds(pool.clients[person.client_id].extended_config, "AccessToken")
    claims = tokens.person_access_claims(person, now=int(time.time()), lifetime=lifetime)
    token = pool.smas_keys.access_token.sign(claims)
    pool.access_tokens[token] = (person.client_id, person.username)
    origin = pool.smas_origins[person.origin_jti]
    origin.access_tokens = [*filter(pool.access_tokens.__contains__, origin.access_tokens), token]
    return token, lifetime


def person_tokens(
    pool: Any, person: tokens.SignIn, nonce: str | None = None, refresh_token: str | None = None
) -> Tokens:
    """An access token, and an id token where `openid` was granted, or where no scopes were asked for."""
    access_token, lifetime = _access_token(pool, person)
    id_token = None
    if {"openid", tokens.PASSWORD_SIGN_IN_SCOPE} & set(person.scopes):
        client, user = pool.clients[person.client_id], pool.users[person.username]
        id_lifetime = tokens.validity_seconds(client.extended_config, "IdToken")
        claims = tokens.person_id_claims(
            person,
            visible_attributes(readable(client, user), {"openid", *person.scopes}),
            now=int(time.time()),
            lifetime=id_lifetime,
            access_token=access_token,
            nonce=nonce,
        )
        id_token = pool.smas_keys.id_token.sign(claims)
    return Tokens(access_token, lifetime, id_token, refresh_token)


def usable(pool: Any, client_id: str, refresh_token: str) -> tuple[str, str, str] | None:
    """Client, user and `origin_jti` of a refresh token, unless it has ended or is another client's."""
    held = pool.refresh_tokens.get(refresh_token)
    if held is None or held[0] != client_id or held[2] not in pool.smas_origins:
        return None
    lifetime = tokens.validity_seconds(pool.clients[client_id].extended_config, "RefreshToken")
    return held if time.time() < pool.smas_origins[held[2]].begun + lifetime else None


def read_access_token(access_token: str) -> dict[str, Any] | None:
    """The claims of an access token of any pool, if that pool signed it and it has not expired."""
    for pool in _pools():
        key: tokens.SigningKey = pool.smas_keys.access_token
        claims = key.claims_of(access_token, tokens.issuer(pool.region, pool.id))
        if claims is not None:
            return claims
    return None


def find_pool(pool_id: str) -> Any | None:
    """The pool of this id."""
    return next((pool for pool in _pools() if pool.id == pool_id), None)


def pool_of(pool_id: str) -> Any:
    """The same where there must be one. Raises `LookupError`."""
    pool = find_pool(pool_id)
    if pool is None:
        msg = f"user pool {pool_id} vanished during a request"
        raise LookupError(msg)
    return pool


def client_of(client_id: str) -> tuple[Any, Any] | None:
    """The pool and app client of this id; ids are unique across pools, as in AWS."""
    for pool in _pools():
        if client_id in pool.clients:
            return pool, pool.clients[client_id]
    return None


def _pools() -> Iterator[Any]:
    for account in list(cognitoidp_backends.values()):
        for backend in list(account.values()):
            yield from list(backend.user_pools.values())


def readable(client: Any, user: Any) -> dict[str, str]:
    """The attributes that a client may read: all, unless it names some (`ReadAttributes`)."""
    named = client.get_readable_fields()
    attributes = {entry["Name"]: entry["Value"] for entry in user.attributes if entry["Name"] != "sub"}
    return {name: value for name, value in attributes.items() if not named or name in named}
