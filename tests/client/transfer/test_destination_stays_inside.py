"""Nothing is written, changed or removed outside the folder, whatever a server sends or is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smas.errors import LocalFault, SmasError
from smas.retries import Stop
from smas.transfer.destination import Destination

from tests.client.transfer.trees import digest, picture, published, pulled, write

if TYPE_CHECKING:
    from smas.results import File

CANARY = b"precious"
DATA = b"from the store"
# "OUT" stands for the folder beside DEST, as an absolute path.
SEGMENTS = st.sampled_from(["a", "b", "c"])
HOSTILE = st.sampled_from(
    ["..", ".", "", ".smas", "lock", "pulled.json", "a\\b", "a\x00b", "A", "OUT", "canary"]
)
SAFE_PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
ANY_PATHS = st.lists(SEGMENTS | HOSTILE, min_size=1, max_size=5).map("/".join)
IN_THE_WAY = st.sampled_from(
    ["file", "folder", "link out", "link to canary", "link to new", "link up", "link to root", "loop"]
)
PLACES = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join) | st.sampled_from(
    [".smas", ".smas/lock", ".smas/pulled.json", ".smas/partial", ".smas/blobs", ".smas/blobs/ab"]
)


def furnish(dest: Path, outside: Path, place: str, what: str) -> None:
    """Put something where a pull may want to write, if it can stand there."""
    path = dest / place
    # Whoever furnished the folder before did not write through links either.
    if any(up.is_symlink() or up.is_file() for up in (path, *path.parents)) or path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    targets = {
        "link out": outside / "folder",
        "link to canary": outside / "canary",
        "link to new": outside / "new",
        "link up": Path(".."),
        "link to root": Path("/"),
        "loop": Path(path.name),
    }
    if what == "file":
        path.write_bytes(b"mine")
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(targets[what])


def pull(dest: Path, files: list[File], blob: Path, how: str) -> bool:
    """What a pull with --overwrite does; answers whether it succeeded. Errors are the client's own."""
    try:
        destination = Destination(dest, Stop())
        with destination.opened():
            destination.check_names(files)
            found = destination.compare(files, read_all=True)
            for file in found.unchanged:
                destination.keep(file)
            for number, file in enumerate(found.wanted):
                source = write(blob.with_name(f"blob-{number}"), DATA)
                destination.place(file, source, how)
            destination.remove_all_but(files)
    except SmasError:
        return False
    return True


@settings(max_examples=300)
@given(
    paths=st.lists(SAFE_PATHS, min_size=1, max_size=4) | st.lists(ANY_PATHS, min_size=1, max_size=2),
    furniture=st.dictionaries(PLACES, IN_THE_WAY, max_size=5),
    how=st.sampled_from(["link", "copy", "move"]),
)
@example(paths=["a/b"], furniture={"a": "link out"}, how="copy")
@example(paths=["a/b/c"], furniture={"a/b": "link up"}, how="link")
@example(paths=["a"], furniture={"a": "link to canary"}, how="copy")
@example(paths=["a"], furniture={".smas": "link out"}, how="copy")
@example(paths=["a"], furniture={".smas/lock": "link to canary"}, how="copy")
@example(paths=["a"], furniture={".smas/pulled.json": "link to new"}, how="copy")
@example(paths=["../outside/canary"], furniture={}, how="move")
@example(paths=["OUT/new"], furniture={}, how="copy")
def test_nothing_outside_the_folder_changes(paths: list[str], furniture: dict[str, str], how: str) -> None:
    """Hostile paths and links at any depth: outside stays as it was, and a success means the right bytes."""
    with TemporaryDirectory() as name:
        top = Path(name).resolve()
        outside, dest, cache = top / "outside", top / "dest", top / "cache"
        write(outside / "canary", CANARY)
        write(outside / "folder/c", CANARY)
        dest.mkdir()
        for place, what in furniture.items():
            furnish(dest, outside, place, what)
        files = [published(path.replace("OUT", str(outside)), DATA) for path in paths]
        before = picture(outside)
        done = pull(dest, files, cache / "blob", how)
        assert picture(outside) == before
        assert {path.name for path in top.iterdir()} <= {"outside", "dest", "cache"}
        if done:
            inside = pulled(dest)
            assert {file.path: inside[file.path] for file in files} == {
                file.path: digest(DATA) for file in files
            }
        # No half-written file stays under a name of its own.
        assert not [path for path in pulled(dest) if re.search(r"\.[0-9a-f]{16}\.smas$", path)]


@settings(max_examples=100)
@given(
    path=ANY_PATHS
    | st.sampled_from(["../outside/canary", "../outside/folder/c", "OUT/canary", "a/../../outside/canary"]),
    furniture=st.dictionaries(PLACES, IN_THE_WAY, max_size=3),
)
@example(path="../outside/canary", furniture={})
@example(path="a/c", furniture={"a": "link out"})
def test_no_record_leads_outside(path: str, furniture: dict[str, str]) -> None:
    """A folder from somebody else, with a record that claims files outside, has none of them removed."""
    with TemporaryDirectory() as name:
        top = Path(name).resolve()
        outside, dest = top / "outside", top / "dest"
        write(outside / "canary", CANARY)
        write(outside / "folder/c", CANARY)
        for place, what in furniture.items():
            furnish(dest, outside, place, what)
        claim = {"sha256": digest(CANARY), "size": len(CANARY)}
        record = {"files": {path.replace("OUT", str(outside)): claim | {"mtime_ns": 0}}}
        furnish(dest, outside, ".smas/pulled.json", "file")
        if (dest / ".smas/pulled.json").is_file() and not (dest / ".smas/pulled.json").is_symlink():
            (dest / ".smas/pulled.json").write_text(json.dumps(record))
        before = picture(outside)
        pull(dest, [published("new", DATA)], top / "cache/blob", "copy")
        assert picture(outside) == before


def test_a_record_with_a_path_outside_is_damaged(tmp_path: Path) -> None:
    """It is not passed over: somebody meddled with it, so nothing it says is believed."""
    written = {"sha256": digest(CANARY), "size": len(CANARY), "mtime_ns": 0}
    canary = write(tmp_path / "canary", CANARY)
    for path in ("../canary", str(canary), ".smas/lock"):
        dest = tmp_path / "dest"
        write(dest / ".smas/pulled.json", json.dumps({"files": {path: written}}).encode())
        with pytest.raises(LocalFault, match="is damaged"), Destination(dest, Stop()).opened():
            pass
    assert canary.read_bytes() == CANARY


@pytest.mark.parametrize(
    "name", [".smas", ".smas/lock", ".smas/pulled.json", ".smas/partial", ".smas/blobs/ab"]
)
@pytest.mark.parametrize("target", ["outside/folder", "outside/canary", "outside/new"])
def test_what_pulls_keep_for_themselves_is_no_link(tmp_path: Path, name: str, target: str) -> None:
    """A link anywhere in ``.smas`` is refused: neither records nor downloads are written where it leads."""
    write(tmp_path / "outside/canary", CANARY)
    write(tmp_path / "outside/folder/c", CANARY)
    link = tmp_path / "dest" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path / target)
    before = picture(tmp_path / "outside")
    with pytest.raises(LocalFault, match="symbolic link"), Destination(tmp_path / "dest", Stop()).opened():
        pass
    assert picture(tmp_path / "outside") == before
