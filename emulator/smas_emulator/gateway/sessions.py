"""The role sessions that `AssumeRole` has given out: LocalStack keeps neither source identity nor policy."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from smas_emulator.gateway.credentials import Credential
from smas_emulator.gateway.principals import RoleSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smas_emulator.gateway.principals import Principal

# How long an expired session is still told apart from a key that never was.
REMEMBERED = timedelta(hours=1)
_SWEEP_EVERY = 1000


class RoleSessions:
    """Sessions by access key id; safe to use from many threads, forgets the long expired by itself."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._credentials: dict[str, Credential] = {}
        self._since_sweep = 0

    def find(self, access_key_id: str) -> Credential | None:
        """The session's key, also of one that expired a short while ago."""
        return self._credentials.get(access_key_id)

    def begin(
        self,
        request: Mapping[str, Any],
        answer: Mapping[str, Any],
        caller: Principal,
        *,
        role_id: str,
    ) -> RoleSession:
        """Remember the session that `AssumeRole` just gave out.

        `request` and `answer` have the operation's members by botocore's names. A chained session inherits
        its caller's source identity and transitive tags
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html).
        """
        keys = answer["Credentials"]
        account, path, name = _role(request["RoleArn"])
        tags, transitive = _tags(request, caller)
        inherited = caller.source_identity if isinstance(caller, RoleSession) else None
        session = RoleSession(
            account=account,
            access_key_id=keys["AccessKeyId"],
            role_name=name,
            role_id=role_id,
            name=request["RoleSessionName"],
            created=self._now(),
            expires=_aware(keys["Expiration"]),
            role_path=path,
            source_identity=request.get("SourceIdentity") or inherited,
            tags=tags,
            transitive_tags=transitive,
            policy=request.get("Policy"),
        )
        credential = Credential(
            access_key_id=session.access_key_id,
            secret=keys["SecretAccessKey"],
            principal=session,
            session_token=keys["SessionToken"],
            expires=session.expires,
        )
        with self._lock:
            self._credentials[session.access_key_id] = credential
            self._since_sweep += 1
            if self._since_sweep >= _SWEEP_EVERY:
                self._sweep()
        return session

    def _sweep(self) -> None:
        self._since_sweep = 0
        oldest = self._now() - REMEMBERED
        # A new dict, not deletions: `find` reads without the lock.
        self._credentials = {
            key: each
            for key, each in self._credentials.items()
            if each.expires is None or each.expires > oldest
        }


def _role(arn: str) -> tuple[str, str, str]:
    """Account, path and name of `arn:aws:iam::<account>:role/<path>/<name>`."""
    _arn, _partition, _service, _region, account, resource = arn.split(":", 5)
    path, _, name = resource.removeprefix("role").rpartition("/")
    return account, f"{path}/", name


def _tags(request: Mapping[str, Any], caller: Principal) -> tuple[dict[str, str], frozenset[str]]:
    """The session's tags, and which of them go on: the caller's transitive tags win, whatever their case."""
    inherited: dict[str, str] = {}
    if isinstance(caller, RoleSession):
        inherited = {key: value for key, value in caller.tags.items() if key in caller.transitive_tags}
    taken = {key.lower() for key in inherited}
    asked = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or () if tag["Key"].lower() not in taken}
    going_on = {key.lower() for key in request.get("TransitiveTagKeys") or ()}
    transitive = {key for key in asked if key.lower() in going_on}
    return {**inherited, **asked}, frozenset({*inherited, *transitive})


def _aware(time: datetime | str) -> datetime:
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
