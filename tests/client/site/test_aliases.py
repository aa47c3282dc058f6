"""Aliases through the SDK: moved by compare-and-set, remembered, removed, also when answers get lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from smas.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable

from tests.client.site.fixtures import M

if TYPE_CHECKING:
    from pathlib import Path

    from smas.store import Store

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import WsgiTransport


@pytest.fixture
def store(stores: Stores, files: Path, wire: WsgiTransport) -> Store:
    """A data scientist's store with three versions of a model."""
    opened = stores.of("ds-fraud")
    for _ in range(3):
        opened.push(files / "model.bin", M)
    wire.sent.clear()
    return opened


def test_an_alias_moves_by_number_latest_and_other_alias(store: Store) -> None:
    """All three are ways to name the version; the answer says who moved it."""
    first = store.set_alias(M, "champion", 1)
    assert (first.alias, first.version, first.protected, first.updated_by) == (
        "champion",
        1,
        False,
        "ds-fraud",
    )
    assert store.set_alias(M, "champion", "latest").version == 3
    assert store.set_alias(M, "candidate", "champion").version == 3
    assert store.set_alias(M, "candidate", "2").version == 2
    assert store.alias(M, "candidate").version == 2
    assert [alias.alias for alias in store.aliases(M)] == ["candidate", "champion"]


def test_an_expectation_that_does_not_hold_changes_nothing(store: Store) -> None:
    """`expected=None` says it must not exist yet, a number where it must be."""
    store.set_alias(M, "champion", 1, expected=None)
    for expected in (None, 2):
        with pytest.raises(Conflict) as told:
            store.set_alias(M, "champion", 3, expected=expected)
        assert told.value.code == "conflict"
    assert store.alias(M, "champion").version == 1
    assert store.set_alias(M, "champion", 3, expected=1).version == 3
    with pytest.raises(Conflict):
        store.set_alias(M, "challenger", 3, expected=1)


def test_history_and_the_past_are_kept(store: Store) -> None:
    """Every move stays known, also that somebody removed it; a time finds what was true then."""
    moved = store.set_alias(M, "champion", 1)
    store.set_alias(M, "champion", 2)
    store.remove_alias(M, "champion")
    history = list(store.alias_history(M, "champion"))
    assert [move.version for move in history] == [None, 2, 1]
    assert {move.updated_by for move in history} == {"ds-fraud"}
    with pytest.raises(NotFound):
        store.alias(M, "champion")
    with pytest.raises(NotFound):
        store.alias(M, "champion", at="2020-01-01T00:00:00Z")
    with pytest.raises(Invalid):
        store.alias(M, "champion", at="yesterday")
    store.set_alias(M, "other", 3)
    assert store.alias(M, "other", at="9999-12-31T23:59:59Z").version == 3
    assert moved.version == 1


@pytest.mark.parametrize("alias", ["latest", "Champion", "a b", "-x", ""])
def test_names_that_no_alias_has_are_refused_here(store: Store, wire: WsgiTransport, alias: str) -> None:
    """Nothing is sent for them."""
    calls = (
        lambda: store.alias(M, alias),
        lambda: store.set_alias(M, alias, 1),
        lambda: store.remove_alias(M, alias),
        lambda: list(store.alias_history(M, alias)),
    )
    for call in calls:
        with pytest.raises(Invalid):
            call()
    assert wire.sent == []


def test_what_cannot_be_pointed_at(store: Store) -> None:
    """A version, an alias, a model that does not exist; removing what is not there."""
    for ref in (9, "none"):
        with pytest.raises(NotFound):
            store.set_alias(M, "champion", ref)
    with pytest.raises(NotFound):
        list(store.aliases("fraud/none"))
    with pytest.raises(NotFound):
        store.remove_alias(M, "champion")


def test_protected_aliases_are_the_approvers(store: Store, stores: Stores) -> None:
    """A data scientist may neither move nor remove `production`; an approver may."""
    with pytest.raises(Forbidden):
        store.set_alias(M, "production", 1)
    moved = stores.of("approver-fraud").set_alias(M, "production", 1)
    assert moved.protected
    with pytest.raises(Forbidden):
        store.remove_alias(M, "production")
    assert store.alias(M, "production").version == 1


def test_one_s_own_version_is_not_approved(stores: Stores, files: Path) -> None:
    """Two people see what goes to production, whatever roles one holds; the error tells what is missing."""
    both = stores.of("ds-and-approver")
    both.push(files / "model.bin", M)
    with pytest.raises(Conflict) as told:
        both.set_alias(M, "production", 1)
    assert told.value.code == "not_approved"
    assert "somebody else" in told.value.hint


def test_a_lost_answer_to_a_move_is_no_conflict(store: Store, wire: WsgiTransport) -> None:
    """The repetition finds the alias moved, by the very request whose answer was lost."""
    store.set_alias(M, "champion", 1)
    wire.lose_answers("PUT", "/aliases/champion")
    assert store.set_alias(M, "champion", 2, expected=1).version == 2
    wire.lose_answers("PUT", "/aliases/new")
    assert store.set_alias(M, "new", 2, expected=None).version == 2
    assert len(wire.requests("PUT", "/aliases/new")) == 2
    assert [move.version for move in store.alias_history(M, "champion")] == [2, 1]


def test_a_lost_answer_excuses_no_real_conflict(store: Store, stores: Stores, wire: WsgiTransport) -> None:
    """If somebody else moved it meanwhile, that is told: the answer to the lost try was no."""
    store.set_alias(M, "champion", 1)
    stores.of("ds-fraud-2").set_alias(M, "champion", 3)
    wire.lose_answers("PUT", "/aliases/champion")
    with pytest.raises(Conflict) as told:
        store.set_alias(M, "champion", 2, expected=1)
    assert told.value.repeated
    assert store.alias(M, "champion").version == 3


def test_a_lost_answer_to_a_removal_is_no_error(store: Store, wire: WsgiTransport) -> None:
    """Gone is gone; the history shows one removal."""
    store.set_alias(M, "champion", 1)
    wire.lose_answers("DELETE", "/aliases/champion")
    store.remove_alias(M, "champion")
    assert [move.version for move in store.alias_history(M, "champion")] == [None, 1]


def test_a_store_that_never_answers_is_unavailable(store: Store, wire: WsgiTransport) -> None:
    """After all tries the error says so, with the request's id, and what the store did is not guessed at."""
    wire.drop("PUT", "/aliases/champion", times=100)
    with pytest.raises(Unavailable, match="no whole answer") as told:
        store.set_alias(M, "champion", 1)
    sent = wire.requests("PUT", "/aliases/champion")
    assert len(sent) == 4
    assert {one.headers["X-Request-Id"] for one in sent} == {told.value.request_id}
    wire.clear()
    assert list(store.aliases(M)) == []
