"""Missing objects and refused sessions, which S3 does not always tell apart, in botocore's own errors.

What a server does on top of that, ``tests/contract`` asks.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from service.aws.known_keys import KnownKeys
from service.aws.personas import PersonaSession
from service.aws.presign import Presigner
from service.aws.s3_blobs import S3BlobStore
from service.aws.s3_objects import Bucket, S3ObjectStore
from service.errors import Forbidden
from service.ports import KeyMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
KEY = "blobs/fraud/m/" + "a" * 64


class Storage:
    """An S3 that answers call by call as it is told, and both stores over it."""

    def __init__(self) -> None:
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        self.stub = Stubber(client)
        session = PersonaSession(ReadOnlyCredentials("a", "b", "c", None), NOW + timedelta(hours=1))
        self.threads = ThreadPoolExecutor(1)
        self.known = KnownKeys()
        bucket = Bucket(client, "b", "key", self.threads, self.known)
        self.objects = S3ObjectStore(bucket, session)
        self.blobs = S3BlobStore(bucket, session, Presigner("https://b", "us-east-1"), 900)

    def refuses(self, operation: str, code: str, status: int) -> None:
        """The next call is this one, and fails like that."""
        self.stub.add_client_error(operation, service_error_code=code, http_status_code=status)

    def answers(self, operation: str, answer: dict[str, Any]) -> None:
        """The next call is this one, and succeeds."""
        self.stub.add_response(operation, answer)

    def lists(self, *versions: str) -> None:
        """The next call asks for the versions of the key, and is shown these."""
        items = [
            {"Key": KEY, "VersionId": version, "Size": 1, "LastModified": NOW, "IsLatest": False}
            for version in versions
        ]
        self.stub.add_response("list_object_versions", {"IsTruncated": False, "Versions": items})

    def lists_keys(self, *keys: str) -> None:
        """The next call asks for keys, and is shown these."""
        items = [{"Key": key, "Size": 1, "LastModified": NOW} for key in keys]
        answer: dict[str, Any] = {"IsTruncated": False, "Contents": items}
        asked = {"Bucket": "b", "Prefix": KEY, "MaxKeys": 1}
        self.stub.add_response("list_objects_v2", answer, asked)


@pytest.fixture
def storage() -> Iterator[Storage]:
    """Asked, in the end, for everything it was told to answer."""
    made = Storage()
    with made.stub:
        yield made
        made.stub.assert_no_pending_responses()
    made.threads.shutdown()


@pytest.mark.parametrize(
    ("code", "status"), [("NoSuchKey", 404), ("NoSuchVersion", 404), ("MethodNotAllowed", 405)]
)
def test_what_s3_calls_missing_is_missing(storage: Storage, code: str, status: int) -> None:
    """Without another question."""
    storage.refuses("get_object", code, status)
    with pytest.raises(KeyMissing):
        storage.objects.get(KEY, "v1")


@pytest.mark.parametrize(("code", "status"), [("404", 404), ("405", 405)])
def test_a_head_has_only_its_status(storage: Storage, code: str, status: int) -> None:
    """Its answer has no body, so the status is the code; 405 is a delete marker's."""
    storage.refuses("head_object", code, status)
    with pytest.raises(KeyMissing):
        storage.blobs.checksum(KEY, "v1")


RECORD: dict[str, Any] = {"ETag": '"e"', "LastModified": NOW}


def body() -> dict[str, Any]:
    """A record as S3 hands it out."""
    return {"Body": StreamingBody(io.BytesIO(b"{}"), 2), **RECORD}


def test_what_nobody_has_seen_is_looked_for_before_it_is_fetched(storage: Storage) -> None:
    """A GET of a missing key would be recorded as a refusal of its person; a neighbour is not it."""
    storage.lists_keys(KEY + "b")
    with pytest.raises(KeyMissing):
        storage.objects.get(KEY)


def test_what_was_seen_is_fetched_at_once(storage: Storage) -> None:
    """By a list, or by a fetch before."""
    storage.lists_keys(KEY)
    storage.answers("get_object", body())
    storage.answers("get_object", body())
    assert [storage.objects.get(KEY).body for _ in range(2)] == [b"{}", b"{}"]


def test_what_was_created_is_fetched_at_once(storage: Storage) -> None:
    """Whoever wrote it has seen it."""
    storage.answers("put_object", {"ETag": '"e"'})
    storage.answers("get_object", body())
    storage.objects.create(KEY, b"{}")
    assert storage.objects.get(KEY).body == b"{}"


def test_what_goes_away_again_is_looked_for_each_time(storage: Storage) -> None:
    """An open upload's record is removed by whoever completes it, in whichever process."""
    key = KEY.replace("blobs/", "uploads/")
    storage.answers("put_object", {"ETag": '"e"'})
    storage.answers("list_objects_v2", {"IsTruncated": False, "Contents": []})
    storage.objects.create(key, b"{}")
    with pytest.raises(KeyMissing):
        storage.objects.get(key)


def test_a_refusal_of_what_was_just_listed_is_a_refusal(storage: Storage) -> None:
    """And is asked for once: each time would be another refusal in the trail."""
    storage.lists_keys(KEY)
    storage.refuses("get_object", "AccessDenied", 403)
    with pytest.raises(Forbidden):
        storage.objects.get(KEY)


def test_a_key_that_goes_away_after_it_was_listed_is_missing(storage: Storage) -> None:
    """Not an error that nobody expects."""
    storage.lists_keys(KEY)
    storage.refuses("get_object", "NoSuchKey", 404)
    with pytest.raises(KeyMissing):
        storage.objects.get(KEY)


def test_a_known_key_that_is_gone_is_forgotten(storage: Storage) -> None:
    """And looked for from then on."""
    storage.known.add([KEY])
    storage.refuses("get_object", "NoSuchKey", 404)
    storage.lists_keys()
    for _ in range(2):
        with pytest.raises(KeyMissing):
            storage.objects.get(KEY)


def test_no_more_keys_are_known_than_there_is_room_for() -> None:
    """The oldest are forgotten."""
    known = KnownKeys(most=3)
    known.add(f"cards/fraud/{number}.json" for number in range(5))
    assert [f"cards/fraud/{number}.json" in known for number in range(5)] == [False, False, True, True, True]


def test_a_refusal_of_a_key_that_cannot_be_listed_is_a_missing_key(storage: Storage) -> None:
    """S3 answers 403 for a missing key where its list condition is not met; a neighbour is not it."""
    storage.known.add([KEY])
    storage.refuses("get_object", "AccessDenied", 403)
    storage.lists_keys(KEY + "b")
    with pytest.raises(KeyMissing):
        storage.objects.get(KEY)


def test_a_refusal_of_a_key_that_is_there_is_a_refusal(storage: Storage) -> None:
    """IAM's word stands, once the key has been asked for again."""
    storage.known.add([KEY])
    storage.refuses("get_object", "AccessDenied", 403)
    storage.lists_keys(KEY)
    storage.refuses("get_object", "AccessDenied", 403)
    with pytest.raises(Forbidden):
        storage.objects.get(KEY)


def test_a_key_that_comes_into_being_meanwhile_is_read(storage: Storage) -> None:
    """Refused for being missing, then listed: somebody has just written it."""
    storage.known.add([KEY])
    storage.refuses("get_object", "AccessDenied", 403)
    storage.lists_keys(KEY)
    storage.answers("get_object", body())
    assert storage.objects.get(KEY).body == b"{}"


def test_whoever_may_not_even_list_is_refused(storage: Storage) -> None:
    """And learns nothing about what is there."""
    storage.refuses("list_objects_v2", "AccessDenied", 403)
    with pytest.raises(Forbidden):
        storage.objects.get(KEY)


@pytest.mark.parametrize(("code", "status"), [("403", 403), ("400", 400)])
def test_a_blobs_version_that_never_was_is_missing(storage: Storage, code: str, status: int) -> None:
    """Else a manifest that names one, written past the service, would keep the verifier busy for ever."""
    storage.refuses("head_object", code, status)
    storage.lists("v1", "v2")
    with pytest.raises(KeyMissing):
        storage.blobs.checksum(KEY, "invented")


def test_tags_of_a_version_that_never_was_are_missing(storage: Storage) -> None:
    """S3 calls an invented version id a wrong argument."""
    storage.refuses("get_object_tagging", "InvalidArgument", 400)
    storage.lists()
    with pytest.raises(KeyMissing):
        storage.objects.tags(KEY, "invented")


def test_a_wrong_request_for_a_version_that_is_there_is_a_bug(storage: Storage) -> None:
    """It is not explained away as a missing version."""
    storage.refuses("get_object_tagging", "InvalidArgument", 400)
    storage.lists("v1")
    storage.refuses("get_object_tagging", "InvalidArgument", 400)
    with pytest.raises(ClientError):
        storage.objects.tags(KEY, "v1")


def test_a_refused_read_of_a_version_that_is_there_is_a_refusal(storage: Storage) -> None:
    """As of a blob that is not verified yet."""
    storage.refuses("head_object", "403", 403)
    storage.lists("v2", "v1")
    storage.refuses("head_object", "403", 403)
    with pytest.raises(Forbidden):
        storage.blobs.checksum(KEY, "v1")


@pytest.mark.parametrize("key", ["aliases/fraud/m/a.json", "aliases/fraud/m/with some spaces.json"])
@pytest.mark.parametrize("version", ["v1", ""])
def test_a_list_of_versions_goes_on_where_it_ended(storage: Storage, key: str, version: str) -> None:
    """Also after a key with spaces, which the service never writes but a person's own session may."""
    page = {
        "IsTruncated": True,
        "NextKeyMarker": key,
        **({"NextVersionIdMarker": version} if version else {}),
    }
    storage.stub.add_response("list_object_versions", page)
    following: dict[str, Any] = {"Bucket": "b", "Prefix": "p/", "MaxKeys": 1000, "KeyMarker": key}
    if version:
        following["VersionIdMarker"] = version
    storage.stub.add_response("list_object_versions", {"IsTruncated": False}, following)
    first = storage.objects.versions("p/")
    assert storage.objects.versions("p/", cursor=first.next).next is None


@pytest.mark.parametrize(
    ("checksum", "kind", "digest"),
    [
        (None, None, None),
        ("YWI=", "FULL_OBJECT", "6162"),
        ("YWI=", "COMPOSITE", None),
        ("YWI=-2", None, None),
    ],
)
def test_only_a_checksum_of_the_whole_object_counts(
    storage: Storage, checksum: str | None, kind: str | None, digest: str | None
) -> None:
    """A multipart upload's SHA-256 is one of its parts' checksums, and vouches for nothing."""
    answer: dict[str, Any] = {"ContentLength": 2}
    if checksum:
        answer["ChecksumSHA256"] = checksum
    if kind:
        answer["ChecksumType"] = kind
    asked = {"Bucket": "b", "Key": KEY, "VersionId": "v1", "ChecksumMode": "ENABLED"}
    storage.stub.add_response("head_object", answer, asked)
    assert storage.blobs.checksum(KEY, "v1") == (2, digest)
