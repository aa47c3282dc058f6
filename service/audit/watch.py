"""Looks again and again for persona sessions that nobody announced, and reports each once.

One look is a function of what the look before it left: a process keeps that in memory, a function that is
invoked anew each time keeps it elsewhere. A session is only suspected at first and is looked up again at the
next look, because its line may reach the log later than the trail's file its bucket.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from service.audit.sessions import assumed_sessions, files_of_all_regions, unannounced
from service.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from service.audit.log_files import LogFile
    from service.audit.ports import ServiceLog, TrailFiles
    from service.audit.sessions import UnknownSession

log = logging.getLogger(__name__)
audit = logging.getLogger("service.audit")

# How far back the first look goes, and how late a file may appear and still be read by a later one.
LOOK_BACK: Final = timedelta(hours=1)
# Far more than anybody reads; without a bound, a log that lost its lines would fill the memory.
MOST_SUSPECTS: Final = 10_000


class Looked(msgspec.Struct, frozen=True):
    """What a look leaves.

    ``files`` are those it read, by key, with their time of delivery; ``suspects`` are whom it suspects;
    ``reported`` are the sessions that were reported, by event id, with the time of that.
    """

    files: Mapping[str, datetime]
    suspects: tuple[UnknownSession, ...]
    reported: Mapping[str, datetime]


NOTHING: Final = Looked({}, (), {})


def look(
    looked: Looked,
    files: TrailFiles,
    log: ServiceLog,
    role_prefix: str,
    now: datetime,
    *,
    people_roles: frozenset[str] = frozenset(),
) -> tuple[Looked, tuple[UnknownSession, ...]]:
    """Read what was delivered since the last look: what to hand to the next one, and who is unknown.

    Raises what ``files`` and ``log`` raise; ``looked`` then stays as good as it was.
    """
    since = now - LOOK_BACK
    read = _recent(looked.files, since - LOOK_BACK)
    reported = _recent(looked.reported, since - LOOK_BACK)
    unknown = tuple(each for each in unannounced(looked.suspects, log) if each.event_id not in reported)
    reported |= {each.event_id: now for each in unknown}

    def new_ones() -> Iterator[tuple[TrailFiles, LogFile]]:
        for here, file in files_of_all_regions(files, since, now):
            if file.key not in looked.files:
                read[file.key] = file.delivered
                yield here, file

    assumed = assumed_sessions(new_ones(), role_prefix)
    suspects = islice(unannounced(assumed, log, people_roles), MOST_SUSPECTS)
    # First the suspects, which fills `read`.
    return Looked(suspects=tuple(suspects), files=read, reported=reported), unknown


def _recent(times: Mapping[str, datetime], since: datetime) -> dict[str, datetime]:
    return {name: time for name, time in times.items() if time >= since}


class Watch:
    """The looks of one process. ``open_audit`` gives trail and log in a session that is good for a look.

    ``people_roles`` are the ARNs of the roles that people come from through IAM.
    """

    def __init__(
        self,
        open_audit: Callable[[], tuple[TrailFiles, ServiceLog]],
        role_prefix: str,
        clock: Callable[[], datetime],
        *,
        people_roles: frozenset[str] = frozenset(),
    ) -> None:
        self._open = open_audit
        self._people_roles = people_roles
        self._role_prefix = role_prefix
        self._clock = clock
        self._looked = NOTHING
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def run(self, every_seconds: float) -> None:
        """Look at once and then every so often, until stopped."""
        while not self._stopping.is_set():
            self.look_once()
            self._stopping.wait(every_seconds)

    def look_once(self) -> None:
        """Look, and report. Failures are logged; the next look sees what this one missed."""
        try:
            files, service_log = self._open()
            self._looked, unknown = look(
                self._looked,
                files,
                service_log,
                self._role_prefix,
                self._clock(),
                people_roles=self._people_roles,
            )
        except StoreError as error:
            log.warning("watch interrupted", extra={"reason": error.detail})
        except Exception:
            # Whoever misuses the service's role must not be able to end the watch.
            log.exception("watch interrupted")
        else:
            for session in unknown:
                report(session)


def report(session: UnknownSession) -> None:
    """Write the line that a metric filter counts."""
    audit.error(
        "unknown session",
        extra={
            "audit": "unknown_session",
            "event_id": session.event_id,
            "event_time": session.time,
            "actor": session.session_name,
            "subject": session.subject,
            "role": session.role,
            "team": session.team,
            "token_id": session.token_id,
            "assumed_by": session.assumed_by,
            "source_ip": session.source_ip,
        },
    )
