"""An account with a store in it, as tests see it: the local AWS, or a real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECT = Config(
    proxies={},
    signature_version="s3v4",
    retries={"mode": "standard", "total_max_attempts": 1},
    inject_host_prefix=False,  # some operations have hosts of their own in AWS
)
REMOTE = Config(signature_version="s3v4", retries={"mode": "standard", "total_max_attempts": 5})


class Account(Protocol):
    """Where it is, what it is called there, and the keys of who may arrange a test."""

    @property
    def endpoint(self) -> str | None:
        """Where AWS is; None for AWS itself."""

    @property
    def bucket(self) -> str:
        """The store's bucket."""

    @property
    def stack(self) -> Mapping[str, Any]:
        """Addresses and ids by the names that the local stack's `stack.json` has for them."""

    @property
    def role_prefix(self) -> str:
        """What a role's name completes to its ARN."""

    def root_client(self, service: str) -> Any:
        """A boto3 client of an administrator, to arrange a test and to look behind the scenes."""

    def process_keys(self, process: str) -> Keys:
        """A session of the role of a process of the store's own: `service` or `worker`."""


@dataclass(frozen=True)
class Keys:
    """Access keys; the token is None for long-lived ones."""

    id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    def client(self, account: Account, service: str) -> Any:
        """A boto3 client that signs with them."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=account.endpoint,
            region_name=account.stack["region"],
            aws_access_key_id=self.id,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
            config=DIRECT if account.endpoint else REMOTE,
        )


def assume(account: Account, keys: Keys, role: str, **asked: Any) -> Keys:
    """The keys of a session of a role of the store, asked for with `keys`."""
    wanted = {"RoleSessionName": f"smas-{role}", **asked}
    sts = keys.client(account, "sts")
    given = sts.assume_role(RoleArn=f"{account.role_prefix}{role}", **wanted)["Credentials"]
    return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
