"""Looking at and describing what the store holds, through the SDK."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest
from smas.errors import Forbidden, Invalid, NotFound, NotSignedIn, Unavailable, WrongUsage
from smas.store import Store

from tests.client.site.fixtures import M, sparse
from tests.web.conftest import PUBLIC_URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import WsgiTransport


def test_people_and_machines_learn_who_they_are(stores: Stores) -> None:
    """Name, roles and permissions of a person; a machine has a client id and no user name."""
    person = stores.of("ds-fraud").whoami()
    assert (person.username, person.subject) == ("ds-fraud", "sub-of-ds-fraud")
    assert [(role.role, role.team) for role in person.roles] == [("data-scientist", "fraud")]
    assert "version:publish" in person.permissions
    machine = stores.of("machine").whoami()
    assert (machine.username, machine.client_id) == (None, "machine-client")
    assert [(role.role, role.team) for role in machine.roles] == [("deployer", "fraud")]
    everywhere = stores.of("compliance").whoami()
    assert [(role.role, role.team) for role in everywhere.roles] == [("compliance", None)]


def test_a_token_that_the_store_refuses_is_not_signed_in(wire: WsgiTransport) -> None:
    """A token nobody can renew ends in one request and says what to do."""
    store = Store(PUBLIC_URL, token="no.such.token", transport=wire)
    with pytest.raises(NotSignedIn) as told:
        store.whoami()
    assert told.value.code == "unauthenticated"
    assert told.value.request_id == wire.sent[0].headers["X-Request-Id"]
    assert len(wire.sent) == 1


def test_models_are_listed_by_team_and_prefix(stores: Stores, files: Path) -> None:
    """One sees one's teams' models, of a team, or whose names begin alike."""
    for model in ("fraud/a-1", "fraud/a-2", "fraud/b"):
        stores.of("ds-fraud").push(files / "model.bin", model)
    stores.of("ds-nlp").push(files / "model.bin", "nlp/n")
    both = stores.of("ds-both")
    assert [model.id for model in both.models()] == ["fraud/a-1", "fraud/a-2", "fraud/b", "nlp/n"]
    assert [model.id for model in both.models("fraud")] == ["fraud/a-1", "fraud/a-2", "fraud/b"]
    assert [model.id for model in both.models("fraud", prefix="a-")] == ["fraud/a-1", "fraud/a-2"]
    assert [model.id for model in stores.of("ds-nlp").models()] == ["nlp/n"]
    with pytest.raises(NotFound):
        list(stores.of("ds-nlp").models("fraud"))
    assert list(both.models("nlp", prefix="none")) == []
    described = both.model("fraud/b")
    assert (described.latest_version, described.created_by) == (1, "ds-fraud")


def test_lists_run_over_all_pages(stores: Stores, wire: WsgiTransport, files: Path) -> None:
    """However short the store's pages are, iterators give everything once and in order, page by page."""
    store = stores.of("ds-fraud")
    for number in range(1, 6):
        store.push(files / "model.bin", M, message=f"number {number}")
        store.push(files / "model.bin", f"fraud/model-{number}")
        store.set_alias(M, f"alias-{number}", number)
        store.set_alias(M, "champion", number)
    wire.page = 2
    wire.sent.clear()
    assert [model.name for model in store.models()] == ["credit-risk", *(f"model-{n}" for n in range(1, 6))]
    assert len(wire.sent) == 3
    assert [version.version for version in store.versions(M)] == [5, 4, 3, 2, 1]
    assert [alias.alias for alias in store.aliases(M)] == [*(f"alias-{n}" for n in range(1, 6)), "champion"]
    assert [move.version for move in store.alias_history(M, "champion")] == [5, 4, 3, 2, 1]
    wire.sent.clear()
    assert [version.version for version in islice(store.versions(M), 2)] == [5, 4]
    assert len(wire.sent) == 1


def test_open_uploads_and_held_parts_run_over_pages(
    stores: Stores, wire: WsgiTransport, tmp_path: Path
) -> None:
    """Also a page without a single item may have a next one."""
    store = stores.of("ds-fraud")
    wire.drop("PUT", "memory://part|", times=1000)
    for start in (b"one", b"two", b"three"):
        with pytest.raises(Unavailable):
            store.push(sparse(tmp_path / "large.bin", start=start), M)
    every = {upload.sha256 for upload in store.open_uploads(M)}
    assert len(every) == 3
    gone = min(every)
    (ended,) = [upload for upload in store.open_uploads(M) if upload.sha256 == gone]
    # As S3's lifecycle rule does, without telling the store.
    del wire.site.bucket.uploads[ended.upload_id]
    wire.page = 1
    assert {upload.sha256 for upload in store.open_uploads(M)} == every - {gone}
    wire.clear()
    wire.drop("PUT", "|3", times=4)
    with pytest.raises(Unavailable):
        stores.of("ds-fraud", connections=1).push(tmp_path / "large.bin", M)
    wire.sent.clear()
    assert stores.of("ds-fraud").push(tmp_path / "large.bin", M).sent_bytes == 1
    assert len(wire.requests("GET", "/parts?")) >= 2


def test_versions_are_read_by_number_alias_and_latest(stores: Stores, files: Path) -> None:
    """All three name the same thing here; a model without a ref means its latest version."""
    store = stores.of("ds-fraud")
    store.push(files / "model.bin", M)
    store.push(files, M, alias="champion")
    newest = store.version(f"{M}@2")
    assert store.version(f"{M}@champion") == newest
    assert store.version(f"{M}@latest") == newest
    assert store.version(M) == newest
    assert newest.total_size == sum(file.size for file in newest.files)
    summary = next(iter(store.versions(M)))
    assert (summary.version, summary.file_count, summary.revision) == (2, 4, newest.revision)


@pytest.mark.parametrize("reference", ["fraud", "Fraud/m", "fraud/m@", "fraud/m@0", "fraud/m@A", "a/../x"])
def test_names_that_cannot_be_are_refused_here(stores: Stores, wire: WsgiTransport, reference: str) -> None:
    """Nothing is asked of the store for a name it could not have given."""
    with pytest.raises(Invalid):
        stores.of("ds-fraud").version(reference)
    assert wire.sent == []


def test_two_versions_are_compared(stores: Stores, files: Path) -> None:
    """Files added, removed and changed; metadata by dotted key, absent values as None."""
    store = stores.of("ds-fraud")
    store.push(files, M, metadata={"metrics": {"auc": 0.9, "old": 1}, "same": True})
    (files / "model.bin").write_bytes(b"better")
    (files / "empty").unlink()
    (files / "new").write_bytes(b"new")
    store.push(files, M, metadata={"metrics": {"auc": 0.95, "new": [1]}, "same": True})
    found = store.diff(f"{M}@1", f"{M}@2")
    assert (found.before, found.after, found.unchanged) == (f"{M}@1", f"{M}@2", 2)
    assert [file.path for file in found.added] == ["new"]
    assert [file.path for file in found.removed] == ["empty"]
    assert [(file.path, file.size) for file in found.changed] == [("model.bin", 6)]
    assert found.metadata == {
        "metrics.auc": [0.9, 0.95],
        "metrics.old": [1, None],
        "metrics.new": [None, [1]],
    }
    nothing = store.diff(f"{M}@2", f"{M}@latest")
    assert (nothing.added, nothing.removed, nothing.changed, nothing.metadata) == ([], [], [], {})


def test_description_and_tags_are_merged(stores: Stores, files: Path) -> None:
    """What is not named stays, a tag of None goes, and nothing at all is refused here."""
    store = stores.of("ds-fraud")
    store.push(files / "model.bin", M)
    edited = store.edit(M, description="Ausfallrisiko ☂", tags={"owner": "risk", "stage": "test"})
    assert (edited.description, edited.tags) == ("Ausfallrisiko ☂", {"owner": "risk", "stage": "test"})
    edited = store.edit(M, tags={"stage": None, "tier": "1"})
    assert (edited.description, edited.tags) == ("Ausfallrisiko ☂", {"owner": "risk", "tier": "1"})
    assert store.edit(M, description="").description == ""
    assert store.model(M).tags == {"owner": "risk", "tier": "1"}
    with pytest.raises(WrongUsage, match="nothing to change"):
        store.edit(M)
    with pytest.raises(Invalid):
        store.edit(M, description="x" * 100_000)
    with pytest.raises(Forbidden):
        stores.of("auditor").edit(M, description="mine")


def test_a_store_says_where_it_is_and_nothing_else(stores: Stores) -> None:
    """Its representation is fit for a notebook that others see."""
    store = stores.of("ds-fraud")
    assert store.address == PUBLIC_URL
    assert repr(store) == f"Store('{PUBLIC_URL}')"
    assert store.token() not in repr(vars(store))


@pytest.mark.parametrize(
    "address",
    ["http://models.example.test", "models.example.test", "ftp://x", "https://", "http://10.0.0.1", ""],
)
def test_tokens_never_travel_unencrypted(stores: Stores, wire: WsgiTransport, address: str) -> None:
    """An address without https is refused before anything is sent, unless it is this machine's."""
    assert stores
    expected = WrongUsage if address else NotSignedIn
    with pytest.raises(expected):
        Store(address, token="t", transport=wire)
    assert Store("http://127.0.0.1:8080/", token="t", transport=wire).address == "http://127.0.0.1:8080"
    assert wire.sent == []
