"""Everything that is delivered is also a file below the archive's folder, whole, with its metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from smas_emulator.cloudtrail.archive import ArchivedBuckets
from smas_emulator.gateway.errors import AwsError

from tests.emulator.cloudtrail.account import BUCKET, Buckets


@pytest.fixture
def buckets() -> Buckets:
    """What is archived."""
    return Buckets()


@pytest.fixture
def archived(buckets: Buckets, tmp_path: Path) -> ArchivedBuckets:
    """Buckets with an archive in `tmp_path / "trail"`, which is not there yet."""
    return ArchivedBuckets(buckets, tmp_path / "trail")


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_and_its_metadata(archived: ArchivedBuckets, buckets: Buckets, tmp_path: Path) -> None:
    """Lie beside each other; one without metadata lies alone."""
    archived.put(BUCKET, "a/log.json.gz", b"log", {}, "key")
    archived.put(BUCKET, "a/digest.json.gz", b"digest", {"signature": "00"}, None)

    assert files(tmp_path / "trail") == {
        f"{BUCKET}/a/log.json.gz": b"log",
        f"{BUCKET}/a/digest.json.gz": b"digest",
        f"{BUCKET}/a/digest.json.gz.metadata.json": b'{\n  "signature": "00"\n}\n',
    }
    assert json.loads(b'{"signature": "00"}') == buckets.metadata[BUCKET, "a/digest.json.gz"]
    assert buckets.files[BUCKET, "a/log.json.gz"] == b"log"
    assert buckets.kms_keys[BUCKET, "a/log.json.gz"] == "key"
    assert archived.exists(BUCKET)
    assert not archived.exists("nothing")
    buckets.closed.add(BUCKET)
    assert not archived.allows(BUCKET, "a", "arn")


def test_what_the_bucket_did_not_take_is_not_archived(
    archived: ArchivedBuckets, buckets: Buckets, tmp_path: Path
) -> None:
    """It will be tried again, under the same key."""
    buckets.broken[BUCKET] = AwsError("AccessDenied", "Access Denied", 403)
    with pytest.raises(AwsError):
        archived.put(BUCKET, "log", b"log", {}, None)

    assert files(tmp_path) == {}


def test_a_file_is_there_whole_or_not_at_all(
    archived: ArchivedBuckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure leaves nothing behind."""

    def fail(_self: Path, _target: Path) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        archived.put(BUCKET, "log", b"log", {}, None)

    assert files(tmp_path) == {}


@pytest.mark.parametrize("key", ["../../../outside", "/outside", "a/../../../outside", "./a", "a//b"])
def test_no_key_leads_out_of_the_archive(archived: ArchivedBuckets, tmp_path: Path, key: str) -> None:
    """Whatever prefix a trail has."""
    archived.put(BUCKET, key, b"log", {}, None)

    [path] = files(tmp_path)
    assert path.startswith(f"trail/{BUCKET}/")
