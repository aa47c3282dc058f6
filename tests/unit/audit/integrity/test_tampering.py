"""Whatever is done to the trail's files is found, and the file is named."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.integrity.signed_trail import (
    AWS,
    HOUR,
    MALLORY,
    MINUTE,
    NOON,
    SignedTrail,
    named,
    noted,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def changed(trail: SignedTrail, key: str) -> None:
    """The file says something else."""
    text = gzip.decompress(trail.files.bodies[key])
    trail.files.bodies[key] = gzip.compress(text.replace(b"GetObject", b"PutObject"))


def truncated(trail: SignedTrail, key: str) -> None:
    """The file ends in the middle."""
    trail.files.bodies[key] = trail.files.bodies[key][:-30]


def emptied(trail: SignedTrail, key: str) -> None:
    """Nothing is left in the file."""
    trail.files.bodies[key] = b""


def no_gzip(trail: SignedTrail, key: str) -> None:
    """The file is something else."""
    trail.files.bodies[key] = b"nothing happened"


def replaced(trail: SignedTrail, key: str) -> None:
    """The file is another genuine one."""
    trail.files.bodies[key] = trail.files.bodies[next(log for log in trail.logs if log != key)]


def deleted(trail: SignedTrail, key: str) -> None:
    """The file is gone."""
    del trail.files.bodies[key]


def endless(trail: SignedTrail, key: str) -> None:
    """The file unpacks to more than any log file has."""
    trail.files.bodies[key] = gzip.compress(bytes(129 * 1024 * 1024), compresslevel=1)


@pytest.mark.parametrize(
    ("tamper", "kind"),
    [
        (changed, "log_changed"),
        (truncated, "log_changed"),
        (emptied, "log_changed"),
        (replaced, "log_changed"),
        (no_gzip, "log_unreadable"),
        (endless, "log_unreadable"),
        (deleted, "log_missing"),
    ],
)
def test_a_log_file(tamper: Callable[[SignedTrail, str], None], kind: str) -> None:
    """Is named, and no other; the others are checked all the same."""
    trail = SignedTrail().hours(2, 2, 2)
    tamper(trail, trail.logs[3])
    found = trail.check()

    assert not found.valid
    assert named(found) == [(kind, trail.logs[3])]
    assert (found.digests, found.logs) == (3, 6)
    assert len(found.problems[0].message) > 40


def without_logs(trail: SignedTrail, key: str) -> None:
    """The digest lists no log files, under the signature it had."""
    text = json.dumps({**trail.document(key), "logFiles": []})
    trail.files.bodies[key] = gzip.compress(text.encode())


def unsigned(trail: SignedTrail, key: str) -> None:
    """The digest's signature is gone."""
    trail.files.attached[key] = {}


def signed_by_another(trail: SignedTrail, key: str) -> None:
    """The digest lists nothing, and is signed with a key of somebody else's."""
    trail.resign(key, MALLORY, logFiles=[])


def signed_in_anothers_name(trail: SignedTrail, key: str) -> None:
    """The same, but the digest says that CloudTrail's key signed it."""
    trail.resign(key, MALLORY, AWS.fingerprint, logFiles=[])


def other_signature(trail: SignedTrail, key: str) -> None:
    """The digest is as it was, its signature is that of another."""
    trail.files.attached[key] = trail.files.attached[trail.digests[0]]


def not_hexadecimal(trail: SignedTrail, key: str) -> None:
    """The signature is no number at all."""
    trail.files.attached[key] = {**trail.files.attached[key], "signature": "genuine"}


def other_fields(trail: SignedTrail, key: str) -> None:
    """JSON, but no digest."""
    trail.files.bodies[key] = gzip.compress(b'{"logFiles": []}')


def other_time(trail: SignedTrail, key: str) -> None:
    """A digest's end is no time."""
    text = json.dumps({**trail.document(key), "digestEndTime": "noon"})
    trail.files.bodies[key] = gzip.compress(text.encode())


DIGEST_CASES: list[tuple[Callable[[SignedTrail, str], None], str]] = [
    (deleted, "digest_missing"),
    (emptied, "digest_unreadable"),
    (no_gzip, "digest_unreadable"),
    (truncated, "digest_unreadable"),
    (other_fields, "digest_unreadable"),
    (other_time, "digest_unreadable"),
    (without_logs, "digest_changed"),
    (signed_in_anothers_name, "digest_changed"),
    (unsigned, "digest_unsigned"),
    (signed_by_another, "key_unknown"),
    (other_signature, "signature_invalid"),
    (not_hexadecimal, "signature_invalid"),
]


@pytest.mark.parametrize(("tamper", "kind"), DIGEST_CASES)
def test_a_digest(tamper: Callable[[SignedTrail, str], None], kind: str) -> None:
    """Is named; what the others prove is proved."""
    trail = SignedTrail().hours(2, 2, 2, 2)
    victim = trail.digests[1]
    tamper(trail, victim)
    found = trail.check()

    assert not found.valid
    assert named(found) == [(kind, victim)]
    assert (found.digests, found.logs) == (4, 6)
    assert found.notes == ()
    assert found.proved_until == NOON + 4 * HOUR


@pytest.mark.parametrize(
    ("tamper", "kind"),
    [
        (without_logs, "signature_invalid"),
        (signed_in_anothers_name, "signature_invalid"),
        (signed_by_another, "key_unknown"),
        (unsigned, "digest_unsigned"),
    ],
)
def test_the_newest_digest(tamper: Callable[[SignedTrail, str], None], kind: str) -> None:
    """No other digest signs for it, but its own signature does; the proof ends before it."""
    trail = SignedTrail().hours(1, 1, 1)
    tamper(trail, trail.digests[-1])
    found = trail.check()

    assert named(found) == [(kind, trail.digests[-1])]
    assert found.proved_until == NOON + 2 * HOUR


def test_a_digest_that_cloudtrail_signed_anew() -> None:
    """Even signed with the right key, it is not the one for which the next digest signed."""
    trail = SignedTrail().hours(1, 1, 1)
    trail.resign(trail.digests[1], AWS, logFiles=[])

    assert named(trail.check()) == [("digest_changed", trail.digests[1])]


def test_digests_that_changed_places() -> None:
    """Both are named: a digest says where it belongs."""
    trail = SignedTrail().hours(1, 1, 1, 1)
    first, second = trail.digests[1:3]
    for kept in (trail.files.bodies, trail.files.attached):
        values: dict[str, object] = dict(kept)
        kept.update({first: values[second], second: values[first]})  # type: ignore[dict-item]  # either's own
    found = trail.check()

    assert sorted(named(found)) == [("digest_moved", first), ("digest_moved", second)]
    assert found.digests == 4


def test_several_digests_deleted_in_a_row() -> None:
    """The one that the next remaining names is missed; of those before nothing is known, as in the tool."""
    trail = SignedTrail().hours(1, 1, 1, 1, 1)
    for key in trail.digests[1:4]:
        deleted(trail, key)
    found = trail.check()

    assert named(found) == [("digest_missing", trail.digests[3])]
    assert noted(found) == []


def test_all_digests_deleted() -> None:
    """Nothing is proved, and that is not valid once a digest is due; before that it is only said."""
    trail = SignedTrail().hours(1, 1, 1)
    for key in trail.digests:
        deleted(trail, key)
    found = trail.check()

    assert named(found) == [("no_digests", None)]
    assert not found.valid
    assert (found.proved_from, found.proved_until) == (None, None)
    young = trail.check(trail.now - HOUR)
    assert young.valid
    assert noted(young) == [("not_yet_proved", None)]


def test_the_newest_digests_deleted() -> None:
    """Nothing signs for them, so it is no fault, but it is told how far the proof reaches and what is due."""
    trail = SignedTrail().hours(1, 1, 1, 1, 1)
    for key in trail.digests[2:]:
        deleted(trail, key)
    found = trail.check()

    assert found.valid
    assert noted(found) == [("digest_overdue", trail.digests[1])]
    assert found.proved_until == NOON + 2 * HOUR
    assert trail.check(end=NOON + 4 * HOUR - MINUTE, now=NOON + 4 * HOUR - MINUTE).notes == ()


@pytest.mark.parametrize(("cut", "added"), [(1, b""), (8, b""), (0, b"more")])
def test_the_gzip_around_a_log_file(cut: int, added: bytes) -> None:
    """Is not signed: nothing is wrong, but readers who want it whole may stumble, so it is told."""
    trail = SignedTrail().hours(1, 1)
    body = trail.files.bodies[trail.logs[0]]
    trail.files.bodies[trail.logs[0]] = body[: len(body) - cut] + added
    found = trail.check()

    assert found.valid
    assert noted(found) == [("log_damaged", trail.logs[0])]


def test_a_digest_that_changes_during_the_check() -> None:
    """What was found right is read again for its log files, and must be the same."""
    trail = SignedTrail().hours(1, 1)
    victim, reads = trail.digests[0], trail.files.reads
    read = trail.files.read

    def read_changed(key: str) -> bytes:
        if key == victim and victim in reads:
            without_logs(trail, victim)
        return read(key)

    trail.files.read = read_changed  # type: ignore[method-assign]  # between two reads of one file
    assert named(trail.check()) == [("digest_changed", victim)]


def test_what_is_too_much_to_name_is_counted() -> None:
    """All log files of a month may be gone; the answer stays one that can be read."""
    trail = SignedTrail()
    for _ in range(1_100):
        trail.deliver(minutes=0)
    trail.hour(0)
    for key in trail.logs:
        deleted(trail, key)
    found = trail.check()

    assert (len(found.problems), found.more_problems) == (1_000, 100)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    """In the text of any log file or digest: that file is named, and it alone."""
    trail = SignedTrail().hours(2, 0, 1).off(3 * HOUR).hours(1, 2)
    victim = data.draw(st.sampled_from(trail.digests + trail.logs))
    text = bytearray(gzip.decompress(trail.files.bodies[victim]))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    trail.files.bodies[victim] = gzip.compress(bytes(text))
    found = trail.check()

    assert not found.valid
    assert [file for _, file in named(found)] == [victim]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_of_a_file_as_it_is_stored(data: st.DataObject) -> None:
    """It is named, unless the byte is one of gzip's own that changes nothing of the text."""
    trail = SignedTrail().hours(1, 1)
    victim = data.draw(st.sampled_from(trail.digests + trail.logs))
    body = bytearray(trail.files.bodies[victim])
    before = gzip.decompress(body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    trail.files.bodies[victim] = bytes(body)
    try:
        same = zlib.decompress(body, 16 + zlib.MAX_WBITS) == before
    except zlib.error:
        same = False

    assert [file for _, file in named(trail.check())] == ([] if same else [victim])
