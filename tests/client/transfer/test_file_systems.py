"""Other file systems than the usual one: full, on another device, or without a difference between a and A."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.transfer.mounts import run_mounted
from tests.client.transfer.trees import digest, write

if TYPE_CHECKING:
    from pathlib import Path

TMPFS = 'mount -t tmpfs -o size=1m tmpfs "$1"'
BEGIN = """
import json, os, sys
from pathlib import Path
from smas.errors import LocalFault
from smas.results import File
from smas.retries import Stop
from smas.transfer.cache import BlobCache
from smas.transfer.destination import Destination
from smas.transfer.digests import DigestCache, digest_of
from smas.transfer.partial_file import PartialFile, RANGE_BYTES
from smas.transfer.selection import select
disk, *others = map(Path, sys.argv[1:])
def file(path, blob):
    return File(path=path, sha256=digest_of(blob, Stop()), size=blob.stat().st_size, s3_version_id="v")
def refused(call, *arguments):
    try:
        call(*arguments)
    except LocalFault as fault:
        return fault.detail
    return None
"""


@pytest.mark.parametrize("how", ["link", "copy"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, how: str) -> None:
    """The error says that the disk is full; other files and the record are whole, and it goes on later."""
    big, small = write(tmp_path / "big", b"b" * (4 << 20)), write(tmp_path / "small", b"s" * 1000)
    code = f"""{BEGIN}
big, small = others
destination = Destination(disk / "dest", Stop())
with destination.opened():
    destination.place(file("small", small), small, {how!r})
    said = refused(destination.place, file("sub/big", big), big, {how!r})
left = sorted(str(p.relative_to(disk)) for p in disk.rglob("*") if p.name != "lock")
with destination.opened():
    known = sorted(destination.record.files)
    os.truncate(big, 1000)
    destination.place(file("sub/big", big), big, {how!r})
print(json.dumps([said, left, known, (disk / "dest/sub/big").stat().st_size]))
"""
    said, left, known, size = run_mounted(TMPFS, tmp_path / "disk", code, big, small)
    assert said == f"the disk is full: {tmp_path}/disk/dest/sub/big could not be written"
    assert left == ["dest", "dest/.smas", "dest/.smas/pulled.json", "dest/small", "dest/sub"]
    assert (known, size) == (["small"], 1000)


def test_too_little_space_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    """What does not fit is refused with both numbers; what fits is not."""
    code = f"""{BEGIN}
destination = Destination(disk / "dest", Stop())
with destination.opened():
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    fits = refused(destination.require_space, free, disk / "dest" / "not yet")
    said = refused(destination.require_space, free + 1, disk / "dest" / "not yet")
print(json.dumps([fits, said, free]))
"""
    fits, said, free = run_mounted(TMPFS, tmp_path / "disk", code)
    assert fits is None
    assert said == f"{tmp_path}/disk/dest/not yet has {free:,} bytes free, but {free + 1:,} are needed"


def test_a_download_goes_on_after_the_disk_was_full(tmp_path: Path) -> None:
    """Ranges that were whole before are not fetched again, and the digest is that of all bytes."""
    code = f"""{BEGIN}
import errno
size, ranges = 2 * RANGE_BYTES + 5, [b"1" * RANGE_BYTES, b"2" * RANGE_BYTES, b"3" * 5]
path = disk / "x.part"
os.truncate(os.open(disk / "filler", os.O_CREAT | os.O_RDWR), 0)
with PartialFile(path, size, Stop()) as partial:
    partial.write(ranges[0], 0)
    partial.complete(0)
    try:
        partial.write(ranges[1], RANGE_BYTES)
    except OSError as error:
        failed = error.errno == errno.ENOSPC
os.system("mount -o remount,size=40m " + str(disk))
with PartialFile(path, size, Stop()) as partial:
    missing = [list(run) for run in partial.missing_runs(1, 1)]
    for number in (1, 2):
        partial.write(ranges[number], partial.bounds(number)[0])
        partial.complete(number)
    print(json.dumps([failed, missing, partial.hexdigest()]))
"""
    mount = 'mount -t tmpfs -o size=12m tmpfs "$1"'
    failed, missing, sha256 = run_mounted(mount, tmp_path / "disk", code)
    assert failed
    assert missing == [[1], [2]]
    size = 8 << 20
    assert sha256 == digest(b"1" * size + b"2" * size + b"3" * 5)


def test_a_full_disk_is_told_by_whatever_remembers(tmp_path: Path) -> None:
    """Neither the cache's checks nor remembered digests crash on a full disk, or damage what is there."""
    source = write(tmp_path / "source", b"bytes")
    code = f"""{BEGIN}
cache, blob = BlobCache(disk / "cache"), disk / "blob"
blob.write_bytes(b"bytes")
sha256 = digest_of(blob, Stop())
cache.admit(sha256, blob).with_name(sha256 + ".check").unlink()
digests, (source,) = DigestCache(disk / "digests.sqlite3"), select(others[0]).files
def fill():
    with open(disk / "filler", "ab", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass
fill()
said = [
    refused(cache.find, sha256, 5, Stop()),
    refused(digests.remember, [(source, sha256, source.fingerprint.ctime_ns + 10**10)]),
]
(disk / "filler").unlink()
found = str(cache.find(sha256, 5, Stop()))
digests.remember([(source, sha256, source.fingerprint.ctime_ns + 10**10)])
print(json.dumps([said, found.endswith(sha256), list(digests.known([source]).values())]))
"""
    (cache, digests), found, known = run_mounted(TMPFS, tmp_path / "disk", code, source)
    assert "can't be written to: No space left on device" in cache
    assert "which remembers digests, can't be used" in digests
    assert found
    assert known == [digest(b"bytes")]


@pytest.mark.parametrize("how", ["link", "move", "copy"])
def test_links_and_moves_across_devices_become_copies(tmp_path: Path, how: str) -> None:
    """A cache on another disk serves as well; the folder gets files of its own, with usual permissions."""
    source = write(tmp_path / "blob", b"bytes" * 1000)
    source.chmod(0o444)
    code = f"""{BEGIN}
(blob,) = others
os.umask(0o022)
destination = Destination(disk / "dest", Stop())
with destination.opened():
    shared = destination.is_on_device_of(blob), destination.is_on_device_of(disk / "x")
    destination.place(file("a/b", blob), blob, {how!r})
status = (disk / "dest/a/b").stat()
same = (disk / "dest/a/b").read_bytes() == b"bytes" * 1000
print(json.dumps([shared, same, status.st_nlink, oct(status.st_mode), sorted(os.listdir(disk / "dest/a"))]))
"""
    found = run_mounted(TMPFS, tmp_path / "disk", code, source)
    assert found == [[False, True], True, 1, "0o100644", ["b"]]


PULLS = f"""{BEGIN}
(blob,) = others
def pull(*paths):
    files = [file(path, blob) for path in paths]
    destination = Destination(disk / "dest", Stop())
    with destination.opened():
        destination.check_names(files)
        found = destination.compare(files, read_all=False)
        for one in found.unchanged:
            destination.keep(one)
        for one in found.wanted:
            destination.place(one, blob, "copy")
        destination.remove_all_but(files)
def there():
    return sorted(p.name for p in (disk / "dest").iterdir() if p.name.lower() != ".smas")
"""
CASEFOLD = """
truncate -s 16m "$1.image" && mkfs.ext4 -q -O casefold "$1.image" && mount -o loop "$1.image" "$1" \
&& mkdir "$1/dest" && chattr +F "$1/dest" """
VFAT = 'truncate -s 16m "$1.image" && mkfs.vfat "$1.image" && mount -o loop "$1.image" "$1"'
NTFS = 'truncate -s 16m "$1.image" && mkntfs -q -F -Q "$1.image" && lowntfs-3g -o ignore_case "$1.image" "$1"'


@pytest.mark.parametrize("mount", [CASEFOLD, VFAT, NTFS], ids=["ext4 casefold", "vfat", "ntfs"])
def test_a_file_system_that_ignores_case_is_no_trap(tmp_path: Path, mount: str) -> None:
    """Names that would overwrite each other are refused before anything is written; a renamed file stays."""
    source = write(tmp_path / "blob", b"bytes")
    code = f"""{PULLS}
import atexit, subprocess
# A file system in user space is a process: it ends when nothing is mounted any more.
atexit.register(subprocess.run, ["umount", str(disk)])
said = refused(pull, "model/A", "MODEL/a")
before = there()
pull("Model.bin")
pull("model.bin")
after = [name.lower() for name in there()]
print(json.dumps([said, before, after, (disk / "dest/model.bin").read_bytes() == b"bytes"]))
"""
    said, before, after, same = run_mounted(mount, tmp_path / "disk", code, source)
    assert "is on a file system that can't hold both 'model' and 'MODEL'" in said
    assert before == []
    assert after == ["model.bin"]
    assert same


def test_where_one_folder_has_both_names_case_is_ignored(tmp_path: Path) -> None:
    """The test for it is whether ``.SMAS`` is ``.smas``; a second mount of the folder passes it anywhere."""
    source = write(tmp_path / "blob", b"bytes")
    mount = 'mkdir -p "$1/dest/.smas" "$1/dest/.SMAS" && mount --bind "$1/dest/.smas" "$1/dest/.SMAS"'
    code = f"""{PULLS}
said = refused(pull, "a", "b/c", "B/d")
before = there()
pull("Model.bin", "other")
pull("model.bin")
print(json.dumps([said, before, there()]))
"""
    said, before, after = run_mounted(mount, tmp_path / "disk", code, source)
    assert "is on a file system that can't hold both 'b' and 'B'" in said
    assert before == []
    # Here, where case does matter after all, the old name is seen to be left alone.
    assert after == ["Model.bin", "model.bin"]
