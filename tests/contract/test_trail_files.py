"""A trail's files: what every implementation promises, held over memory and over S3 in a reader's session."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from msgspec.structs import replace

from service.audit.log_files import delivered, records
from service.audit.ports import FileMissing, TrailIdentity
from service.aws.clients import sts_client
from service.aws.personas import Personas
from service.aws.trail_files import S3TrailFiles
from service.bootstrap import build_stores
from service.domain.access import Grant, Principal, Role
from service.errors import Forbidden
from service.settings import service_settings
from tests.fakes.audit import FakeTrailFiles
from tests.people import DS_FRAUD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.audit.ports import TrailFiles
    from tests.local_aws import LocalStack

NOON = datetime(2020, 2, 29, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Trail:
    """The files under test, in a region nobody else's files are in, and how a file gets there."""

    files: TrailFiles
    put: Callable[[str, bytes, dict[str, str]], None]

    @property
    def folder(self) -> str:
        """Where they lie."""
        identity = self.files.identity
        return f"{identity.prefix}AWSLogs/{identity.account}/CloudTrail/{identity.region}/"

    def log(self, minute: datetime, body: bytes = b"") -> str:
        """Deliver a log file; answers its key."""
        identity = self.files.identity
        opening = f"{identity.account}_CloudTrail_{identity.region}"
        name = f"{opening}_{minute:%Y%m%dT%H%MZ}_{uuid4().hex[:16]}.json.gz"
        key = f"{self.folder}{minute:%Y/%m/%d}/{name}"
        self.put(key, body, {})
        return key


def _in_memory(region: str) -> Trail:
    files = FakeTrailFiles(TrailIdentity("000000000000", region, "smas", "us-east-1", "trail"))

    def put(key: str, body: bytes, metadata: dict[str, str]) -> None:
        files.bodies[key] = body
        files.attached[key] = metadata

    return Trail(files, put)


def _files_of(
    local_aws: LocalStack, monkeypatch: pytest.MonkeyPatch, who: Principal, region: str
) -> TrailFiles:
    for name, value in {**local_aws.environment, "AWS_PROFILE": "smas-service"}.items():
        monkeypatch.setenv(name, value)
    settings = service_settings(local_aws.environment)
    personas = Personas(sts_client(settings.storage), settings.storage.role_prefix, url_seconds=60)
    identity = TrailIdentity("000000000000", region, "smas", "us-east-1", settings.audit.trail_bucket)
    bucket = replace(build_stores(settings.storage).bucket, name=settings.audit.trail_bucket)
    return S3TrailFiles(bucket, personas.session(who, who.grants[0]), identity)


def _reader(role: Role) -> Principal:
    grants = (Grant(role, None),)
    return Principal(f"sub-of-{role.value}", role.value, "people", uuid4().hex, datetime.now(UTC), grants)


def _in_s3(region: str, local_aws: LocalStack, monkeypatch: pytest.MonkeyPatch, role: Role) -> Trail:
    root, bucket = local_aws.root_client("s3"), local_aws.environment["SMAS_TRAIL_BUCKET"]

    def put(key: str, body: bytes, metadata: dict[str, str]) -> None:
        root.put_object(Bucket=bucket, Key=key, Body=body, Metadata=metadata)

    return Trail(_files_of(local_aws, monkeypatch, _reader(role), region), put)


@pytest.fixture
def writable(local_aws: LocalStack) -> Iterator[None]:
    """The trail's bucket without its policy, which lets nobody but CloudTrail write."""
    root, bucket = local_aws.root_client("s3"), local_aws.environment["SMAS_TRAIL_BUCKET"]
    policy = root.get_bucket_policy(Bucket=bucket)["Policy"]
    root.delete_bucket_policy(Bucket=bucket)
    yield
    root.put_bucket_policy(Bucket=bucket, Policy=policy)


@pytest.fixture(
    params=[
        "memory",
        pytest.param(Role.COMPLIANCE, marks=pytest.mark.local_aws),
        pytest.param(Role.AUDITOR, marks=pytest.mark.local_aws),
    ]
)
def trail(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Trail:
    """The files under test."""
    region = f"xx-test-{uuid4().hex[:8]}"
    if request.param == "memory":
        return _in_memory(region)
    request.getfixturevalue("writable")
    return _in_s3(region, request.getfixturevalue("local_aws"), monkeypatch, request.param)


def test_files_are_listed_in_the_order_of_their_keys(trail: Trail) -> None:
    """After a key, at most so many, with where to go on."""
    keys = sorted(trail.log(NOON + timedelta(minutes=number), b"x" * number) for number in range(5))
    first = trail.files.files(trail.folder, limit=3)
    assert [(file.key, file.size) for file in first.items] == [(key, keys.index(key)) for key in keys[:3]]
    rest = trail.files.files(trail.folder, after=first.next, limit=3)
    assert ([file.key for file in rest.items], rest.next) == (keys[3:], None)
    assert trail.files.files(f"{trail.folder}2019/").items == ()


def test_a_file_is_read_as_it_is_stored(trail: Trail) -> None:
    """Compressed, byte by byte."""
    body = gzip.compress(b'{"Records": []}')
    key = trail.log(NOON, body)
    assert trail.files.read(key) == body
    assert records(trail.files.read(key)) == []


def test_files_are_read_in_order(trail: Trail) -> None:
    """Side by side or not; one that is missing is None in its place."""
    keys = [trail.log(NOON + timedelta(minutes=number), bytes([number])) for number in range(20)]
    asked = [*keys[:7], f"{trail.folder}missing", *keys[7:]]
    wanted = [*(bytes([number]) for number in range(7)), None, *(bytes([number]) for number in range(7, 20))]
    assert list(trail.files.read_many(asked)) == wanted
    assert list(trail.files.read_many([])) == []


def test_reading_stops_where_its_reader_does(trail: Trail) -> None:
    """No more than a few keys ahead are asked for."""
    keys = [trail.log(NOON, bytes([number])) for number in range(20)]
    asked: list[str] = []

    def ask() -> Iterator[str]:
        for key in keys:
            asked.append(key)
            yield key

    assert list(islice(trail.files.read_many(ask()), 2)) == [b"\0", b"\1"]
    assert len(asked) < 12


def test_a_file_carries_its_metadata(trail: Trail) -> None:
    """A digest's signature is there."""
    key = f"{trail.folder}digest"
    trail.put(key, b"", {"signature": "0f", "signature-algorithm": "SHA256withRSA"})
    metadata = trail.files.metadata(key)
    assert (metadata["signature"], metadata["signature-algorithm"]) == ("0f", "SHA256withRSA")


def test_a_missing_file_is_missing(trail: Trail) -> None:
    """Not refused, though the reader may list only below a prefix."""
    for ask in (trail.files.read, trail.files.metadata):
        with pytest.raises(FileMissing):
            ask(f"{trail.folder}missing")


def test_log_files_are_found_by_their_days(trail: Trail) -> None:
    """Newest first."""
    keys = [trail.log(NOON - timedelta(hours=hours)) for hours in (0, 30, 300)]
    assert [file.key for file in delivered(trail.files, NOON - timedelta(days=30), NOON)] == keys


@pytest.mark.local_aws
def test_a_data_scientist_reads_nothing_of_it(local_aws: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS itself refuses the session."""
    files = _files_of(local_aws, monkeypatch, DS_FRAUD, "us-east-1")
    with pytest.raises(Forbidden):
        files.files("AWSLogs/")
    with pytest.raises(Forbidden):
        files.read("AWSLogs/x")
