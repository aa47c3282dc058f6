"""Models loaded with the libraries that made them, straight from the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from safetensors.numpy import save_file
from smas.errors import Invalid, NotFound, WrongUsage
from smas.loading import choose

from tests.client.site.fixtures import M

if TYPE_CHECKING:
    from pathlib import Path

    from smas.store import Store

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import WsgiTransport


@pytest.fixture
def store(stores: Stores) -> Store:
    """A data scientist's store."""
    return stores.of("ds-fraud")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to publish."""
    made = tmp_path / "model"
    made.mkdir()
    return made


def test_joblib(store: Store, folder: Path, wire: WsgiTransport) -> None:
    """What was dumped is loaded, from the only file that fits or the one that is named."""
    model: dict[str, Any] = {"weights": np.arange(1000.0), "name": "ä"}
    joblib.dump(model, folder / "model.joblib")
    (folder / "README.md").write_text("a model")
    store.push(folder, M)
    loaded = store.load_joblib(M)
    assert loaded["name"] == "ä"
    assert np.array_equal(loaded["weights"], model["weights"])
    wire.sent.clear()
    assert np.array_equal(store.load_joblib(f"{M}@1", "model.joblib")["weights"], model["weights"])
    assert wire.requests("GET", "memory://") == []


def test_safetensors_in_one_file(store: Store, folder: Path) -> None:
    """Tensors by name, with their types and shapes."""
    tensors: dict[str, Any] = {"a": np.ones((2, 3), np.float32), "b": np.arange(5, dtype=np.int64)}
    save_file(tensors, folder / "model.safetensors")
    store.push(folder, M)
    loaded = store.load_safetensors(M)
    assert set(loaded) == {"a", "b"}
    assert all(np.array_equal(loaded[name], tensors[name]) for name in tensors)
    assert (loaded["a"].dtype, loaded["b"].shape) == (np.float32, (5,))


@pytest.mark.parametrize("inside", ["", "checkpoint/"])
def test_safetensors_in_shards(store: Store, folder: Path, inside: str) -> None:
    """An index beside its shards, at the top or in a folder, gives the tensors of all of them."""
    place = folder / inside
    place.mkdir(exist_ok=True)
    save_file({"a": np.zeros(3)}, place / "model-00001-of-00002.safetensors")
    save_file({"b": np.ones(4)}, place / "model-00002-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    store.push(folder, M)
    loaded = store.load_safetensors(M)
    assert {name: tensor.tolist() for name, tensor in loaded.items()} == {"a": [0.0] * 3, "b": [1.0] * 4}
    (one,) = store.load_safetensors(M, f"{inside}model-00002-of-00002.safetensors")
    assert one == "b"


def test_an_index_reads_no_file_outside_the_version(store: Store, folder: Path) -> None:
    """A shard that the index names, but the version lacks, is not found, wherever it claims to be."""
    for name in ("../../etc/passwd", "/etc/passwd", "missing.safetensors"):
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
        store.push(folder, M)
        with pytest.raises(NotFound, match="has no file"):
            store.load_safetensors(M)


def test_torch(store: Store, folder: Path) -> None:
    """What torch saved is loaded, without running code of whoever published it."""
    torch = pytest.importorskip("torch", reason="torch is large and not among the development tools")
    torch.save({"w": torch.arange(3)}, folder / "model.pt")
    store.push(folder, M)
    assert store.load_torch(M)["w"].tolist() == [0, 1, 2]


def test_a_library_that_is_missing_is_named(store: Store, folder: Path) -> None:
    """The error says which extra brings it."""
    save_file({"a": np.zeros(3)}, folder / "model.safetensors")
    store.push(folder, M)
    with pytest.raises(WrongUsage, match="needs the library") as told:
        store.load_safetensors(M, framework="no_such_framework")  # type: ignore[arg-type]
    assert "smas[safetensors]" in told.value.hint


def test_the_file_must_be_clear(store: Store, folder: Path) -> None:
    """None or several that fit are an error that lists what there is."""
    (folder / "a.txt").write_text("a")
    store.push(folder, M)
    with pytest.raises(NotFound, match=r"ends in \.joblib") as told:
        store.load_joblib(M)
    assert "a.txt" in told.value.hint
    for name in ("one.joblib", "two.pkl"):
        joblib.dump([name], folder / name)
    store.push(folder, M)
    with pytest.raises(Invalid, match="2 such files"):
        store.load_joblib(M)
    assert store.load_joblib(M, "two.pkl") == ["two.pkl"]
    with pytest.raises(NotFound, match="no file 'three'"):
        store.load_joblib(M, "three")
    assert choose(store.version(M), "a.txt", ()) == "a.txt"
