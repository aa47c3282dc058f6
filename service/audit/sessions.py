"""Sessions of personas that the service never announced: somebody else assumed the role.

Before the service assumes a persona for a caller it writes into its log for whom. What CloudTrail recorded as
assumed is held against those lines: same role, same token, same person, same team, at about the same time.
That finds who misuses the service's own right to assume roles, as long as they cannot write its log as well.

People who come through IAM are announced by nobody, and need not be: the roles' trust policies let them be no
one but whom the tags of their own session name (``infra/policies/trust-people.json``), and AWS itself holds
them to it. So theirs are known by the role that they come from.
"""

from __future__ import annotations

import logging
from bisect import insort
from collections import defaultdict
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from service.audit.log_files import UnreadableLogFile, delivered, records_in, text_of
from service.audit.regions import FilesOfRegion, regions
from service.domain.access import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from service.audit.log_files import LogFile, Record
    from service.audit.ports import ServiceLog, TrailFiles

log = logging.getLogger(__name__)

# The line comes first and the call within seconds, tried twice; the rest is for clocks that differ.
MARGIN: Final = timedelta(minutes=2)
# The newest of them are named; of the others there is a number.
MOST_NAMED: Final = 1_000
_BATCH: Final = 10_000
_SIDE_BY_SIDE: Final = 64
# A record may be delivered twice, in files near each other.
_REMEMBERED: Final = 50_000
_ACTION: Final = b'"AssumeRole"'
_Claim = tuple[str, str | None, str | None, str | None]


class UnknownSession(msgspec.Struct, frozen=True):
    """A persona's session as CloudTrail recorded it: whose it claims to be, and who asked for it from where.

    ``time`` is UTC in whole seconds, ``role`` the persona, ``token_id`` the ``jti`` tag, ``subject`` the
    source identity, ``assumed_by`` the ARN of the caller; what the call did not name is None.
    """

    event_id: str
    time: datetime
    role: str
    token_id: str | None
    subject: str | None
    team: str | None
    session_name: str | None
    assumed_by: str | None
    source_ip: str | None


class SessionCheck(msgspec.Struct, frozen=True):
    """How many persona sessions were assumed, and those nobody announced, newest first.

    ``more`` counts unknown ones beyond the thousand that are named.
    """

    assumed: int
    unknown: tuple[UnknownSession, ...]
    more: int = 0


def check_sessions(
    files: TrailFiles,
    log: ServiceLog,
    role_prefix: str,
    start: datetime,
    end: datetime,
    *,
    people_roles: frozenset[str] = frozenset(),
) -> SessionCheck:
    """Hold every persona session assumed from ``start`` until before ``end`` against the service's log.

    ``role_prefix`` plus a persona's name is the ARN of its role; ``people_roles`` are the ARNs of those that
    people come from through IAM. All regions of the trail are read. Each log
    file is read once, and no more than ten thousand sessions are in memory. Raises what ``files`` and ``log``
    raise.
    """
    assumed, more = 0, 0
    unknown: list[UnknownSession] = []

    def of_the_range() -> Iterator[UnknownSession]:
        nonlocal assumed
        for session in assumed_sessions(files_of_all_regions(files, start, end), role_prefix):
            if start <= session.time < end:
                assumed += 1
                yield session

    for session in unannounced(of_the_range(), log, people_roles):
        insort(unknown, session, key=_age)
        if len(unknown) > MOST_NAMED:
            unknown.pop(0)
            more += 1
    return SessionCheck(assumed, tuple(reversed(unknown)), more)


def unannounced(
    sessions: Iterable[UnknownSession], log: ServiceLog, people_roles: frozenset[str] = frozenset()
) -> Iterator[UnknownSession]:
    """Those of ``sessions`` that no line of the service's log tells of, in no order.

    Not those of people who came from one of ``people_roles``.
    """
    theirs = tuple(map(_begins_with, people_roles))
    left = (session for session in sessions if not _through_iam(session, theirs))
    while batch := list(islice(left, _BATCH)):
        yield from _unmatched(batch, log)


def _unmatched(sessions: Sequence[UnknownSession], log: ServiceLog) -> Iterator[UnknownSession]:
    by_claim: dict[_Claim, list[UnknownSession]] = defaultdict(list)
    for session in sessions:
        by_claim[session.role, session.token_id, session.subject, session.team].append(session)
    times = [session.time for session in sessions]
    for line in log.sessions(min(times) - MARGIN, max(times) + MARGIN + timedelta(seconds=1)):
        claim = (line.role, line.token_id, line.subject, line.team)
        if claim in by_claim:
            by_claim[claim] = [each for each in by_claim[claim] if abs(each.time - line.time) > MARGIN]
    return chain.from_iterable(by_claim.values())


def _begins_with(role_arn: str) -> str:
    """What the ARN of a session of a role begins with: it has the role's name without its path.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    opening, _, path_and_name = role_arn.partition(":role/")
    return f"{opening.replace(':iam:', ':sts:')}:assumed-role/{path_and_name.rpartition('/')[2]}/"


def _through_iam(session: UnknownSession, theirs: tuple[str, ...]) -> bool:
    """Whether somebody came from a role of people's as those come: with a name, and without a token."""
    by_them = session.assumed_by is not None and session.assumed_by.startswith(theirs)
    return by_them and session.subject is not None and session.token_id is None


def _age(session: UnknownSession) -> tuple[datetime, str]:
    return session.time, session.event_id


def assumed_sessions(
    files: Iterable[tuple[TrailFiles, LogFile]], role_prefix: str
) -> Iterator[UnknownSession]:
    """The persona sessions that were assumed, each once, in the order of the files; none is known yet.

    A file that cannot be read is passed over with an error in the log; the digests tell what is wrong with
    it.
    """
    personas = {f"{role_prefix}{role}": role.value for role in Role}
    recent: dict[str, None] = {}
    for key, data in _read(iter(files)):
        if data is None:
            log.error("a log file of the trail is gone", extra={"key": key})
            continue
        try:
            text = text_of(data)
            found = records_in(text) if _ACTION in text else []
        except UnreadableLogFile as error:
            log.error("unreadable log file", extra={"key": key, "fault": str(error)})  # noqa: TRY400
            continue
        for record in found:
            session = _assumed(record, personas)
            if session is None or session.event_id in recent:
                continue
            recent[session.event_id] = None
            if len(recent) > _REMEMBERED:
                del recent[next(iter(recent))]
            yield session


def files_of_all_regions(
    files: TrailFiles, start: datetime, end: datetime
) -> Iterator[tuple[TrailFiles, LogFile]]:
    """The log files of every region that may hold events from ``start`` until before ``end``."""
    for region in regions(files):
        here = FilesOfRegion(files, region)
        for file in delivered(here, start, end):
            yield here, file


def _read(files: Iterator[tuple[TrailFiles, LogFile]]) -> Iterator[tuple[str, bytes | None]]:
    while some := list(islice(files, _SIDE_BY_SIDE)):
        keys = [file.key for _, file in some]
        yield from zip(keys, some[0][0].read_many(keys), strict=True)


def _assumed(record: Record, personas: dict[str, str]) -> UnknownSession | None:
    if (record.event_source, record.event_name) != ("sts.amazonaws.com", "AssumeRole") or record.error_code:
        return None
    asked = record.parameters
    role = personas.get(_text(asked.get("roleArn")) or "")
    if role is None:
        return None
    tags = _tags(asked.get("tags"))
    return UnknownSession(
        event_id=record.event_id,
        time=record.time,
        role=role,
        token_id=tags.get("jti"),
        subject=_text(asked.get("sourceIdentity")),
        team=tags.get("team"),
        session_name=_text(asked.get("roleSessionName")),
        assumed_by=record.user_identity.arn if record.user_identity else None,
        source_ip=record.source_ip,
    )


def _tags(value: Any) -> dict[str, str]:
    """Session tags by name; their names are not case-sensitive to AWS, their values are."""
    listed = value if isinstance(value, list) else []
    pairs = [(_text(tag.get("key")), _text(tag.get("value"))) for tag in listed if isinstance(tag, dict)]
    return {key.lower(): text for key, text in pairs if key and text is not None}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
