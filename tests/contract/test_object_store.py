"""What every ``ObjectStore`` promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from service.ports import MAX_RECORD_BYTES, KeyChanged, KeyExists, KeyMissing
from service.registry import keys

if TYPE_CHECKING:
    from tests.contract.conftest import Stores


def alias(stores: Stores, name: str = "champion") -> str:
    """A key the persona may write and replace."""
    return keys.alias(stores.model, name, protected=False)


def test_a_created_record_reads_back(stores: Stores) -> None:
    """Body, etag and version come back as they were written."""
    etag = stores.objects.create(alias(stores), b'{"a": 1}')
    record = stores.objects.get(alias(stores))
    assert (record.key, record.body, record.etag) == (alias(stores), b'{"a": 1}', etag)
    assert stores.objects.get(alias(stores), record.version_id) == record


def test_a_missing_record_is_missing(stores: Stores) -> None:
    """For keys and for versions, one by one and among others."""
    with pytest.raises(KeyMissing):
        stores.objects.get(alias(stores))
    stores.objects.create(alias(stores), b"{}")
    present = stores.objects.get(alias(stores))
    found = stores.objects.get_many([(alias(stores, "none"), None), (alias(stores), None)])
    assert found == [None, present]


def test_nothing_is_created_twice(stores: Stores) -> None:
    """The second creation changes nothing."""
    stores.objects.create(alias(stores), b"first")
    with pytest.raises(KeyExists):
        stores.objects.create(alias(stores), b"second")
    assert stores.objects.get(alias(stores)).body == b"first"


def test_of_many_creators_exactly_one_wins(stores: Stores) -> None:
    """Creation is atomic."""

    def attempt(n: int) -> bool:
        try:
            stores.objects.create(alias(stores), str(n).encode())
        except KeyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(16))) == 1


def test_only_the_expected_state_is_replaced(stores: Stores) -> None:
    """A stale etag, or none to replace, changes nothing."""
    first = stores.objects.create(alias(stores), b"1")
    second = stores.objects.replace(alias(stores), b"2", first)
    assert second != first
    with pytest.raises(KeyChanged):
        stores.objects.replace(alias(stores), b"3", first)
    with pytest.raises(KeyChanged):
        stores.objects.replace(alias(stores, "none"), b"3", first)
    assert stores.objects.get(alias(stores)).body == b"2"


def test_of_many_replacers_exactly_one_wins(stores: Stores) -> None:
    """Compare-and-set is atomic."""
    etag = stores.objects.create(alias(stores), b"0")

    def attempt(n: int) -> bool:
        try:
            stores.objects.replace(alias(stores), f"by {n}".encode(), etag)
        except KeyChanged:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(16))) == 1


def test_lists_are_sorted_pages(stores: Stores) -> None:
    """Every key under the prefix once, in order, whatever the page size; nothing of the neighbours'."""
    names = [f"a{n}" for n in range(7)]
    for name in reversed(names):
        stores.objects.create(alias(stores, name), b"{}")
    neighbour = type(stores.model)(stores.model.team, stores.model.model + "x")
    stores.objects.create(keys.alias(neighbour, "a0", protected=False), b"{}")
    for size in (1, 3, 7, 1000):
        seen: list[str] = []
        after: str | None = None
        while True:
            page = stores.objects.entries(
                keys.aliases(stores.model, protected=False), after=after, limit=size
            )
            assert len(page.items) <= size
            seen += [entry.key for entry in page.items]
            if page.next is None:
                break
            after = page.next
        assert seen == [alias(stores, name) for name in names]


def test_history_is_newest_first_in_pages(stores: Stores) -> None:
    """Every state a record ever had, newest first, each still readable."""
    etag = stores.objects.create(alias(stores), b"0")
    for n in range(1, 5):
        etag = stores.objects.replace(alias(stores), str(n).encode(), etag)
    bodies: list[bytes] = []
    cursor: str | None = None
    while True:
        page = stores.objects.versions(alias(stores), limit=2, cursor=cursor)
        bodies += [stores.objects.get(entry.key, entry.version_id).body for entry in page.items]
        assert all(entry.size == 1 for entry in page.items)
        if page.next is None:
            break
        cursor = page.next
    assert bodies == [b"4", b"3", b"2", b"1", b"0"]


def test_a_deleted_record_is_gone_but_remembered(stores: Stores) -> None:
    """It is in no list, can be created anew, and its history stays. Deleting nothing is harmless."""
    key = keys.upload(stores.model, "a" * 64)
    stores.objects.create(key, b"old")
    stores.objects.delete(key)
    with pytest.raises(KeyMissing):
        stores.objects.get(key)
    assert stores.objects.entries(keys.uploads(stores.model)).items == ()
    stores.objects.create(key, b"new")
    bodies = [stores.objects.get(e.key, e.version_id).body for e in stores.objects.versions(key).items]
    assert bodies == [b"new", b"old"]
    stores.objects.delete(key)
    stores.objects.delete(key)


def test_tags_belong_to_one_version(stores: Stores) -> None:
    """Setting replaces all tags of that version and of no other; a missing version is missing."""
    key = keys.blob(stores.model, "a" * 64)
    for n in range(2):
        upload_id = stores.blobs.start_multipart(key)
        ticket = stores.blobs.part_tickets(key, upload_id, [1])[0]
        _, etag = stores.send(ticket, f"version {n}".encode())
        stores.blobs.complete(key, upload_id, [(1, etag)])
    new, old = stores.objects.versions(key).items
    stores.tagging.set_tags(key, old.version_id, {"smas-state": "verified", "smas-release": "yes"})
    stores.tagging.set_tags(key, old.version_id, {"smas-state": "verified"})
    pairs = [(key, new.version_id), (key, old.version_id)]
    assert stores.objects.tags_many(pairs) == [{}, {"smas-state": "verified"}]
    with pytest.raises(KeyMissing):
        stores.objects.tags(keys.blob(stores.model, "b" * 64), new.version_id)


def test_versions_of_several_keys_come_at_once(stores: Stores) -> None:
    """In order, empty where there is none, and nothing of keys that merely begin the same."""
    etag = stores.objects.create(alias(stores, "a"), b"1")
    stores.objects.replace(alias(stores, "a"), b"2", etag)
    stores.objects.create(alias(stores, "ab"), b"3")
    names = [alias(stores, "ab"), alias(stores, "none"), alias(stores, "a")]
    found = stores.objects.versions_of(names)
    assert [[entry.key for entry in entries] for entries in found] == [
        [names[0]],
        [],
        [names[2], names[2]],
    ]


def test_a_record_is_read_no_further_than_the_longest_one_there_is(stores: Stores) -> None:
    """Whatever somebody put under a record's key does not fill the memory of its readers."""
    stores.objects.create(alias(stores), b"1" * (MAX_RECORD_BYTES + 1))
    assert len(stores.objects.get(alias(stores)).body) == MAX_RECORD_BYTES


def test_first_keys_of_several_prefixes_come_at_once(stores: Stores) -> None:
    """In order, None where there is none."""
    for name in ("b", "a", "c"):
        stores.objects.create(alias(stores, name), b"{}")
    prefixes = [keys.aliases(stores.model, protected=False), keys.uploads(stores.model)]
    assert [entry and entry.key for entry in stores.objects.first_of(prefixes)] == [alias(stores, "a"), None]
