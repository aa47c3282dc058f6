"""The store as a file system for fsspec, and for pandas through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fsspec
import pandas as pd
import pytest
from smas.errors import Invalid, WrongUsage

from tests.client.site.fixtures import M, contents_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import WsgiTransport

TABLE = "id,score\n1,0.5\n2,0.75\n"


@pytest.fixture
def fs(stores: Stores, files: Path) -> Any:
    """The file system over two versions: the files, then the same with a table in a folder."""
    store = stores.of("ds-fraud")
    store.push(files, M)
    (files / "data").mkdir()
    (files / "data" / "scores.csv").write_text(TABLE)
    store.push(files, M, alias="champion")
    return fsspec.filesystem("smas", store=store)


def test_teams_models_versions_and_files_are_folders(fs: Any) -> None:
    """Each level lists the next one, with sizes and types, by full names that can be used again."""
    assert fs.ls("smas://", detail=False) == ["fraud"]
    assert fs.ls("fraud", detail=False) == [M]
    assert set(fs.ls(f"smas://{M}", detail=False)) == {f"{M}@2", f"{M}@1", f"{M}@champion"}
    listed = {entry["name"]: entry for entry in fs.ls(f"{M}@2")}
    assert {name.rpartition("@2/")[2] for name in listed} == {
        "copy.bin",
        "data",
        "empty",
        "model.bin",
        "weights",
    }
    assert (listed[f"{M}@2/data"]["type"], listed[f"{M}@2/model.bin"]["type"]) == ("directory", "file")
    assert (listed[f"{M}@2/model.bin"]["size"], len(listed[f"{M}@2/model.bin"]["sha256"])) == (20, 64)
    assert fs.ls(f"{M}@2/data/", detail=False) == [f"{M}@2/data/scores.csv"]
    assert fs.ls(f"{M}@2/model.bin", detail=False) == [f"{M}@2/model.bin"]


def test_every_level_can_be_asked_about(fs: Any) -> None:
    """info, exists, isdir and isfile agree, also on what is not there."""
    for folder in ("", "fraud", M, f"{M}@1", f"{M}@champion", f"{M}@2/data"):
        assert fs.info(folder)["type"] == "directory", folder
        assert fs.isdir(folder)
    assert fs.info(f"smas://{M}@champion/data/scores.csv") == {
        "name": f"{M}@champion/data/scores.csv",
        "size": len(TABLE),
        "type": "file",
        "sha256": fs.info(f"{M}@2/data/scores.csv")["sha256"],
    }
    assert fs.isfile(f"{M}@2/model.bin")
    for nothing in ("nlp", "fraud/none", f"{M}@9", f"{M}@none", f"{M}@1/data", f"{M}@2/none"):
        assert not fs.exists(nothing), nothing
        with pytest.raises(FileNotFoundError):
            fs.info(nothing)
        with pytest.raises(FileNotFoundError):
            fs.ls(nothing)


def test_files_are_found_walked_and_matched(fs: Any, files: Path) -> None:
    """find, walk, glob and du see what was published."""
    names = {f"{M}@2/{path}" for path in contents_of(files)}
    assert set(fs.find(f"{M}@2")) == names
    assert fs.glob(f"{M}@2/*.bin") == [f"{M}@2/copy.bin", f"{M}@2/model.bin"]
    assert fs.glob(f"smas://{M}@2/**/*.csv") == [f"{M}@2/data/scores.csv"]
    walked = {root: (set(folders), set(inside)) for root, folders, inside in fs.walk(f"{M}@2")}
    assert walked[f"{M}@2"] == ({"data", "weights"}, {"copy.bin", "empty", "model.bin"})
    assert walked[f"{M}@2/data"] == (set(), {"scores.csv"})
    assert fs.du(f"{M}@2") == sum(map(len, contents_of(files).values()))


def test_files_are_read_whole_in_part_and_as_text(fs: Any, tmp_path: Path) -> None:
    """cat, ranges, open and get; without a ref a file is the latest version's."""
    assert fs.cat(f"{M}@2/model.bin") == b"weights of the model"
    whole = b"weights of the model"
    for start, end in ((-5, None), (None, -6), (3, 7), (7, 3), (0, 100), (100, None), (-100, 4)):
        assert fs.cat_file(f"{M}@2/model.bin", start=start, end=end) == whole[start:end], (start, end)
    assert fs.cat([f"{M}@2/model.bin", f"{M}@2/empty"]) == {
        f"{M}@2/model.bin": b"weights of the model",
        f"{M}@2/empty": b"",
    }
    with fs.open(f"smas://{M}/data/scores.csv", "r") as text:
        assert text.read() == TABLE
    with fs.open(f"{M}@1/weights/größe 1 %?#.bin") as odd:
        assert odd.read() == b"more weights"
    fs.get(f"{M}@2/data/scores.csv", str(tmp_path / "got.csv"))
    assert (tmp_path / "got.csv").read_text() == TABLE


def test_pandas_reads_straight_from_the_store(fs: Any) -> None:
    """A table is read by its address alone, and without a copy on the disk."""
    frame = pd.read_csv(f"smas://{M}@champion/data/scores.csv", storage_options={"store": fs.store})
    assert frame.to_dict("list") == {"id": [1, 2], "score": [0.5, 0.75]}


def test_it_is_read_only(fs: Any) -> None:
    """Writing is refused with what to do instead; folders are no files."""
    with pytest.raises(ValueError, match=r"Store\.push"):
        fs.open(f"{M}@2/new", "wb")
    with pytest.raises(IsADirectoryError):
        fs.open(M)
    with pytest.raises(FileNotFoundError):
        fs.open(f"{M}@2/none")


def test_two_people_never_share_a_file_system(stores: Stores, fs: Any) -> None:
    """Fsspec keeps instances by what their options look like; a store is its owner's all the same."""
    theirs = fsspec.filesystem("smas", store=stores.of("ds-nlp"))
    assert theirs.store.whoami().username == "ds-nlp"
    assert fs.store.whoami().username == "ds-fraud"
    assert theirs.ls("", detail=False) == []


def test_a_store_is_opened_from_its_options(wire: WsgiTransport, stores: Stores) -> None:
    """Address and token may be given instead of a store, as pandas passes them on."""
    assert wire
    opened = fsspec.filesystem("smas", address="https://models.example.test", token="t", cache="c")
    assert opened.store.address == "https://models.example.test"
    with pytest.raises(WrongUsage):
        fsspec.filesystem("smas", address="http://models.example.test", token="t")
    with pytest.raises(Invalid):
        fsspec.filesystem("smas", store=stores.of("ds-fraud")).info("Not/a model/x")
