"""Sessions of the local account's roles, made as the store's own processes make them."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.accounts import assume
from tests.infra.rendering import TEAM_PERSONAS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.accounts import Account, Keys
    from tests.local_aws import LocalStack

SUBJECT = "sub-of-matrix"
VERIFIER = "smas-verifier"
# Roles that the worker assumes, in its own name.
VERIFYING = ("verifier-scanning", "verifier-tagging", "watch")
REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"})
ROLES = "arn:aws:iam::000000000000:role/smas-"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def keys_of_this_machine(local_aws: LocalStack) -> Keys:
    """The only long-lived key there is but the root's."""
    return local_aws.machine_keys


def service_keys(account: Account) -> Keys:
    """A session of the service's own role."""
    return account.process_keys("service")


def persona(
    account: Account,
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
        account,
        service_keys(account),
        role,
        RoleSessionName=name,
        SourceIdentity=subject or f"sub-of-{name}",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


def worker_keys(account: Account) -> Keys:
    """A session of the worker's own role."""
    return account.process_keys("worker")


def session(account: Account, role: str, *, team: str = "fraud", name: str = "matrix") -> Keys:
    """A session of any role of the store, by the name of its policy's template.

    A persona's is that of the person `name`, of `team` where the persona has one.
    """
    if role == "service":
        return service_keys(account)
    if role == "worker":
        return worker_keys(account)
    if role in VERIFYING:
        return assume(account, worker_keys(account), role, SourceIdentity=VERIFIER)
    of = team if role in TEAM_PERSONAS else None
    return persona(account, role.removeprefix("persona-"), team=of, name=name, subject=f"sub-of-{name}")


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
