"""A bucket of models that was damaged: what is wrong is found, and one command each mends it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from deployment.check_store import look
from deployment.errors import DeploymentError
from deployment.restore import restore
from deployment.store import Aws, Copy, Store, of_local_stack

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_aws import LocalStack

MODEL = "fraud/risk"
BYTES = b"the bytes of a model"
DIGEST = sha256(BYTES).hexdigest()
BLOB = f"blobs/{MODEL}/{DIGEST}"
MANIFEST = f"manifests/{MODEL}/9999999998.json"
ALIAS = f"aliases/{MODEL}/champion.json"


@dataclass(frozen=True)
class Bucket:
    """A store's bucket that nothing guards, as after somebody took its policy away."""

    store: Store
    aws: Aws
    s3: Any

    def put(self, key: str, document: object) -> str:
        """A record; the version it became."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return str(self.s3.put_object(Bucket=self.store.bucket, Key=key, Body=body)["VersionId"])

    def get(self, key: str) -> Any:
        """What a record says now."""
        return json.loads(self.s3.get_object(Bucket=self.store.bucket, Key=key)["Body"].read())

    def hide(self, key: str) -> None:
        """Delete, as S3 does it in a bucket with versions."""
        self.s3.delete_object(Bucket=self.store.bucket, Key=key)

    def faults(self, **options: Any) -> list[str]:
        """What the check finds."""
        return look(self.store, self.aws, **options)[0]

    def restore(self, key: str, **options: Any) -> list[str]:
        """Restore one key; what the command says."""
        said: list[str] = []
        restore(self.store, self.aws, key, say=said.append, **options)
        return said


def versioned_bucket(s3: Any) -> str:
    """A new bucket that keeps versions."""
    name = f"smas-models-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def bucket(local_aws: LocalStack) -> Bucket:
    """A model with one version and an alias, and an empty bucket that is its copy."""
    which, aws = of_local_stack(local_aws.state)
    s3 = aws.client("s3")
    copy = Copy(versioned_bucket(s3), which.region)
    made = Bucket(replace(which, bucket=versioned_bucket(s3), copy=copy), aws, s3)
    version_id = made.put(BLOB, BYTES)
    file = {"path": "model.bin", "sha256": DIGEST, "size": len(BYTES), "s3_version_id": version_id}
    made.put(MANIFEST, {"files": [file]})
    made.put(ALIAS, {"version": 1})
    made.put(f"uploads/{MODEL}/{DIGEST}.json", {})
    return made


def test_a_whole_store_has_no_faults(bucket: Bucket) -> None:
    """What was counted is said."""
    faults, counted = look(bucket.store, bucket.aws, read_bytes=True)
    assert faults == []
    assert counted.endswith("1 models, 1 versions, 1 aliases, 1 versions of blobs: whole")


@pytest.mark.parametrize("key", [BLOB, MANIFEST, ALIAS])
def test_what_was_hidden_is_seen_again(bucket: Bucket, key: str) -> None:
    """However often it was deleted; the fault names the command."""
    bucket.hide(key)
    bucket.hide(key)
    assert f"{key}: hidden by a delete marker; python -m deployment restore {key}" in bucket.faults()

    assert len(bucket.restore(key)) == 2
    assert bucket.faults(read_bytes=True) == []


def test_what_was_written_over_is_what_it_was(bucket: Bucket, tmp_path: Path) -> None:
    """The first version is the true one of what is only ever created; the others are kept as evidence."""
    true = bucket.get(MANIFEST)
    forged = bucket.put(MANIFEST, {"files": []})
    assert [fault for fault in bucket.faults() if "written over" in fault]

    with pytest.raises(DeploymentError, match="--evidence DIR"):
        bucket.restore(MANIFEST)
    bucket.restore(MANIFEST, evidence=tmp_path)

    assert bucket.get(MANIFEST) == true
    assert bucket.faults() == []
    assert (tmp_path / MANIFEST / forged).read_bytes() == b'{"files": []}'
    assert json.loads((tmp_path / MANIFEST / f"{forged}.about.json").read_text(encoding="utf-8"))["ETag"]


def test_an_alias_is_put_back_where_it_pointed(bucket: Bucket) -> None:
    """Without a version the command lists them; what is written is one version more."""
    bucket.put(ALIAS, {"version": 9})
    assert bucket.faults() == [f"{ALIAS}: points to version 9 of {MODEL}, which is not there"]
    with pytest.raises(DeploymentError, match="newest first") as told:
        bucket.restore(ALIAS)
    first = str(told.value).splitlines()[-1].split()[0]

    bucket.restore(ALIAS, version_id=first)

    assert bucket.get(ALIAS) == {"version": 1}
    assert bucket.faults() == []
    versions = bucket.s3.list_object_versions(Bucket=bucket.store.bucket, Prefix=ALIAS)["Versions"]
    assert len(versions) == 3, "the history has it all"
    head = bucket.s3.head_object(Bucket=bucket.store.bucket, Key=ALIAS)
    assert head["ServerSideEncryption"] == "aws:kms"


def test_a_version_that_is_gone_is_told(bucket: Bucket) -> None:
    """And that only the copy has it with its id."""
    version = bucket.s3.head_object(Bucket=bucket.store.bucket, Key=BLOB)["VersionId"]
    bucket.s3.delete_object(Bucket=bucket.store.bucket, Key=BLOB, VersionId=version)
    assert bucket.faults() == [f"{MANIFEST}: model.bin is gone: {BLOB} has no version {version}"]
    with pytest.raises(DeploymentError, match="Restoring"):
        bucket.restore(BLOB)
    with pytest.raises(DeploymentError, match="S3 Batch"):
        bucket.restore(BLOB, from_copy=True)


def test_a_record_that_is_gone_comes_from_the_copy(bucket: Bucket) -> None:
    """Only where there is none: what is there is never written over."""
    assert bucket.store.copy is not None
    body = bucket.s3.get_object(Bucket=bucket.store.bucket, Key=MANIFEST)["Body"].read()
    bucket.s3.put_object(Bucket=bucket.store.copy.bucket, Key=MANIFEST, Body=body)
    with pytest.raises(DeploymentError, match="is there already"):
        bucket.restore(MANIFEST, from_copy=True)
    version = bucket.s3.head_object(Bucket=bucket.store.bucket, Key=MANIFEST)["VersionId"]
    bucket.s3.delete_object(Bucket=bucket.store.bucket, Key=MANIFEST, VersionId=version)
    assert bucket.faults() == [f"{ALIAS}: points to version 1 of {MODEL}, which is not there"]

    bucket.restore(MANIFEST, from_copy=True)

    assert bucket.faults() == []


def test_what_the_copy_lacks_is_told(bucket: Bucket) -> None:
    """Version by version, whatever passes by itself left out."""
    lacking = bucket.faults(copy=True, against=True)
    assert [fault.partition(":")[0] for fault in lacking] == [ALIAS, BLOB, MANIFEST]


def test_bytes_are_held_against_their_digest(bucket: Bucket) -> None:
    """As if the disk had lied."""
    other = f"blobs/{MODEL}/{'0' * 64}"
    version = bucket.put(other, BYTES)
    file = {"path": "x", "sha256": "0" * 64, "size": len(BYTES), "s3_version_id": version}
    bucket.put(f"manifests/{MODEL}/9999999997.json", {"files": [file]})
    assert bucket.faults() == []
    assert bucket.faults(read_bytes=True) == [f"{other}: version {version} has other bytes than its digest"]


@pytest.mark.parametrize("document", [{}, [], {"files": [{}]}, {"files": "x"}])
def test_a_manifest_that_is_none_is_told(bucket: Bucket, document: object) -> None:
    """A team may write anything under its prefixes, and the check goes on."""
    key = f"manifests/{MODEL}/9999999990.json"
    bucket.put(key, document)
    assert bucket.faults() == [f"{key}: no manifest that can be read"]


@pytest.mark.parametrize("key", ["uploads/fraud/m/x.json", "nonsense", "blobs/fraud/m/nothing"])
def test_what_is_not_there_cannot_be_restored(bucket: Bucket, key: str) -> None:
    """In one sentence."""
    with pytest.raises(DeploymentError):
        bucket.restore(key)


def test_what_is_well_is_left_alone(bucket: Bucket) -> None:
    """Neither by mistake nor twice."""
    for key in (BLOB, MANIFEST):
        with pytest.raises(DeploymentError, match="nothing to restore"):
            bucket.restore(key)
    with pytest.raises(DeploymentError, match="only ever created"):
        bucket.restore(MANIFEST, version_id="x")
