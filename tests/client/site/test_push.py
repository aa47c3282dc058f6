"""Publishing through the SDK, against the real application."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from smas.errors import Forbidden, Invalid, NotFound, NotServed

from tests.client.site.answers import Given
from tests.client.site.fixtures import M, contents_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import Sent, WsgiTransport

PUT_WHOLE = "memory://put|"


def test_a_folder_becomes_a_version(stores: Stores, files: Path) -> None:
    """Paths, bytes, message and metadata arrive as given, and the push ends once the version is verified."""
    metadata = {"framework": "sklearn", "metrics": {"auc": 0.93}, "odd": ["ä", None, True]}
    pushed = stores.of("ds-fraud").push(files, M, message="first", metadata=metadata)
    version = pushed.version
    assert (version.reference, version.state, version.message) == (f"{M}@1", "available", "first")
    assert version.metadata == metadata
    assert {file.path for file in version.files} == set(contents_of(files))
    assert version.created_by == "ds-fraud"
    assert pushed.alias is None
    pulled = stores.of("ds-fraud-2").pull(f"{M}@1", files.parent / "in")
    assert contents_of(files.parent / "in") == contents_of(files)
    assert pulled.version == version


def test_the_same_bytes_travel_once(stores: Stores, wire: WsgiTransport, files: Path) -> None:
    """Files with the same bytes are sent once, and what the model holds is not sent again."""
    store = stores.of("ds-fraud")
    first = store.push(files, M)
    assert first.sent_files == 3
    assert first.sent_bytes == len(b"weights of the modelmore weights")
    assert len(wire.requests("PUT", PUT_WHOLE)) == 3
    (files / "new").write_bytes(b"new")
    second = store.push(files, M)
    assert (second.sent_files, second.sent_bytes) == (1, 3)
    assert [len(one.body) for one in wire.requests("PUT", PUT_WHOLE)[3:]] == [3]
    third = store.push(files, M)
    assert (third.sent_files, third.sent_bytes, third.version.version) == (0, 0, 3)


def test_a_single_file_and_an_empty_one(stores: Stores, files: Path, tmp_path: Path) -> None:
    """A file is published under its own name, however short it is."""
    store = stores.of("ds-fraud")
    version = store.push(files / "empty", M).version
    assert [(file.path, file.size) for file in version.files] == [("empty", 0)]
    store.pull(M, tmp_path / "in")
    assert contents_of(tmp_path / "in") == {"empty": b""}


def test_without_waiting_the_push_ends_at_once(stores: Stores, wire: WsgiTransport, files: Path) -> None:
    """`wait_seconds=0` answers the version as published; an alias moves to it right away."""
    wire.verifies = False
    pushed = stores.of("ds-fraud").push(files, M, wait_seconds=0, alias="candidate")
    assert pushed.version.state == "verifying"
    assert pushed.alias is not None
    assert pushed.alias.version == 1
    assert not wire.requests("GET", "/versions/1")


def test_an_alias_moves_only_once_the_version_is_verified(
    stores: Stores, wire: WsgiTransport, files: Path
) -> None:
    """The alias never points to what may not be read: the push asks until it may, then moves it."""
    pushed = stores.of("ds-fraud").push(files, M, alias="champion")
    assert pushed.alias is not None
    assert (pushed.alias.alias, pushed.alias.version) == ("champion", 1)
    kinds = [one.method for one in wire.sent if "/versions/1" in one.url or "/aliases/" in one.url]
    assert kinds == ["GET", "PUT"]


def test_waiting_ends_when_time_is_up(stores: Stores, wire: WsgiTransport, files: Path) -> None:
    """A version that is not verified in time stays published; the alias does not move."""
    wire.verifies = False
    store = stores.of("ds-fraud")
    with pytest.raises(NotServed, match="still not verified") as told:
        store.push(files, M, wait_seconds=0.05, alias="champion")
    assert f"smas show {M}@1" in told.value.hint
    assert store.version(f"{M}@1").state == "verifying"
    assert list(store.aliases(M)) == []


def test_a_protected_alias_is_refused_after_publishing(stores: Stores, files: Path) -> None:
    """`production` is the approvers' to move; what was published stays, and the error says so."""
    store = stores.of("ds-fraud")
    with pytest.raises(Forbidden) as told:
        store.push(files, M, alias="production")
    assert f"{M}@1 is published" in told.value.hint
    assert store.version(f"{M}@1").state == "available"
    assert list(store.aliases(M)) == []


@pytest.mark.parametrize("alias", ["latest", "Upper", "1st", ""])
def test_an_alias_that_cannot_be_is_refused_before_anything_is_sent(
    stores: Stores, wire: WsgiTransport, files: Path, alias: str
) -> None:
    """A wrong alias costs no upload."""
    with pytest.raises(Invalid, match=r"alias|latest"):
        stores.of("ds-fraud").push(files, M, alias=alias)
    assert wire.sent == []


def test_a_version_with_wrong_bytes_is_refused_and_can_be_pushed_again(
    stores: Stores, wire: WsgiTransport, files: Path
) -> None:
    """When S3 holds other bytes than were named, the push fails, and another one sends them anew."""

    def spoil(request: Sent) -> Given:
        key = request.url.split("|")[1]
        return Given(200, {"ETag": wire.site.bucket.put(key, b"x" * len(request.body)).etag})

    wire.instead("PUT", PUT_WHOLE, spoil)
    store = stores.of("ds-fraud")
    with pytest.raises(NotServed, match="rejected") as told:
        store.push(files / "model.bin", M, alias="champion")
    assert told.value.code == "rejected"
    assert "push again" in told.value.hint
    assert list(store.aliases(M)) == []
    again = store.push(files / "model.bin", M)
    assert (again.version.version, again.version.state, again.sent_files) == (2, "available", 1)


def test_what_the_store_refuses_names_each_place(stores: Stores, files: Path) -> None:
    """Metadata over 64 KiB is refused by the store, which says where."""
    with pytest.raises(Invalid) as told:
        stores.of("ds-fraud").push(files, M, metadata={"much": "x" * 70_000})
    assert told.value.code == "validation_failed"
    assert [fault.location for fault in told.value.errors] == ["metadata"]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"deep": [float("-inf")]}, np.float32(1), {1, 2}, "\ud800", b"x"]
)
def test_metadata_that_is_no_json_is_refused_before_anything_is_sent(
    stores: Stores, wire: WsgiTransport, files: Path, value: object
) -> None:
    """Nothing is silently turned into null or text: not a number, other libraries' values, broken text."""
    with pytest.raises(Invalid, match="JSON") as told:
        stores.of("ds-fraud").push(files, M, metadata={"value": value})
    assert "float(x)" in told.value.hint
    assert wire.sent == []


def test_metadata_are_read_back_as_json(stores: Stores, files: Path) -> None:
    """Tuples are lists, keys are text, and numpy's default float, which is a float, is a number."""
    given = {"pair": (1, 2), 7: "seven", "auc": np.float64(0.5), "none": None}
    version = stores.of("ds-fraud").push(files, M, metadata=given).version  # type: ignore[arg-type]
    assert version.metadata == {"pair": [1, 2], "7": "seven", "auc": 0.5, "none": None}


def test_a_stranger_may_not_publish(stores: Stores, wire: WsgiTransport, files: Path) -> None:
    """Roles of another team do not count, and no byte was sent."""
    with pytest.raises(NotFound, match="fraud"):
        stores.of("ds-nlp").push(files, M)
    assert wire.requests("PUT", "memory://") == []


def test_the_record_of_a_pull_is_never_published(stores: Stores, files: Path, tmp_path: Path) -> None:
    """A pulled folder can be pushed as it is, also with hidden files."""
    store = stores.of("ds-fraud")
    (files / ".hidden").write_bytes(b"h")
    store.push(files, M, hidden=True)
    store.pull(M, tmp_path / "in")
    assert json.loads((tmp_path / "in" / ".smas" / "pulled.json").read_text())["reference"] == f"{M}@1"
    again = store.push(tmp_path / "in", M, hidden=True)
    assert {file.path for file in again.version.files} == set(contents_of(files))
    assert again.sent_bytes == 0
