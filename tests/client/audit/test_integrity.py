"""`smas audit integrity`: the whole range is checked, and told in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smas.errors import Invalid

from tests.client.audit.store import whole

if TYPE_CHECKING:
    from smas.store import Store

    from tests.client.audit.conftest import AuditCommand
    from tests.client.audit.store import AuditStore

START = datetime(2026, 11, 1, tzinfo=UTC)
LOG = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/02/111122223333_CloudTrail_x.json.gz"
CHANGED = {
    "kind": "log_changed",
    "file": LOG,
    "message": "The hash of this log file is not the one in its digest.",
}
NO_DIGESTS = {"kind": "no_digests", "file": None, "message": "No digest covers this range."}
BEGINS = {"kind": "chain_begins", "file": "a-digest", "message": "The chain of digests begins here."}
TIME_UP = {"kind": "time_up", "file": None, "message": "Time was up."}
DAY = "from 2026-11-01T00:00:00Z to 2026-11-02T00:00:00Z"
WAITING = "what came later waits for its digest, one an hour"
SESSION = {
    "time": "2026-11-02T11:00:00Z",
    "role": "data-scientist",
    "session_name": "ds-fraud",
    "subject": "the-subject",
    "team": "fraud",
    "token_id": None,
    "assumed_by": "arn:aws:iam::111122223333:user/admin",
    "source_ip": "203.0.113.9",
    "event_id": "e",
}


def written(moment: datetime) -> str:
    """RFC 3339."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def with_(query: dict[str, str], **changed: Any) -> dict[str, Any]:
    """The answer of a store where something is worth telling."""
    everything = {
        "complete": True,
        "checked_until": query["to"],
        "proved_from": query["from"],
        "proved_until": query["to"],
        "notes": [],
        "more_problems": 0,
        "more_notes": 0,
        "sessions": {"assumed": 3, "unknown": [], "more": 0},
    }
    found = {**whole(query), **everything, **changed}
    return {**found, "valid": not found["problems"]}


def test_a_sound_trail_is_told_in_a_line(audit: AuditCommand, store: AuditStore) -> None:
    """What was checked, how far the proof reaches, and the sessions; exit code 0."""
    store.integrity = lambda query: with_(query, proved_until="2026-11-02T23:00:00Z")
    ended = audit.done("integrity", "--since", "2026-11-01", "--until", "2026-11-03")
    assert ended.out.splitlines() == [
        "valid: 24 digests and 288 log files, from 2026-11-01T00:00:00Z to 2026-11-03T00:00:00Z",
        f"proved from 2026-11-01T00:00:00Z until 2026-11-02T23:00:00Z; {WAITING}",
        "sessions: 3 sessions of the store's personas, all announced by it",
    ]
    assert store.asked == [
        ("/v1/audit/integrity", {"from": "2026-11-01T00:00:00Z", "to": "2026-11-03T00:00:00Z"})
    ]


def test_the_last_day_is_the_default(audit: AuditCommand, store: AuditStore) -> None:
    """As of the store: 24 hours before the end of the range."""
    audit.done("integrity")
    audit.done("integrity", "--until", "2026-11-03")
    (_, now), (_, then) = store.asked
    span = datetime.fromisoformat(now["to"]) - datetime.fromisoformat(now["from"])
    assert span == timedelta(hours=24)
    assert then == {"from": "2026-11-02T00:00:00Z", "to": "2026-11-03T00:00:00Z"}


def test_each_problem_is_told_with_its_file(audit: AuditCommand, store: AuditStore) -> None:
    """Exit code 1; the file, what it means, and what is only worth knowing apart from it."""
    store.integrity = lambda query: with_(
        query, problems=[CHANGED, NO_DIGESTS], notes=[BEGINS], more_problems=5
    )
    ended = audit("integrity", "--since", "2026-11-01", "--until", "2026-11-02")
    assert ended.code == 1
    assert ended.out.splitlines() == [
        f"NOT VALID: 7 problems in 24 digests and 288 log files, {DAY}",
        f"  {LOG}",
        "    The hash of this log file is not the one in its digest.",
        "  no_digests",
        "    No digest covers this range.",
        "  and 5 more",
        "proved from 2026-11-01T00:00:00Z until 2026-11-02T00:00:00Z",
        "note: The chain of digests begins here.",
        "  a-digest",
        "sessions: 3 sessions of the store's personas, all announced by it",
    ]
    assert ended.err == ""


def test_sessions_nobody_announced_are_told(audit: AuditCommand, store: AuditStore) -> None:
    """Exit code 1 although every file is right: who, claiming what, from where."""
    store.integrity = lambda query: with_(query, sessions={"assumed": 9, "unknown": [SESSION], "more": 2})
    ended = audit("integrity")
    assert ended.code == 1
    assert ended.out.startswith("valid: ")
    assert ended.out.splitlines()[-4:] == [
        "UNKNOWN SESSIONS: 3 of 9 were never announced by the store",
        "  2026-11-02T11:00:00Z  data-scientist, session ds-fraud, source identity the-subject, team fraud",
        "    assumed by arn:aws:iam::111122223333:user/admin from 203.0.113.9",
        "  and 2 more",
    ]


def test_json_is_one_answer_about_the_whole_range(audit: AuditCommand, store: AuditStore) -> None:
    """The fields of the API, whatever number of parts it took; the exit code too."""
    store.integrity = lambda query: with_(
        query, problems=[CHANGED], sessions={"assumed": 1, "unknown": [SESSION], "more": 1}
    )
    ended = audit("integrity", "--since", "2026-11-01", "--until", "2026-11-15", "--json")
    assert ended.code == 1
    assert ended.json == {
        "valid": False,
        "digests": 48,
        "logs": 576,
        "from": "2026-11-01T00:00:00Z",
        "to": "2026-11-15T00:00:00Z",
        "problems": [CHANGED],
        "notes": [],
        "more_problems": 0,
        "more_notes": 0,
        "complete": True,
        "checked_until": "2026-11-15T00:00:00Z",
        "proved_from": "2026-11-01T00:00:00Z",
        "proved_until": "2026-11-15T00:00:00Z",
        "sessions": {"assumed": 2, "unknown": [SESSION], "more": 2},
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    hours=st.integers(1, 24 * 40),
    most_hours=st.integers(1, 300),
    slow=st.sets(st.integers(0, 30), max_size=5),
)
def test_every_second_is_checked_in_order(
    sdk: Store, store: AuditStore, hours: int, most_hours: int, slow: set[int]
) -> None:
    """Parts of at most seven days, each where the last one ended, wherever the store's time was up."""
    checked: list[tuple[str, str]] = []

    def answer(query: dict[str, str]) -> dict[str, Any]:
        begin, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        assert timedelta() < end - begin <= timedelta(days=7)
        until = min(begin + timedelta(hours=most_hours), end)
        if len(store.asked) in slow and end - begin > timedelta(hours=1):
            until = begin
        if until > begin:
            checked.append((written(begin), written(until)))
        complete = until == end
        return with_(
            query, complete=complete, checked_until=written(until), notes=[] if complete else [TIME_UP]
        )

    store.integrity = answer
    store.asked.clear()
    end = START + timedelta(hours=hours)
    found = sdk.audit_integrity(START, end)
    assert checked[0][0] == written(START)
    assert checked[-1][1] == written(end)
    assert [one[1] for one in checked[:-1]] == [one[0] for one in checked[1:]]
    assert (found.start, found.end, found.complete, found.sound) == (written(START), written(end), True, True)
    assert found.logs == 288 * len(checked)
    assert found.notes == []


def test_what_can_not_be_checked_is_no_success(audit: AuditCommand, store: AuditStore) -> None:
    """A store whose time is up at once, even for an hour: exit code 1, and from where it is unknown."""

    def answer(query: dict[str, str]) -> dict[str, Any]:
        until = max(query["from"], "2026-11-02T00:00:00Z")
        return with_(query, complete=False, checked_until=until, notes=[TIME_UP])

    store.integrity = answer
    ended = audit("integrity", "--since", "2026-11-01", "--until", "2026-11-05")
    assert ended.code == 1
    assert ended.out.startswith("valid as far as it was checked: ")
    assert "NOT CHECKED: what is later than 2026-11-02T00:00:00Z" in ended.out
    assert len(store.asked) < 10


@pytest.mark.parametrize(("begins", "code"), [(True, 0), (False, 1)])
def test_a_time_before_the_trail_is_no_problem(
    audit: AuditCommand, store: AuditStore, code: int, *, begins: bool
) -> None:
    """If the first digest says that the chain begins with it; else those before it were deleted."""

    def answer(query: dict[str, str]) -> dict[str, Any]:
        if query["from"] < "2026-11-15T00:00:00Z":
            return with_(query, problems=[NO_DIGESTS], digests=0, logs=0, proved_from=None, proved_until=None)
        return with_(query, notes=[BEGINS] if begins else [])

    store.integrity = answer
    ended = audit("integrity", "--since", "2026-11-01", "--until", "2026-11-30")
    assert ended.code == code
    assert (
        "note: 2026-11-01T00:00:00Z to 2026-11-15T00:00:00Z: No digest covers this range." in ended.out
    ) is begins
    assert ("NOT VALID: 1 problem" in ended.out) is not begins
    assert "proved from 2026-11-15T00:00:00Z until 2026-11-30T00:00:00Z" in ended.out


def test_no_digest_at_all_is_a_problem(audit: AuditCommand, store: AuditStore) -> None:
    """However many parts say so."""
    store.integrity = lambda query: with_(query, problems=[NO_DIGESTS], digests=0)
    for until in ("2026-11-02", "2026-11-30"):
        assert audit("integrity", "--since", "2026-11-01", "--until", until).code == 1


def test_impossible_ranges_are_refused(audit: AuditCommand, sdk: Store, store: AuditStore) -> None:
    """Before anything is asked."""
    assert audit("integrity", "--since", "2026-11-02", "--until", "2026-11-02").code == 7
    assert audit("integrity", "--since", "9999-01-01").code == 7
    assert audit("integrity", "--since", "soon").code == 2
    with pytest.raises(Invalid):
        sdk.audit_integrity("2026-11-02")
    assert store.asked == []


def test_an_older_answer_is_enough(audit: AuditCommand) -> None:
    """The contract's fields alone: what a store does not say is not told."""
    ended = audit.done("integrity", "--since", "2026-11-01", "--until", "2026-11-02")
    assert len(ended.out.splitlines()) == 1


def test_no_text_of_others_steers_the_terminal(audit: AuditCommand, store: AuditStore) -> None:
    """Names in the bucket and of sessions are whatever somebody wrote."""
    hostile = dict.fromkeys(SESSION, "\x1b[2J\u202e")
    problem = {"kind": "log_changed", "file": "\x1b]0;x\x07", "message": "m"}
    store.integrity = lambda query: with_(
        query, problems=[problem], sessions={"assumed": 1, "unknown": [hostile], "more": 0}
    )
    assert not set(audit("integrity").out) & {"\x1b", "\u202e", "\x07"}
