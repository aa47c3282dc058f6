"""Access keys as LocalStack and moto hold them."""
# moto is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

from typing import TYPE_CHECKING

from localstack.aws.accounts import get_account_id_from_access_key_id
from moto.iam.models import iam_backends

from smas_emulator import seed
from smas_emulator.gateway.credentials import Credential
from smas_emulator.gateway.principals import IamUser, Root

if TYPE_CHECKING:
    from smas_emulator.gateway.sessions import RoleSessions


class AccessKeys:
    """The keys of the root, of IAM users and of role sessions; any other is refused, unlike by LocalStack."""

    def __init__(self, sessions: RoleSessions) -> None:
        self._sessions = sessions
        self._root = Credential(
            seed.ROOT_ACCESS_KEY, seed.ROOT_SECRET_KEY, Root(seed.ACCOUNT, seed.ROOT_ACCESS_KEY)
        )

    def find(self, access_key_id: str) -> Credential | None:
        """See `CredentialStore.find`."""
        if access_key_id == seed.ROOT_ACCESS_KEY:
            return self._root
        return self._sessions.find(access_key_id) or self._of_user(access_key_id)

    @staticmethod
    def _of_user(access_key_id: str) -> Credential | None:
        account = get_account_id_from_access_key_id(access_key_id)
        backend = iam_backends[account][seed.PARTITION]
        key = backend.access_keys.get(access_key_id)
        if key is None or key.status != "Active" or key.user_name not in backend.users:
            return None
        user = backend.users[key.user_name]
        tags = {tag["Key"]: tag["Value"] for tag in backend.list_user_tags(user.name)}
        principal = IamUser(account, access_key_id, user.name, user.id, user.path, tags)
        return Credential(access_key_id, key.secret_access_key, principal)
