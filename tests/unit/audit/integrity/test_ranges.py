"""An untouched trail is valid whatever its shape; each range is answered for what it is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from service.audit.integrity.report import checked_range
from service.errors import ValidationFailed
from tests.fakes.audit import IDENTITY, FakeTrailFiles
from tests.unit.audit.integrity.signed_trail import (
    AWS,
    DAY,
    HOUR,
    MALLORY,
    MINUTE,
    NOON,
    SignedTrail,
    named,
    noted,
)

if TYPE_CHECKING:
    from service.audit.integrity.checking import Integrity


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.integers(0, 3), st.integers(1, 40).map(lambda hours: timedelta(hours=hours))),
        max_size=30,
    ),
    st.sampled_from(["", "audit/"]),
)
def test_an_untouched_trail_is_valid(steps: list[int | timedelta], prefix: str) -> None:
    """Of any shape: hours with and without log files, and times off; each file is counted once."""
    trail = SignedTrail(FakeTrailFiles(replace(IDENTITY, prefix=prefix)))
    trail.hour()
    for step in steps:
        if isinstance(step, timedelta):
            trail.off(step)
        else:
            trail.hour(step)
    found = trail.check(end=max(trail.now, NOON + HOUR))

    assert found.valid
    assert found.complete
    assert named(found) == []
    assert (found.digests, found.logs) == (len(trail.digests), len(trail.logs))
    assert {kind for kind, _ in noted(found)} <= {"gap", "digest_overdue"}
    assert trail.files.lists


@given(st.permutations(range(6)))
def test_the_order_of_a_list_does_not_matter(order: list[int]) -> None:
    """Digests are put in the order of the time they end."""
    trail = SignedTrail().hours(1, 1, 1, 1, 1, 1)
    bodies = trail.files.bodies
    shuffled = [trail.digests[place] for place in order]
    trail.files.bodies = {**{key: bodies[key] for key in shuffled}, **bodies}
    listed = trail.files.files

    def in_that_order(prefix: str, *, after: str | None = None, limit: int = 1000) -> object:
        page = listed(prefix, after=after, limit=limit)
        there = list(trail.files.bodies)
        return replace(page, items=tuple(sorted(page.items, key=lambda file: there.index(file.key))))

    trail.files.files = in_that_order  # type: ignore[method-assign, assignment]  # the same page, shuffled
    found = trail.check()

    assert found.valid
    assert (found.digests, found.logs) == (6, 6)


def test_a_time_off_is_a_note() -> None:
    """From when to when is told; the chains before and after are valid."""
    trail = SignedTrail().hours(1, 1).off(5 * HOUR).hours(1, 1)
    found = trail.check()

    assert found.valid
    assert noted(found) == [("gap", trail.digests[2])]
    assert "2026-01-31T14:00:00Z to 2026-01-31T19:00:00Z" in found.notes[0].message
    assert (found.digests, found.logs) == (4, 4)


def test_where_the_chain_begins_is_a_note() -> None:
    """Of the time before nothing is proved."""
    trail = SignedTrail().hours(1, 1)
    found = trail.check(NOON - 6 * HOUR)

    assert found.valid
    assert noted(found) == [("chain_begins", trail.digests[0])]
    assert found.proved_from == NOON


def test_a_range_before_a_chain_begins() -> None:
    """Nothing is proved of it, and by CloudTrail's word nothing can be; without that word it is a problem."""
    trail = SignedTrail().hours(1, 1).off(3 * DAY).hours(1, 1, 1)
    before, between = (NOON - 2 * DAY, NOON - DAY), (NOON + DAY, NOON + 2 * DAY)

    for (start, end), first in ((before, trail.digests[0]), (between, trail.digests[2])):
        found = trail.check(start, end, now=trail.now)
        assert found.valid
        assert found.complete
        assert noted(found) == [("chain_begins", first)]
        assert (found.digests, found.proved_until) == (0, None)

    trail.resign(trail.digests[2], MALLORY)
    assert named(trail.check(*between, now=trail.now)) == [("no_digests", None)]
    del trail.files.bodies[trail.digests[2]]
    assert named(trail.check(*between, now=trail.now)) == [("no_digests", None)]


def test_a_young_trail_has_no_digest_yet() -> None:
    """That is no sign of tampering until two hours after its first log file."""
    trail = SignedTrail()
    trail.deliver(minutes=5)
    trail.deliver(minutes=30)

    found = trail.check(NOON - DAY, NOON + HOUR, now=NOON + HOUR)
    assert (found.valid, found.proved_until) == (True, None)
    assert noted(found) == [("not_yet_proved", None)]
    late = NOON + 2 * HOUR + 5 * MINUTE
    assert trail.check(NOON - DAY, late, now=late).valid
    late += MINUTE
    assert named(trail.check(NOON - DAY, late, now=late)) == [("no_digests", None)]


def test_which_digests_a_range_has() -> None:
    """All that end in it, both ends counted, and those of the hour after it, as the tool has it."""
    trail = SignedTrail().hours(*[1] * 8)
    found = trail.check(NOON + 2 * HOUR, NOON + 4 * HOUR)

    assert found.digests == 4  # those that end at 14:00, 15:00, 16:00 and 17:00
    assert (found.proved_from, found.proved_until) == (NOON + 2 * HOUR, NOON + 4 * HOUR)
    assert trail.check(NOON + 2 * HOUR + MINUTE, NOON + 4 * HOUR - MINUTE).digests == 2


def test_a_digest_missing_before_the_range_is_not_its_matter() -> None:
    """What a range needs is there."""
    trail = SignedTrail().hours(1, 1, 1, 1)
    del trail.files.bodies[trail.digests[0]]

    assert trail.check(NOON + HOUR + MINUTE).valid
    assert named(trail.check(NOON + HOUR)) == [("digest_missing", trail.digests[0])]


def test_what_is_not_proved_yet() -> None:
    """The proof reaches as far as the newest digest."""
    trail = SignedTrail().hours(1, 1)
    trail.deliver(minutes=20)
    found = trail.check()

    assert found.valid
    assert found.complete
    assert found.proved_until == NOON + 2 * HOUR < found.end
    assert found.notes == ()


def test_other_files_in_the_bucket_do_not_matter() -> None:
    """Digests of other trails and regions, and what is no digest's name."""
    trail = SignedTrail().hours(1, 1)
    for key in list(trail.digests):
        for other in (
            key.replace("_smas_", "_smas-2_"),
            key.replace("_smas_", "_other_"),
            key.replace(".json.gz", ".json.gz.bak"),
            key.replace("T1", "T9"),
            key.replace("eu-central-1", "eu-west-1"),
        ):
            trail.files.bodies[other] = b"nothing"
    found = trail.check()

    assert found.valid
    assert found.digests == 2


def test_a_stray_digest_is_passed_over() -> None:
    """The chain leads past a file that somebody added to it, as in the tool."""
    trail = SignedTrail().hours(1, 1, 1)
    trail.files.bodies[trail.digests[1].replace("T140000Z", "T143000Z")] = b"nothing"
    found = trail.check()

    assert found.valid
    assert found.digests == 3


def test_a_trail_that_delivered_elsewhere() -> None:
    """What is in another bucket is named and not looked into; what is here is checked all the same."""
    trail = SignedTrail().hours(1, 1, 1)
    logs = [{**log, "s3Bucket": "old"} for log in trail.document(trail.digests[1])["logFiles"]]
    trail.resign(trail.digests[1], AWS, previousDigestS3Bucket="old", logFiles=logs)
    trail.resign(trail.digests[2], AWS, previousDigestHashValue=None)
    trail.resign(trail.digests[1], AWS, previousDigestHashValue="0" * 64)
    found = trail.check()

    assert found.valid
    assert (found.digests, found.logs) == (3, 2)
    assert noted(found) == [("digest_elsewhere", trail.digests[1]), ("log_elsewhere", trail.digests[1])]


def test_a_log_file_that_no_digest_lists() -> None:
    """Is told of once the digest of its hour and one more are there, and is no fault."""
    trail = SignedTrail().hours(1)
    planted = trail.files.log(trail.now + 30 * MINUTE, [{"eventID": "made up"}])
    trail.hour(1)
    assert trail.check().notes == ()
    trail.hour(1)
    found = trail.check()

    assert found.valid
    assert noted(found) == [("log_unlisted", planted)]


def test_a_log_file_that_a_later_digest_lists() -> None:
    """Is no stranger."""
    trail = SignedTrail().hours(1)
    late = trail.files.log(trail.now + 30 * MINUTE, [{"eventID": "late"}])
    trail.hours(1, 1)
    trail._listed.append(late)
    trail.hours(1, 1)

    assert trail.check().notes == ()


def test_log_files_of_a_time_without_digest_are_not_named_one_by_one() -> None:
    """The missing digest is the problem."""
    trail = SignedTrail().hours(2, 2, 2, 2, 2)
    del trail.files.bodies[trail.digests[2]]
    found = trail.check()

    assert named(found) == [("digest_missing", trail.digests[2])]
    assert found.notes == ()


def test_backfill_digests() -> None:
    """They list what came late, in a chain of their own, signed with the key of the day they were made."""
    trail = SignedTrail().hours(1, 1, 1, 1)
    logs = [trail.late(NOON + HOUR, NOON + 4 * HOUR), trail.late(NOON + 3 * HOUR, NOON + 4 * HOUR)]
    found = trail.check()

    assert found.valid
    assert found.notes == ()
    assert (found.digests, found.logs) == (6, 6)

    trail.files.log(NOON, [])  # another one changes nothing
    trail.files.bodies[logs[0]] = b""
    assert named(trail.check()) == [("log_changed", logs[0])]
    del trail.files.bodies[trail.backfills[0]]
    assert named(trail.check()) == [("digest_missing", trail.backfills[0])]
    del trail.files.attached[trail.backfills[1]]["backfill-generation-timestamp"]
    trail.keys.keys = {MALLORY.fingerprint: MALLORY.public}
    assert ("digest_unreadable", trail.backfills[1]) in named(trail.check())


def test_no_key_is_known() -> None:
    """Then no digest proves anything."""
    trail = SignedTrail().hours(1, 1)
    trail.keys.keys = {AWS.fingerprint: b"no key", MALLORY.fingerprint: MALLORY.public}

    assert {kind for kind, _ in named(trail.check())} == {"signature_invalid"}
    trail.keys.keys = {}
    assert {kind for kind, _ in named(trail.check())} == {"key_unknown"}


@given(st.integers(0, 60))
def test_a_check_whose_time_is_up_goes_on_where_it_ended(files_in_time: int) -> None:
    """From its beginning to where it ended everything was checked; the parts together are the whole."""
    trail = SignedTrail().hours(*[2] * 6)
    victim = trail.logs[7]
    trail.files.bodies[victim] = b""
    parts: list[Integrity] = []
    start = NOON
    while not parts or not parts[-1].complete:
        parts.append(trail.check(start, files_in_time=files_in_time))
        if parts[-1].checked_until <= start:
            break
        start = parts[-1].checked_until

    for part in parts:
        if not part.complete:
            assert noted(part) == [("time_up", None)]
            assert part.proved_until is None or part.proved_until == part.checked_until
    if parts[-1].complete:
        assert {file for part in parts for _, file in named(part)} == {victim}
    if files_in_time > 20:
        assert parts[-1].complete


def test_more_digests_than_one_check_holds() -> None:
    """The oldest are checked, and it is told up to when."""
    trail = SignedTrail().hours(*[1] * 7)
    found = trail.check(most=3)

    assert (found.valid, found.complete) == (True, False)
    assert found.checked_until == found.proved_until == NOON + 3 * HOUR
    assert (found.digests, found.logs) == (3, 3)
    assert trail.check(most=7).complete


@pytest.mark.parametrize(
    ("start", "end", "place"),
    [
        (NOON, NOON, "from"),
        (NOON, NOON - HOUR, "from"),
        (NOON - 7 * DAY - timedelta(seconds=1), NOON, "from"),
        (NOON + HOUR, NOON + 2 * HOUR, "from"),
        (None, NOON.replace(year=1, month=1, day=1), "to"),
    ],
)
def test_ranges_that_are_refused(start: object, end: object, place: str) -> None:
    """Empty, longer than seven days, in the future."""
    with pytest.raises(ValidationFailed) as caught:
        checked_range(start, end, NOON)  # type: ignore[arg-type]  # times, or none
    assert [fault.location for fault in caught.value.errors] == [place]


def test_the_range_by_default() -> None:
    """The last 24 hours."""
    now = NOON.replace(microsecond=5)
    assert checked_range(None, None, now) == (NOON - DAY, NOON)
    assert checked_range(NOON - 7 * DAY, None, now) == (NOON - 7 * DAY, NOON)
    assert checked_range(None, NOON - DAY, now) == (NOON - 2 * DAY, NOON - DAY)
