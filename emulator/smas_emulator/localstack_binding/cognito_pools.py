"""moto's user pools, as the logic of `smas_emulator.cognito` wants to see them."""
# LocalStack and moto are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING, Any

from moto.cognitoidp.exceptions import InvalidPasswordException
from moto.cognitoidp.models import UserStatus

from smas_emulator.cognito import tokens
from smas_emulator.cognito.app_clients import (
    AppClient,
    NewPasswordRequired,
    PasswordRefused,
    Refused,
    SignedIn,
)
from smas_emulator.cognito.second_factor import SecondFactor
from smas_emulator.cognito.token_endpoint import Tokens
from smas_emulator.cognito.user_info import TokenOwner
from smas_emulator.localstack_binding.cognito_tokens import (
    client_of,
    person_tokens,
    pool_of,
    read_access_token,
    readable,
    sign_in,
    usable,
)

if TYPE_CHECKING:
    from smas_emulator.cognito.authorization_codes import Grant

# Where a user's authenticator is kept, on moto's user.
_FACTOR = "smas_second_factor"
_WRONG = Refused("Incorrect username or password.")


class Pools:
    """`Clients`, `People` and `Minter` over moto's pools of all accounts and regions."""

    def find_client(self, client_id: str) -> AppClient | None:
        """See `Clients.find_client`."""
        found = client_of(client_id)
        if found is None:
            return None
        pool, client = found
        secret = client.secret if client.generate_secret else None
        return AppClient.of(client.id, pool.id, secret, client.extended_config)

    # --- People ----------------------------------------------------------------------------------------

    def check_password(
        self, client: AppClient, username: str, password: str
    ) -> SignedIn | NewPasswordRequired | Refused:
        """See `People.check_password`."""
        user = _user(client, username)
        # Somebody who does not exist is told what somebody with another password is, and as late.
        right = hmac.compare_digest(password.encode(), (user.password if user else None or "").encode())
        if user is None or not user.password or not right:
            return _WRONG
        if not user.enabled:
            return Refused("This user is disabled.")
        if user.status is UserStatus.FORCE_CHANGE_PASSWORD:
            return NewPasswordRequired(user.username)
        if user.status is not UserStatus.CONFIRMED:
            return Refused("This user is not confirmed.")
        if user.preferred_mfa_setting and not hasattr(user, _FACTOR):
            # moto takes any code for a right one: nobody signs in by such a check.
            return Refused("This user signs in with a one-time code, which this page does not check.")
        return SignedIn(user.username)

    def replace_temporary_password(self, client: AppClient, username: str, password: str) -> bool:
        """See `People.replace_temporary_password`."""
        user = _user(client, username)
        if user is None or not user.enabled or user.status is not UserStatus.FORCE_CHANGE_PASSWORD:
            return False
        pool = pool_of(client.pool_id)
        try:
            pool.backend.admin_set_user_password(pool.id, user.username, password, permanent=True)
        except InvalidPasswordException as error:
            raise PasswordRefused(_in_words(pool)) from error
        return True

    def second_factor(self, client: AppClient, username: str) -> SecondFactor | None:
        """See `People.second_factor`."""
        user = _user(client, username)
        if user is not None and not hasattr(user, _FACTOR) and pool_of(client.pool_id).mfa_config == "ON":
            setattr(user, _FACTOR, SecondFactor())
        return getattr(user, _FACTOR, None)

    def may_sign_in(self, client: AppClient, username: str) -> bool:
        """See `People.may_sign_in`."""
        user = _user(client, username)
        return user is not None and user.enabled and user.status is UserStatus.CONFIRMED

    # --- Minter ----------------------------------------------------------------------------------------

    def for_machine(self, client: AppClient, scopes: tuple[str, ...]) -> Tokens:
        """See `Minter.for_machine`."""
        pool = pool_of(client.pool_id)
        lifetime = tokens.validity_seconds(pool.clients[client.id].extended_config, "AccessToken")
        issuer = tokens.issuer(pool.region, pool.id)
        now = int(time.time())
        claims = tokens.machine_access_claims(issuer, client.id, scopes, now=now, lifetime=lifetime)
        return Tokens(pool.smas_keys.access_token.sign(claims), lifetime)

    def for_person(self, client: AppClient, grant: Grant) -> Tokens | None:
        """See `Minter.for_person`."""
        pool, user = pool_of(client.pool_id), _user(client, grant.username)
        if user is None or not self.may_sign_in(client, grant.username):
            return None
        refresh_token, origin_jti = pool.create_refresh_token(client.id, user.username)
        origin = pool.smas_origins[origin_jti]
        origin.auth_time, origin.scopes = grant.auth_time, grant.scopes
        return person_tokens(pool, sign_in(pool, client.id, user, origin_jti), grant.nonce, refresh_token)

    def renewed(self, client: AppClient, refresh_token: str) -> Tokens | None:
        """See `Minter.renewed`."""
        pool = pool_of(client.pool_id)
        held = usable(pool, client.id, refresh_token)
        if held is None or not self.may_sign_in(client, held[1]):
            return None
        _, username, origin_jti = held
        return person_tokens(pool, sign_in(pool, client.id, _user(client, username), origin_jti))

    # --- what else is done with tokens -------------------------------------------------------------------

    def revoke(self, client: AppClient, refresh_token: str) -> None:
        """Make a client's refresh token, and the access tokens it gave, useless; another token is let be."""
        pool = pool_of(client.pool_id)
        held = pool.refresh_tokens.get(refresh_token)
        if held is None or held[0] != client.id:
            return
        pool.refresh_tokens[refresh_token] = None
        origin = pool.smas_origins.get(held[2])
        for token in origin.access_tokens if origin else ():
            pool.access_tokens.pop(token, None)

    def owner(self, access_token: str) -> TokenOwner | None:
        """Whom a valid access token of a person is of."""
        claims = read_access_token(access_token)
        found = client_of(claims["client_id"]) if claims else None
        if claims is None or found is None or "username" not in claims:
            return None
        pool, client = found
        user = pool.users.get(claims["username"])
        if access_token not in pool.access_tokens or user is None or not user.enabled:
            return None
        return TokenOwner(user.id, user.username, frozenset(claims["scope"].split()), readable(client, user))


def _user(client: AppClient, username: str) -> Any | None:
    return pool_of(client.pool_id)._get_user(username)  # noqa: SLF001 - how moto looks up by alias


def _in_words(pool: Any) -> str:
    """What the pool's password policy asks for."""
    policy = pool.extended_config.get("Policies", {}).get("PasswordPolicy", {})
    kinds = (
        ("RequireUppercase", "an upper-case letter"),
        ("RequireLowercase", "a lower-case letter"),
        ("RequireNumbers", "a digit"),
        ("RequireSymbols", "a symbol"),
    )
    wanted = [words for name, words in kinds if policy.get(name, True)]
    listed = f" with {', '.join(wanted)}" if wanted else ""
    return f"The new password needs at least {policy.get('MinimumLength', 8)} characters{listed}."
