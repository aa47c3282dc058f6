"""Aliases: one compare-and-set at a time, with a history, and protected ones apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from service.domain.models import Pointer, Settings
from service.domain.times import parsed
from service.domain.versions import Verdict, VersionState
from service.errors import Conflict, NotApproved, NotFound, Quarantined, ValidationFailed
from service.registry import aliases, keys, models
from service.registry.aliases import UNCHECKED
from service.registry.records import encode
from tests.fakes.in_memory import FakeObjectStore, InMemoryBucket
from tests.people import APPROVER, DS_FRAUD, principal
from tests.unit.registry.conftest import MODEL, NOW, publish, workspace

if TYPE_CHECKING:
    from service.domain.access import Principal


def move(
    bucket: InMemoryBucket,
    name: str,
    version: int,
    expected: object = UNCHECKED,
    *,
    at: datetime = NOW,
    who: Principal = DS_FRAUD,
    protected: bool = False,
) -> aliases.Alias:
    """Move an alias."""
    stores = workspace(bucket, who)
    return aliases.move(stores, MODEL, name, version, expected, at, protected=protected)  # type: ignore[arg-type]


def decide(bucket: InMemoryBucket, version: int, state: VersionState, reason: str | None = None) -> None:
    """Let the verifier have decided."""
    verdict = Verdict(version, "", state, reason, "2026-03-01T12:00:00Z")
    FakeObjectStore(bucket).create(keys.verdict(MODEL, version), encode(verdict))


def test_an_unprotected_alias_may_point_to_what_is_still_verifying(bucket: InMemoryBucket) -> None:
    """People need not wait to name what they just published."""
    publish(bucket, b"x")
    assert move(bucket, "champion", 1).pointer.version == 1


@pytest.mark.parametrize("state", [VersionState.REJECTED, VersionState.QUARANTINED])
def test_no_alias_moves_to_a_refused_version(bucket: InMemoryBucket, state: VersionState) -> None:
    """A version that will never be served gets no name; the reason is told."""
    publish(bucket, b"x")
    decide(bucket, 1, state, "because")
    with pytest.raises(Quarantined, match="because"):
        move(bucket, "champion", 1)


def test_a_version_must_exist(bucket: InMemoryBucket) -> None:
    """Aliases point to versions, not to numbers."""
    publish(bucket, b"x")
    with pytest.raises(NotFound):
        move(bucket, "champion", 2)


@pytest.mark.parametrize(
    ("now_at", "expected", "moves"),
    [
        (None, None, True),
        (None, 1, False),
        (1, 1, True),
        (1, None, False),
        (1, 2, False),
        (1, UNCHECKED, True),
    ],
)
def test_expectations_are_held_against_where_the_alias_points(
    bucket: InMemoryBucket, now_at: int | None, expected: object, *, moves: bool
) -> None:
    """A move happens only if the alias points where the mover believes; else nothing changes."""
    publish(bucket, b"x")
    publish(bucket, b"x")
    if now_at:
        move(bucket, "champion", now_at)
    if moves:
        assert move(bucket, "champion", 2, expected).pointer.version == 2
    else:
        with pytest.raises(Conflict):
            move(bucket, "champion", 2, expected)
        found = aliases.find_alias(FakeObjectStore(bucket), MODEL, "champion")
        assert (found.value.version if found else None) == now_at


def test_a_removed_alias_can_be_set_again_as_if_new(bucket: InMemoryBucket) -> None:
    """After removal "must not exist" holds, and the history tells all three moves and who made them."""
    publish(bucket, b"x")
    move(bucket, "champion", 1)
    aliases.remove(workspace(bucket), MODEL, "champion", NOW, protected=False)
    with pytest.raises(NotFound):
        aliases.read(workspace(bucket), MODEL, "champion")
    move(bucket, "champion", 1, None)
    told = aliases.history(workspace(bucket), MODEL, "champion", cursor=None, limit=10)
    assert [pointer.version for pointer in told.items] == [1, None, 1]
    assert {pointer.updated_by for pointer in told.items} == {DS_FRAUD.name}


def test_removing_what_does_not_exist_is_not_found(bucket: InMemoryBucket) -> None:
    """Also a second removal."""
    with pytest.raises(NotFound):
        aliases.remove(workspace(bucket), MODEL, "champion", NOW, protected=False)


def test_a_protected_alias_moves_only_to_anothers_available_version(bucket: InMemoryBucket) -> None:
    """Two people always saw it, and only after verification."""
    publish(bucket, b"x")
    with pytest.raises(NotApproved, match="verifying"):
        move(bucket, "production", 1, who=APPROVER, protected=True)
    decide(bucket, 1, VersionState.AVAILABLE)
    with pytest.raises(NotApproved, match="your own"):
        move(bucket, "production", 1, who=DS_FRAUD, protected=True)
    assert move(bucket, "production", 1, who=APPROVER, protected=True).protected


def test_a_move_that_was_refused_leaves_no_word_behind(bucket: InMemoryBucket) -> None:
    """Nobody has said anything for a version that the alias was not allowed to move to."""
    publish(bucket, b"x")
    decide(bucket, 1, VersionState.AVAILABLE)
    word = keys.move(MODEL, "production", 1, APPROVER.subject)
    with pytest.raises(Conflict):
        move(bucket, "production", 1, 7, who=APPROVER, protected=True)
    assert bucket.current(word) is None
    move(bucket, "production", 1, None, who=APPROVER, protected=True)
    assert bucket.current(word)


def test_what_a_data_scientist_wrote_under_a_protected_name_does_not_count(bucket: InMemoryBucket) -> None:
    """An object under ``aliases/`` never answers for a protected name, however it came there."""
    publish(bucket, b"x")
    move(bucket, "production", 1, protected=False)
    with pytest.raises(NotFound):
        aliases.read(workspace(bucket), MODEL, "production")
    assert aliases.list_aliases(workspace(bucket), MODEL, after=None, limit=10).items == ()


def test_protecting_an_alias_empties_it_until_an_approver_sets_it(bucket: InMemoryBucket) -> None:
    """Settings decide which class counts, from one moment to the next."""
    publish(bucket, b"x")
    decide(bucket, 1, VersionState.AVAILABLE)
    move(bucket, "champion", 1)
    models.govern(workspace(bucket, APPROVER), MODEL, Settings(protected_aliases=("champion",)))
    with pytest.raises(NotFound):
        aliases.read(workspace(bucket), MODEL, "champion")
    move(bucket, "champion", 1, who=APPROVER, protected=True)
    assert aliases.read(workspace(bucket), MODEL, "champion").pointer.updated_by == APPROVER.name


def test_aliases_of_both_classes_are_listed_together_by_name(bucket: InMemoryBucket) -> None:
    """Pages of any size show each alias once, in order."""
    publish(bucket, b"x")
    decide(bucket, 1, VersionState.AVAILABLE)
    models.govern(workspace(bucket, APPROVER), MODEL, Settings(protected_aliases=("beta", "zeta", "mid")))
    for name in ("alpha", "gamma", "omega", "removed"):
        move(bucket, name, 1)
    aliases.remove(workspace(bucket), MODEL, "removed", NOW, protected=False)
    for name in ("beta", "zeta", "mid"):
        move(bucket, name, 1, who=APPROVER, protected=True)
    move(bucket, "mid", 1, protected=False)
    for size in (1, 2, 3, 100):
        seen: list[tuple[str, bool]] = []
        after: str | None = None
        while True:
            page = aliases.list_aliases(workspace(bucket), MODEL, after=after, limit=size)
            assert len(page.items) <= size
            seen += [(alias.name, alias.protected) for alias in page.items]
            if page.next is None:
                break
            after = page.next
        names = {"alpha": False, "beta": True, "gamma": False, "mid": True, "omega": False, "zeta": True}
        assert seen == sorted(names.items()), size


def test_names_that_begin_like_others_are_not_lost_between_pages(bucket: InMemoryBucket) -> None:
    """Storage sorts ``a-b.json`` before ``a.json``; pages of any size still show every alias once."""
    publish(bucket, b"x")
    decide(bucket, 1, VersionState.AVAILABLE)
    models.govern(workspace(bucket, APPROVER), MODEL, Settings(protected_aliases=("m", "a-c")))
    for name in ("a-b", "a", "z"):
        move(bucket, name, 1)
    for name in ("m", "a-c"):
        move(bucket, name, 1, who=APPROVER, protected=True)
    for size in (1, 2, 3, 100):
        seen: list[str] = []
        after: str | None = None
        while True:
            page = aliases.list_aliases(workspace(bucket), MODEL, after=after, limit=size)
            seen += [alias.name for alias in page.items]
            if page.next is None:
                break
            after = page.next
        assert sorted(seen) == ["a", "a-b", "a-c", "m", "z"], size


def test_keys_that_begin_like_an_aliass_are_no_part_of_it(bucket: InMemoryBucket) -> None:
    """A team's own S3 session may write odd keys; list, history and time travel do not know them."""
    publish(bucket, b"x")
    move(bucket, "champion", 1)
    key = keys.alias(MODEL, "champion", protected=False)
    forged = encode(Pointer(7, "2020-01-01T00:00:00Z", "somebody", "sub"))
    for odd in (f"{key}x", f"{key}/champion.json", f"aliases/{MODEL}/sub/champion.json"):
        bucket.put(odd, forged)
    told = aliases.history(workspace(bucket), MODEL, "champion", cursor=None, limit=100)
    assert [pointer.version for pointer in told.items] == [1]
    listed = aliases.list_aliases(workspace(bucket), MODEL, after=None, limit=100)
    assert [(alias.name, alias.pointer.version) for alias in listed.items] == [("champion", 1)]
    with pytest.raises(NotFound):
        aliases.read(workspace(bucket), MODEL, "champion", NOW - timedelta(days=1))


def test_an_unreadable_move_does_not_take_the_history_away(bucket: InMemoryBucket) -> None:
    """What somebody wrote past the service is left out, the rest is told."""
    publish(bucket, b"x")
    bucket.put(keys.alias(MODEL, "champion", protected=False), b"junk")
    bucket.put(keys.alias(MODEL, "champion", protected=False), encode(Pointer(1, "t", "a", "b")))
    told = aliases.history(workspace(bucket), MODEL, "champion", cursor=None, limit=100)
    assert [pointer.version for pointer in told.items] == [1]


def test_a_move_whose_answer_was_lost_and_that_was_sent_again_succeeds(bucket: InMemoryBucket) -> None:
    """The adapter repeats a write that timed out; losing against oneself is no conflict."""
    publish(bucket, b"x")

    class Repeating(FakeObjectStore):
        """Loses the answer of each creation and sends it again."""

        def create(self, key: str, body: bytes) -> str:
            super().create(key, body)
            return super().create(key, body)

    stores = replace(workspace(bucket), objects=Repeating(bucket))
    moved = aliases.move(stores, MODEL, "champion", 1, None, NOW, protected=False)
    assert moved.pointer.version == 1


@pytest.mark.parametrize("cursor", ["x", "aliases/fraud/credit-risk/champion.json none", " id00000001", "k "])
def test_a_history_starts_only_from_a_place_of_its_own(bucket: InMemoryBucket, cursor: str) -> None:
    """A cursor that no page of this history gave out is refused before storage sees it."""
    publish(bucket, b"x")
    move(bucket, "champion", 1)
    with pytest.raises(ValidationFailed):
        aliases.history(workspace(bucket), MODEL, "champion", cursor=cursor, limit=10)


# Storage's clock is not the service's.
STORAGE_AHEAD = timedelta(seconds=2)


@hypothesis_settings(max_examples=30, stateful_step_count=20, deadline=None)
class AliasHistory(RuleBasedStateMachine):
    """Whatever moves happen, lists, history and time travel agree with a plain record of them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.bucket = InMemoryBucket(lambda: self.now + STORAGE_AHEAD)
        for _ in range(3):
            publish(self.bucket, b"x", who=principal("author", *DS_FRAUD.grants))
        self.moves: list[tuple[datetime, int | None]] = []

    def _current(self) -> int | None:
        return self.moves[-1][1] if self.moves else None

    @rule(seconds=st.integers(0, 3))
    def time_passes(self, seconds: int) -> None:
        """Also not at all: two moves within one second."""
        self.now += timedelta(seconds=seconds)

    @rule(version=st.integers(1, 3), expected=st.sampled_from([None, 1, 2, 3, UNCHECKED]))
    def move(self, version: int, expected: object) -> None:
        """A move succeeds exactly when the expectation holds."""
        if expected is UNCHECKED or expected == self._current():
            move(self.bucket, "champion", version, expected, at=self.now)
            self.moves.append((self.now, version))
        else:
            with pytest.raises(Conflict):
                move(self.bucket, "champion", version, expected, at=self.now)

    @rule()
    def remove(self) -> None:
        """A removal succeeds exactly when there is something to remove."""
        if self._current() is None:
            with pytest.raises(NotFound):
                aliases.remove(workspace(self.bucket), MODEL, "champion", self.now, protected=False)
        else:
            aliases.remove(workspace(self.bucket), MODEL, "champion", self.now, protected=False)
            self.moves.append((self.now, None))

    @invariant()
    def history_tells_every_move(self) -> None:
        """Newest first, none missing, none invented."""
        told: list[tuple[datetime, int | None]] = []
        cursor: str | None = None
        while self.moves:
            page = aliases.history(workspace(self.bucket), MODEL, "champion", cursor=cursor, limit=2)
            told += [(parsed(pointer.updated_at), pointer.version) for pointer in page.items]
            if page.next is None:
                break
            cursor = page.next
        assert told == self.moves[::-1]

    @invariant()
    def time_travel_agrees(self) -> None:
        """At any second, the alias was what the last move up to and including that second made it."""
        for moment in (NOW - timedelta(seconds=1), self.now - timedelta(seconds=1), self.now):
            then = [version for at, version in self.moves if at <= moment]
            wanted = then[-1] if then else None
            if wanted is None:
                with pytest.raises(NotFound):
                    aliases.read(workspace(self.bucket), MODEL, "champion", moment)
            else:
                found = aliases.read(workspace(self.bucket), MODEL, "champion", moment)
                assert found.pointer.version == wanted


TestAliasHistory = AliasHistory.TestCase
