"""Sessions of the local account's roles, made as the store's own processes make them."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from configparser import ConfigParser
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.infra.rendering import TEAM_PERSONAS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.local_aws import LocalStack

SUBJECT = "sub-of-matrix"
VERIFIER = "smas-verifier"
# Roles that the worker assumes, in its own name.
VERIFYING = ("verifier-scanning", "verifier-tagging", "watch")
REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"})
ROLES = "arn:aws:iam::000000000000:role/smas-"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
DIRECT = Config(
    proxies={},
    signature_version="s3v4",
    retries={"mode": "standard", "total_max_attempts": 1},
    inject_host_prefix=False,  # some operations have hosts of their own in AWS
)


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


def worker_keys(local_aws: LocalStack) -> Keys:
    """A session of the worker's own role."""
    return assume(local_aws, keys_of_this_machine(local_aws), "worker")


def session(local_aws: LocalStack, role: str, *, team: str = "fraud", name: str = "matrix") -> Keys:
    """A session of any role of the store, by the name of its policy's template.

    A persona's is that of the person `name`, of `team` where the persona has one.
    """
    if role == "service":
        return service_keys(local_aws)
    if role == "worker":
        return worker_keys(local_aws)
    if role in VERIFYING:
        return assume(local_aws, worker_keys(local_aws), role, SourceIdentity=VERIFIER)
    of = team if role in TEAM_PERSONAS else None
    return persona(local_aws, role.removeprefix("persona-"), team=of, name=name, subject=f"sub-of-{name}")


def allowed(call: Callable[..., Any], **parameters: Any) -> bool:
    """Whether IAM let a call pass; one that the service itself did not like was let pass, too."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] not in REFUSED
    return True


def fetched(client: Any, **place: str) -> tuple[int, bytes]:
    """Status and body that a presigned URL for an object gives to whoever holds the URL."""
    url = client.generate_presigned_url("get_object", Params=place, ExpiresIn=60)
    try:
        with _OPENER.open(url, timeout=10) as answer:
            return int(answer.status), bytes(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, bytes(error.read())
