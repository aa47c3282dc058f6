"""Sessions of the local account's roles, made as the store's own processes make them."""

from __future__ import annotations

import uuid
from configparser import ConfigParser
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.local_aws import LocalStack

ROLES = "arn:aws:iam::000000000000:role/smas-"
DIRECT = Config(proxies={}, signature_version="s3v4", retries={"mode": "standard", "total_max_attempts": 1})


@dataclass(frozen=True)
class Keys:
    """Access keys; the token is None for long-lived ones."""

    id: str
    secret: str
    token: str | None = None

    def client(self, local_aws: LocalStack, service: str) -> Any:
        """A boto3 client that signs with them, and does not try again."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=local_aws.endpoint,
            region_name=local_aws.stack["region"],
            aws_access_key_id=self.id,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
            config=DIRECT,
        )


def keys_of_this_machine(local_aws: LocalStack) -> Keys:
    """The only long-lived key there is but the root's."""
    file = ConfigParser()
    file.read(local_aws.environment["AWS_SHARED_CREDENTIALS_FILE"])
    (section,) = file.sections()
    return Keys(file[section]["aws_access_key_id"], file[section]["aws_secret_access_key"])


def assume(local_aws: LocalStack, keys: Keys, role: str, **asked: Any) -> Keys:
    """The keys of a session of the role `smas-<role>`, asked for with `keys`."""
    sts = keys.client(local_aws, "sts")
    wanted = {"RoleSessionName": f"smas-{role}", **asked}
    given = sts.assume_role(RoleArn=f"{ROLES}{role}", **wanted)["Credentials"]
    return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def service_keys(local_aws: LocalStack) -> Keys:
    """A session of the service's own role."""
    return assume(local_aws, keys_of_this_machine(local_aws), "service")


def persona(
    local_aws: LocalStack,
    role: str,
    *,
    team: str | None = "fraud",
    name: str = "ds-fraud",
    subject: str | None = None,
    jti: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> Keys:
    """A person's session in one of their roles, as the service makes it for them."""
    tags = {"jti": jti or str(uuid.uuid4()), **({"team": team} if team else {}), **(extra_tags or {})}
    return assume(
        local_aws,
        service_keys(local_aws),
        role,
        RoleSessionName=name,
        SourceIdentity=subject or f"sub-of-{name}",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
