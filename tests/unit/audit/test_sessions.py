"""Sessions nobody announced: each is found, and none that the service made is taken for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from service.audit.regions import regions
from service.audit.sessions import MARGIN, MOST_NAMED, SessionCheck, check_sessions
from service.domain.access import Role
from tests.fakes.audit import FakeServiceLog, FakeTrailFiles
from tests.unit.audit.assumed import HOUR, MINUTE, NOON, PREFIX, SECOND, announced, assumed

if TYPE_CHECKING:
    from datetime import datetime

    from service.domain.audit import AnnouncedSession


def check(
    records: list[dict[str, Any]],
    lines: list[AnnouncedSession],
    start: datetime = NOON - HOUR,
    end: datetime = NOON + HOUR,
) -> SessionCheck:
    """The check over one log file and some lines."""
    files = FakeTrailFiles()
    files.log(NOON + 5 * MINUTE, records)
    return check_sessions(files, FakeServiceLog(announced=lines), PREFIX, start, end)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("offset", [-1, 0, 3])
def test_an_announced_session_is_known(role: Role, offset: int) -> None:
    """Of every persona: the line came moments before, give or take what clocks differ."""
    line = announced(NOON - offset * SECOND, role=role.value)

    assert check([assumed(role=role.value)], [line]) == SessionCheck(1, ())


@pytest.mark.parametrize(
    "claim",
    [
        {"jti": "made-up"},
        {"jti": None},
        {"subject": "somebody-else"},
        {"subject": None},
        {"role": "compliance", "team": None},
        {"team": "nlp"},
        {"team": None},
        {"time": NOON + MARGIN + SECOND},
        {"time": NOON - MARGIN - SECOND},
    ],
    ids=str,
)
def test_a_session_that_differs_from_every_line_is_unknown(claim: dict[str, Any]) -> None:
    """Another token, person, role or team, none at all, or a line from another time: all must agree."""
    record = assumed(**claim)

    found = check([record, assumed()], [announced()])

    assert (found.assumed, [each.event_id for each in found.unknown]) == (2, [record["eventID"]])


def test_an_unknown_session_says_all_the_record_tells() -> None:
    """Whose it claims to be, who asked for it, from where and when."""
    (unknown,) = check([assumed(jti="made-up")], []).unknown

    assert unknown.role == "data-scientist"
    assert (unknown.token_id, unknown.subject, unknown.team) == ("made-up", "sub-of-ds-fraud", "fraud")
    assert (unknown.session_name, unknown.source_ip) == ("ds-fraud", "203.0.113.7")
    assert unknown.time == NOON
    assert unknown.assumed_by is not None
    assert unknown.assumed_by.endswith(":assumed-role/smas-service/smas-service")


@pytest.mark.parametrize(
    "record",
    [
        assumed(role="verifier-scanning", jti=None, team=None, subject="smas-verifier"),
        assumed(role="watch", jti=None, team=None, subject="smas-verifier"),
        assumed(role="service", jti=None, team=None, subject=None),
        assumed(role="data-scientist-too"),
        assumed(error="AccessDenied"),
        {**assumed(), "eventName": "GetCallerIdentity"},
        {**assumed(), "eventSource": "example.amazonaws.com"},
        {**assumed(), "requestParameters": None},
        {**assumed(), "requestParameters": {"roleArn": 7, "tags": "AssumeRole"}},
    ],
    ids=range(9),
)
def test_what_is_no_personas_session_is_none_of_its_business(record: dict[str, Any]) -> None:
    """The worker's own roles, refused calls, other calls; no odd record ends the check."""
    assert check([record], []) == SessionCheck(0, ())


def test_the_range_has_its_start_and_not_its_end() -> None:
    """Sessions outside of the range are not counted, though their lines are looked for beyond it."""
    records = [assumed(NOON - SECOND), assumed(NOON), assumed(NOON + HOUR)]

    found = check(records, [announced(NOON - SECOND)], NOON, NOON + HOUR)

    assert found == SessionCheck(1, ())


def test_every_region_is_read() -> None:
    """Whoever asks another region's STS is found as well."""
    files = FakeTrailFiles()
    for region in ("ap-south-1", "eu-central-1", "us-east-1"):
        here = FakeTrailFiles(replace(files.trail, region=region), files.bodies)
        here.log(NOON, [assumed(event_id=region)])

    found = check_sessions(files, FakeServiceLog(), PREFIX, NOON - HOUR, NOON + HOUR)

    assert list(regions(files)) == ["ap-south-1", "eu-central-1", "us-east-1"]
    assert {each.event_id for each in found.unknown} == {"ap-south-1", "eu-central-1", "us-east-1"}


def test_a_record_that_is_delivered_twice_is_one() -> None:
    """In one file or in two."""
    files, record = FakeTrailFiles(), assumed()
    files.log(NOON, [record, record])
    files.log(NOON + MINUTE, [record])

    found = check_sessions(files, FakeServiceLog(), PREFIX, NOON - HOUR, NOON + HOUR)

    assert (found.assumed, len(found.unknown)) == (1, 1)


def test_broken_files_hide_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """A file that is no log file is named in the log; the others are read all the same."""
    files = FakeTrailFiles()
    broken = files.put(NOON + MINUTE, b"no gzip")
    files.log(NOON, [assumed()])

    found = check_sessions(files, FakeServiceLog(), PREFIX, NOON - HOUR, NOON + HOUR)

    assert found.assumed == 1
    assert [vars(line)["key"] for line in caplog.records if line.message == "unreadable log file"] == [broken]


def test_a_thousand_are_named_newest_first_and_the_rest_are_counted() -> None:
    """However many there are, the answer and the memory stay small."""
    records = [assumed(NOON + number * SECOND) for number in range(MOST_NAMED + 5)]

    found = check(records, [])

    assert (found.assumed, len(found.unknown), found.more) == (MOST_NAMED + 5, MOST_NAMED, 5)
    assert [each.time for each in found.unknown[:2]] == [
        NOON + (MOST_NAMED + 4) * SECOND,
        NOON + (MOST_NAMED + 3) * SECOND,
    ]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 600), st.booleans()), max_size=30))
def test_exactly_those_without_a_line_near_them_are_unknown(sessions: list[tuple[str, int, bool]]) -> None:
    """The check agrees with its definition, for any mixture of tokens, times and lines."""
    records = [assumed(NOON + second * SECOND, jti=jti) for jti, second, _ in sessions]
    lines = [announced(NOON + second * SECOND, token_id=jti) for jti, second, told in sessions if told]

    found = check(records, lines)

    wanted = {
        record["eventID"]
        for record, (jti, second, _) in zip(records, sessions, strict=True)
        if not any(
            line.token_id == jti and abs(line.time - NOON - second * SECOND) <= MARGIN for line in lines
        )
    }
    assert {each.event_id for each in found.unknown} == wanted
