"""What nobody can destroy: what is retained or on legal hold, what was published, what the trail wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.access import CREATE_ONLY
from tests.stack.stored_models import OPENED

if TYPE_CHECKING:
    from tests.aws.deployed import Deployed
    from tests.stack.stored_models import StoredModels

# For as long as the test may take; the end of the run, which removes what it locked, waits for it.
LOCKED = timedelta(seconds=15)


@pytest.fixture
def s3(deployed: Deployed) -> Any:
    """S3 as an administrator has it."""
    return deployed.root_client("s3")


def refused(call: Any, **parameters: Any) -> bool:
    """Whether a call is denied, and not merely wrong."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return bool(caught.value.response["Error"]["Code"] == "AccessDenied")


def test_a_retained_version_stays(models: StoredModels, s3: Any) -> None:
    """Whoever asks, and with the right to bypass a retention as well: it is neither deleted nor shortened."""
    blob, until = models.new_blob(**OPENED), datetime.now(UTC) + LOCKED
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    s3.put_object_retention(**blob, Retention=retention)
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": until - LOCKED / 2}
    for bypass in ({}, {"BypassGovernanceRetention": True}):
        assert refused(s3.delete_object, **blob, **bypass)
        assert refused(s3.put_object_retention, **blob, Retention=shorter, **bypass)
    held = s3.get_object_retention(**blob)["Retention"]
    assert abs(held["RetainUntilDate"] - until) < timedelta(seconds=1)


def test_a_version_under_legal_hold_stays_until_it_is_lifted(models: StoredModels, s3: Any) -> None:
    """Not deleted while it holds, and then like any other."""
    blob = models.new_blob(**OPENED)
    s3.put_object_legal_hold(**blob, LegalHold={"Status": "ON"})
    assert refused(s3.delete_object, **blob)
    assert refused(s3.delete_object, **blob, BypassGovernanceRetention=True)
    s3.put_object_legal_hold(**blob, LegalHold={"Status": "OFF"})
    s3.delete_object(**blob)
    left = s3.list_object_versions(Bucket=blob["Bucket"], Prefix=blob["Key"])
    assert "Versions" not in left


@pytest.mark.parametrize("kind", ["blobs", "manifests", "protected", "verdicts"])
def test_what_was_published_is_never_hidden(models: StoredModels, s3: Any, kind: str) -> None:
    """A delete marker would hide it: nobody sets one, an administrator neither."""
    assert refused(s3.delete_object, **models.place(kind))
    assert s3.head_object(**models.place(kind))["VersionId"]


@pytest.mark.parametrize("kind", sorted(CREATE_ONLY))
def test_what_is_immutable_is_only_ever_created(models: StoredModels, s3: Any, kind: str) -> None:
    """The bucket's policy sees whether a write says so: without the header none passes, with it one."""
    place, under = models.new(kind), models.encrypted(kind)
    assert refused(s3.put_object, **place, Body=b"{}", **under)
    s3.put_object(**place, Body=b"{}", IfNoneMatch="*", **under)
    assert refused(s3.put_object, **place, Body=b"forged", **under)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**place, Body=b"forged", IfNoneMatch="*", **under)


def test_what_the_trail_wrote_stays(deployed: Deployed, s3: Any) -> None:
    """Its bucket locks whatever is delivered, and lets nobody write or delete, there or not."""
    deployed.hasten()
    about = deployed.stack
    bucket, folder = about["trail_bucket"], f"AWSLogs/{about['account']}/"
    rule = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"].get("Rule")
    if rule is None and not deployed.is_aws:
        pytest.skip("the local trail's bucket has no default retention, so that it can be thrown away")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}CloudTrail/", MaxKeys=1)["Contents"]
    held = s3.get_object_retention(Bucket=bucket, Key=found[0]["Key"])["Retention"]
    assert held["RetainUntilDate"] > datetime.now(UTC)
    assert rule["DefaultRetention"]["Mode"] == held["Mode"]


@pytest.mark.parametrize("bypass", [False, True])
def test_nobody_writes_or_deletes_in_the_trail(deployed: Deployed, s3: Any, *, bypass: bool) -> None:
    """Tried on a file that is not there, so that the real ones are in no danger."""
    about = deployed.stack
    place = {"Bucket": about["trail_bucket"], "Key": f"AWSLogs/{about['account']}/aws-test.json.gz"}
    more = {"BypassGovernanceRetention": True} if bypass else {}
    assert refused(s3.put_object, **place, Body=b"")
    assert refused(s3.delete_object, **place, **more)
    assert refused(s3.delete_object, **place, VersionId="null", **more)
