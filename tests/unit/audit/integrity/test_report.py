"""What an auditor is answered: the proof and the sessions together, in time."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from service.audit.integrity.report import ALL_SECONDS, CHECK_SECONDS, integrity_report
from service.domain.access import Grant, Principal, Role
from tests.fakes.audit import FakeAuditWorkspaces
from tests.fakes.in_memory import InMemoryBucket
from tests.unit.audit.assumed import assumed
from tests.unit.audit.integrity.signed_trail import HOUR, MINUTE, NOON, SignedTrail

if TYPE_CHECKING:
    from service.audit.integrity.report import IntegrityReport

AUDITOR = Principal("sub-of-auditor", "auditor", "people", "jti", NOON, (Grant(Role.AUDITOR, None),))


def trail() -> SignedTrail:
    """Six hours, with a session that nobody announced in each."""
    trail = SignedTrail()
    for _ in range(6):
        key = trail.files.log(trail.now + MINUTE, [assumed(trail.now + MINUTE)])
        trail._listed.append(key)
        trail.logs.append(key)
        trail.hour(0)
    return trail


def report(trail: SignedTrail, seconds_a_look: float = 0.0) -> IntegrityReport:
    """The report of all six hours, by a clock that goes on with every look at it."""
    workspaces = FakeAuditWorkspaces(InMemoryBucket(), trail.files, trail.keys)
    looks = count()
    return integrity_report(
        workspaces.open(AUDITOR, AUDITOR.grants[0]),
        NOON,
        NOON + 6 * HOUR,
        now=NOON + 6 * HOUR,
        seconds=lambda: next(looks) * seconds_a_look,
    )


def test_with_time_enough() -> None:
    """Everything is checked, the sessions too."""
    found = report(trail())

    assert found.trail.valid
    assert found.trail.complete
    assert found.sessions
    assert (found.sessions.assumed, len(found.sessions.unknown)) == (6, 6)


def test_sessions_of_what_was_checked_alone() -> None:
    """Where the check ended, the sessions end, too."""
    found = report(trail(), CHECK_SECONDS / 12)

    assert not found.trail.complete
    assert NOON < found.trail.checked_until < NOON + 6 * HOUR
    assert found.sessions
    assert found.sessions.assumed == (found.trail.checked_until - NOON) // HOUR


def test_no_time_for_the_sessions() -> None:
    """Then it is told that they were not looked for, and the whole is no further than its beginning."""
    found = report(trail(), ALL_SECONDS / 20)

    assert found.sessions is None
    assert (found.trail.complete, found.trail.checked_until) == (False, NOON)
    assert [note.kind.value for note in found.trail.notes] == ["time_up", "sessions_unchecked"]
    assert found.trail.logs


def test_no_time_at_all() -> None:
    """Nothing is claimed."""
    found = report(trail(), CHECK_SECONDS)

    assert found.sessions is None
    assert (found.trail.complete, found.trail.checked_until) == (False, NOON)
    assert (found.trail.digests, found.trail.logs, found.trail.proved_until) == (0, 0, None)
