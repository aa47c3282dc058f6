"""The AWS CLI's own `aws cloudtrail validate-logs` finds nothing wrong, or names what is."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from smas_emulator.cloudtrail.digests import Chain, SigningKeys, sign_digest
from smas_emulator.cloudtrail.trails import Trail

from tests.emulator.cloudtrail.account import ACCOUNT, BUCKET, NOON, REGION, Account
from tests.emulator.cloudtrail.aws_server import serving
from tests.local_aws import EMULATOR_PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.enable_socket
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"


def validate(account: Account) -> tuple[int, list[str], str]:
    """Exit code, the files that are said to be invalid, and all that was printed."""
    if not EMULATOR_PYTHON.exists():
        pytest.fail("The AWS CLI is not installed; run the tests with `make test`.", pytrace=False)
    command = [str(EMULATOR_PYTHON), "-m", "awscli", "cloudtrail", "validate-logs", "--verbose"]
    command += ["--trail-arn", ARN, "--start-time", "2026-11-24T11:00:00Z", "--end-time"]
    with serving(account) as endpoint:
        environment = {
            "PATH": "/usr/bin:/bin",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "no_proxy": "127.0.0.1",
        }
        ended = subprocess.run(
            [*command, "2026-11-24T13:00:00Z"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    text = ended.stdout + ended.stderr
    return ended.returncode, re.findall(rf"file\ts3://{BUCKET}/(\S+)\tINVALID", text), text


def minutes(account: Account, count: int) -> None:
    """In each minute something happens twice, and a digest ends it."""
    for _ in range(count):
        for _ in range(2):
            account.happens()
            account.delivery.deliver()
        account.clock.forward(minutes=1)
        account.delivery.sign()


@pytest.fixture
def trail(account: Account) -> Account:
    """An account whose trail has eight log files under four digests."""
    account.trail(EnableLogFileValidation=True, S3KeyPrefix="audit")
    minutes(account, 4)
    return account


def changed(account: Account, key: str) -> None:
    """One event was done by somebody else."""
    record = json.loads(gzip.decompress(account.buckets.files[BUCKET, key]))
    record["Records"][0]["userIdentity"]["arn"] = "arn:aws:iam::111122223333:user/mallory"
    account.buckets.files[BUCKET, key] = gzip.compress(json.dumps(record).encode())


def truncated(account: Account, key: str) -> None:
    """The file ends in the middle."""
    account.buckets.files[BUCKET, key] = account.buckets.files[BUCKET, key][:-40]


def deleted(account: Account, key: str) -> None:
    """The file is gone."""
    del account.buckets.files[BUCKET, key]


def replaced(account: Account, key: str) -> None:
    """The file is another, also a genuine one."""
    other = next(other for other in account.buckets.keys("CloudTrail") if other != key)
    account.buckets.files[BUCKET, key] = account.buckets.files[BUCKET, other]


def no_gzip(account: Account, key: str) -> None:
    """The file is something else."""
    account.buckets.files[BUCKET, key] = b"nothing happened"


def resigned(account: Account, key: str) -> None:
    """The digest names no log files, and is signed with a key of somebody else's."""
    trail = Trail("audit", ACCOUNT, REGION, BUCKET, key_prefix="audit", validation=True)
    digest = sign_digest(Chain(trail, REGION, NOON), [], NOON.replace(minute=2), SigningKeys(lambda: NOON))
    assert digest.key == key
    account.buckets.files[BUCKET, key] = digest.body
    account.buckets.metadata[BUCKET, key] = digest.metadata


def emptied(account: Account, key: str) -> None:
    """The digest names no log files, under the signature it had."""
    digest = json.loads(gzip.decompress(account.buckets.files[BUCKET, key]))
    account.buckets.files[BUCKET, key] = gzip.compress(json.dumps({**digest, "logFiles": []}).encode())


def unsigned(account: Account, key: str) -> None:
    """The digest's signature is gone."""
    account.buckets.metadata[BUCKET, key] = {}


def test_all_is_valid(trail: Account) -> None:
    """Every file of every digest."""
    code, invalid, text = validate(trail)

    assert (code, invalid) == (0, [])
    assert "4/4 digest files valid" in text
    assert "8/8 log files valid" in text
    assert "INVALID" not in text
    for key in [*trail.buckets.keys("CloudTrail"), *trail.buckets.keys("CloudTrail-Digest")]:
        assert f"s3://{BUCKET}/{key}\tvalid" in text


@pytest.mark.parametrize("tamper", [changed, truncated, deleted, replaced, no_gzip])
def test_a_log_file(trail: Account, tamper: Callable[[Account, str], None]) -> None:
    """Is named, and no other."""
    victim = trail.buckets.keys("CloudTrail")[3]
    tamper(trail, victim)
    code, invalid, text = validate(trail)

    assert (code, invalid) == (1, [victim]), text
    assert "7/8 log files valid, 1/8 log files INVALID" in text


@pytest.mark.parametrize("tamper", [deleted, resigned, emptied, unsigned, no_gzip])
def test_a_digest(trail: Account, tamper: Callable[[Account, str], None]) -> None:
    """Is named; the log files of the others are valid."""
    victim = trail.buckets.keys("CloudTrail-Digest")[1]
    tamper(trail, victim)
    code, invalid, text = validate(trail)

    assert code == 1
    assert set(invalid) == {victim}, text
    assert "3/4 digest files valid, 1/4 digest files INVALID" in text
    assert "6/6 log files valid" in text


def test_digests_that_changed_places(trail: Account) -> None:
    """Both are named: a signature is over the place as well."""
    first, second = ((BUCKET, key) for key in trail.buckets.keys("CloudTrail-Digest")[1:3])
    for kept in (trail.buckets.files, trail.buckets.metadata):
        kept[first], kept[second] = kept[second], kept[first]  # type: ignore[assignment]  # either is a dict
    code, invalid, text = validate(trail)

    assert code == 1
    assert set(invalid) == {first[1], second[1]}, text


def test_a_time_without_a_trail(trail: Account) -> None:
    """Is told of, and is no fault: the chain before it and the one after are valid."""
    trail.call("StopLogging", Name="audit")
    trail.delivery.sign()
    trail.clock.forward(minutes=5)
    trail.call("StartLogging", Name="audit")
    minutes(trail, 2)
    code, invalid, text = validate(trail)

    assert (code, invalid) == (0, []), text
    assert "7/7 digest files valid" in text
    assert "12/12 log files valid" in text
    assert (
        "No log files were delivered by CloudTrail between 2026-11-24T12:04:01Z and 2026-11-24T12:09:00Z"
        in text
    )


def test_a_trail_that_moved(trail: Account) -> None:
    """The chain leads from the new bucket into the old one."""
    trail.call("UpdateTrail", Name="audit", S3BucketName="other-logs")
    minutes(trail, 1)
    code, invalid, text = validate(trail)

    assert (code, invalid) == (0, []), text
    assert "5/5 digest files valid" in text
    assert "10/10 log files valid" in text
