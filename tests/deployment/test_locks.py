"""What Object Lock protects is found, counted and never deleted; everything else goes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deployment.emptying import empty
from deployment.errors import DeploymentError
from deployment.locks import look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local_aws import LocalStack

    Put = Callable[..., str]

NOW = datetime.now(UTC).replace(microsecond=0)
IN_A_YEAR = NOW + timedelta(days=365)
IN_TWO_YEARS = NOW + timedelta(days=730)


@pytest.fixture
def s3(local_aws: LocalStack) -> Any:
    """The account's own S3."""
    return local_aws.root_client("s3")


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    """One with Object Lock and without a default retention; what a test locked in it is let go at the end."""
    name = f"locked-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    yield name
    left = s3.list_object_versions(Bucket=name)
    for version in left.get("Versions", []):
        asked = {"Bucket": name, "Key": version["Key"], "VersionId": version["VersionId"]}
        s3.put_object_legal_hold(**asked, LegalHold={"Status": "OFF"})
        s3.delete_object(**asked, BypassGovernanceRetention=True)
    for marker in left.get("DeleteMarkers", []):
        s3.delete_object(Bucket=name, Key=marker["Key"], VersionId=marker["VersionId"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def put(s3: Any, bucket: str) -> Put:
    """Puts five bytes under a key; answers the version's id."""

    def add(key: str, **lock: Any) -> str:
        return str(s3.put_object(Bucket=bucket, Key=key, Body=b"bytes", **lock)["VersionId"])

    return add


def retained(until: datetime) -> dict[str, Any]:
    """Governance retention."""
    return {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}


def test_every_lock_is_found_and_the_last_end_is_told(s3: Any, bucket: str, put: Put) -> None:
    """On old versions and behind delete markers too: a version is what is locked, not a key."""
    put("free")
    put("blobs/a", **retained(IN_A_YEAR))
    put("blobs/a")
    held = put("blobs/b", ObjectLockLegalHoldStatus="ON")
    put("blobs/c", ObjectLockLegalHoldStatus="ON", **retained(IN_TWO_YEARS))
    s3.delete_object(Bucket=bucket, Key="blobs/c")

    found = look(s3, bucket, print, NOW)

    assert (found.versions, found.protected, found.held, found.size) == (5, 3, 2, 25)
    assert found.modes == {"GOVERNANCE": 2}
    assert found.until == IN_TWO_YEARS
    told = "\n".join(found.describe())
    assert told.startswith(
        f"{bucket}: 3 of 5 versions are protected (2 under GOVERNANCE retention, 2 under legal hold); "
        f"the last retention ends {IN_TWO_YEARS:%Y-%m-%dT%H:%M:%SZ}\n"
    )
    assert f"for example blobs/b (version {held}): legal hold" in told


def test_a_retention_that_has_ended_protects_nothing(s3: Any, bucket: str, put: Put) -> None:
    """It stays written on the version."""
    put("blobs/a", **retained(IN_A_YEAR))
    assert look(s3, bucket, print, IN_A_YEAR).protected == 0
    assert look(s3, bucket, print, IN_A_YEAR - timedelta(seconds=1)).protected == 1


def test_a_bucket_without_object_lock_has_nothing_locked(s3: Any) -> None:
    """What is in it is counted all the same."""
    name = f"free-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a", Body=b"bytes")
    found = look(s3, name, print)
    assert (found.versions, found.size, found.protected) == (1, 5, 0)
    empty(s3, name, print)
    s3.delete_bucket(Bucket=name)


def test_a_bucket_that_cannot_be_looked_into_is_taken_for_locked(s3: Any) -> None:
    """Nothing is destroyed on a guess."""
    with pytest.raises(DeploymentError, match=r"cannot be told .*nothing is destroyed"):
        look(s3, f"none-{uuid.uuid4().hex}", print)


def test_emptying_takes_versions_and_markers_and_stops_at_a_lock(s3: Any, bucket: str, put: Put) -> None:
    """One in governance mode as well, although the caller might bypass it."""
    put("free")
    put("free")
    s3.delete_object(Bucket=bucket, Key="free")
    locked = put("blobs/a", **retained(IN_A_YEAR))
    said: list[str] = []

    with pytest.raises(DeploymentError, match=rf"S3 keeps 1 versions in {bucket} \(the first: blobs/a"):
        empty(s3, bucket, said.append)

    left = s3.list_object_versions(Bucket=bucket)
    assert [version["VersionId"] for version in left["Versions"]] == [locked]
    assert "DeleteMarkers" not in left
    assert said == [f"{bucket}: 3 versions deleted"]


def test_emptying_what_is_empty_says_nothing(s3: Any, bucket: str) -> None:
    """So a destruction that was interrupted can be repeated."""
    empty(s3, bucket, pytest.fail)


def test_what_somebody_else_deleted_meanwhile_is_gone_as_well(s3: Any, bucket: str, put: Put) -> None:
    """Between the list and the deletion; nobody is told that S3 keeps it."""
    put("mine")
    theirs = put("theirs")
    said: list[str] = []

    def delete_first(**_: object) -> None:
        s3.delete_object(Bucket=bucket, Key="theirs", VersionId=theirs)

    s3.meta.events.register("before-call.s3.DeleteObjects", delete_first)
    try:
        empty(s3, bucket, said.append)
    finally:
        s3.meta.events.unregister("before-call.s3.DeleteObjects", delete_first)

    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
    assert said == [f"{bucket}: 1 versions deleted"]
