"""Personas: every call to S3 is made in a session of the caller's own, so that AWS itself knows who it was.

A session is assumed with the user's name as session name, the stable subject as source identity, the
team and the token's id as session tags. One S3 client serves all of them: its credentials are looked up
at the moment of signing, in a context variable that the adapters set around each call, so no client is
built for a request and no session can leak into another's call.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from botocore.credentials import Credentials, ReadOnlyCredentials

from service import metrics
from service.aws.failures import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef, TagTypeDef

    from service.domain.access import Grant, Principal

audit = logging.getLogger("service.audit")

# Role chaining caps a session at one hour
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining).
SESSION_SECONDS: Final = 3600
# 2-64 characters of [\w+=,.@-], ASCII (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
SESSION_NAME: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
# The source identity of the worker's own sessions.
OWN_IDENTITY: Final = "smas-verifier"
_MAX_SESSIONS: Final = 10_000
_MARGIN: Final = timedelta(seconds=60)


class PersonaSession(msgspec.Struct, frozen=True):
    """Credentials of one assumed session and when they end."""

    credentials: ReadOnlyCredentials
    expires_at: datetime

    def __repr__(self) -> str:
        """Without the credentials: what is written somewhere by mistake must open nothing."""
        return f"PersonaSession(expires_at={self.expires_at!r})"


_acting: ContextVar[ReadOnlyCredentials | None] = ContextVar("acting", default=None)


@contextmanager
def acting_as(session: PersonaSession) -> Iterator[None]:
    """Within the block, the shared S3 client signs as ``session``."""
    token = _acting.set(session.credentials)
    try:
        yield
    finally:
        _acting.reset(token)


class ActingCredentials(Credentials):
    """The credentials of whoever is being acted for; signing outside ``acting_as`` fails."""

    def __init__(self) -> None:
        super().__init__("nobody", "nobody", method="smas-persona")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The session bound right now. Raises ``RuntimeError`` if nobody is."""
        credentials = _acting.get()
        if credentials is None:
            message = "an S3 call outside of any persona's session"
            raise RuntimeError(message)
        return credentials


def session_name(principal: Principal) -> str:
    """The user's name where AWS accepts it as a session name, else the subject; never a mangled name."""
    name = principal.username
    return name if name and SESSION_NAME.fullmatch(name) else principal.subject


def _announce(principal: Principal, grant: Grant) -> None:
    """Say who will be acted for, before it happens: a session that no such line tells of is not ours."""
    audit.info(
        "session",
        extra={
            "audit": "session",
            "role": grant.role.value,
            "token_id": principal.token_id,
            "subject": principal.subject,
            "team": grant.team,
        },
    )


class Personas:
    """Assumes persona roles and keeps the sessions until a URL would outlive them."""

    def __init__(
        self,
        sts: STSClient,
        role_prefix: str,
        *,
        url_seconds: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sts = sts
        self._role_prefix = role_prefix
        self._useful = timedelta(seconds=url_seconds) + _MARGIN
        self._clock = clock
        self._sessions: OrderedDict[tuple[str, str, str | None], PersonaSession] = OrderedDict()
        self._lock = threading.Lock()

    def session(self, principal: Principal, grant: Grant) -> PersonaSession:
        """The caller's session under ``grant``. Raises ``Forbidden``, ``Throttled``, ``Unavailable``."""
        tags: list[TagTypeDef] = [{"Key": "jti", "Value": principal.token_id}]
        if grant.team:
            tags.append({"Key": "team", "Value": grant.team})
        key = (principal.subject, grant.role.value, grant.team)

        def announce() -> None:
            _announce(principal, grant)

        return self._cached(key, session_name(principal), principal.subject, tags, announce)

    def verifier(self, role: str) -> PersonaSession:
        """A session of one of the verifier's two roles, ``scanning`` or ``tagging``."""
        return self._own(f"verifier-{role}")

    def watch(self) -> PersonaSession:
        """A session of the role that looks for sessions nobody announced."""
        return self._own("watch")

    def _own(self, role: str) -> PersonaSession:
        """A session of a role in which the worker acts in its own name."""
        return self._cached((OWN_IDENTITY, role, None), role, OWN_IDENTITY, [])

    def _cached(
        self,
        key: tuple[str, str, str | None],
        name: str,
        identity: str,
        tags: list[TagTypeDef],
        announce: Callable[[], None] = lambda: None,
    ) -> PersonaSession:
        with self._lock:
            known = self._sessions.get(key)
            if known and known.expires_at - self._clock() > self._useful:
                self._sessions.move_to_end(key)
                metrics.add(metrics.SESSIONS_REUSED)
                return known
        # Outside the lock: one slow AssumeRole must not hold up everybody. Two at once are harmless.
        announce()
        metrics.add(metrics.SESSIONS_ASSUMED)
        session = self._assume(key[1], name, identity, tags)
        with self._lock:
            self._sessions[key] = session
            self._sessions.move_to_end(key)
            while len(self._sessions) > _MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def _assume(self, role: str, name: str, identity: str, tags: list[TagTypeDef]) -> PersonaSession:
        request: AssumeRoleRequestTypeDef = {
            "RoleArn": f"{self._role_prefix}{role}",
            "RoleSessionName": name,
            "SourceIdentity": identity,
            "DurationSeconds": SESSION_SECONDS,
        }
        if tags:  # an empty list would still be sent, and the verifier may not tag its sessions
            request["Tags"] = tags
        with translated("STS"):
            answer = self._sts.assume_role(**request)["Credentials"]
        frozen = ReadOnlyCredentials(
            answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], None
        )
        return PersonaSession(frozen, answer["Expiration"])
