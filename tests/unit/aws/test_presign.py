"""Presigned URLs made by hand are those botocore makes, to the last byte of the signature.

Nothing freezes the clock: botocore signs with its own, and we sign for the moment its URL names.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.aws.clients import s3_client
from service.aws.personas import ActingCredentials, PersonaSession, acting_as
from service.aws.presign import Presigner
from service.bootstrap import bucket_url
from service.settings import StorageSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "smas-models"
# AWS itself, another region of it, a local endpoint with a port, an address with a folder and AWS's port.
PLACES = (
    ("us-east-1", None),
    ("eu-central-1", None),
    ("us-east-1", "http://localhost:4566"),
    ("us-east-1", "https://s3.example.test:443"),
)
PLAIN = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None)
SESSION = ReadOnlyCredentials("ASIDEXAMPLE", "another/secret+key", "IQoJb3JpZ2lu/+=&?% token==", None)


def storage(region: str, endpoint: str | None) -> StorageSettings:
    """Settings of a process that reaches S3 there."""
    return StorageSettings(BUCKET, region, "arn:aws:iam::000000000000:role/smas-", "", endpoint)


@cache
def client(region: str, endpoint: str | None) -> S3Client:
    """A client as the service builds it, but told to presign with Signature Version 4."""
    made = s3_client(storage(region, endpoint), ActingCredentials())
    made.meta.events.register_first("choose-signer.s3", _version_4)
    return made


def _version_4(**_: Any) -> Any:
    return "s3v4"


@cache
def presigner(region: str, endpoint: str | None) -> Presigner:
    """A presigner as the service builds it."""
    made = s3_client(storage(region, endpoint), ActingCredentials())
    return Presigner(bucket_url(made, BUCKET), region)


def botocores(
    place: tuple[str, str | None],
    credentials: ReadOnlyCredentials,
    operation: str,
    parameters: dict[str, Any],
    seconds: int,
) -> str:
    """The URL botocore presigns."""
    expires = datetime.now(UTC) + timedelta(hours=1)
    with acting_as(PersonaSession(credentials, expires)):
        return client(*place).generate_presigned_url(
            operation, Params={"Bucket": BUCKET, **parameters}, ExpiresIn=seconds
        )


def assert_equal_to_botocores(
    place: tuple[str, str | None],
    credentials: ReadOnlyCredentials,
    operation: str,
    parameters: dict[str, Any],
    seconds: int = 900,
    **signed: Any,
) -> None:
    """Our URL goes to the same address, asks for the same, and carries the same signature."""
    theirs = urlsplit(botocores(place, credentials, operation, parameters, seconds))
    asked = dict(parse_qsl(theirs.query, keep_blank_values=True))
    now = datetime.strptime(asked["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    method = "GET" if operation == "get_object" else "PUT"
    url = presigner(*place).sign(method, parameters["Key"], credentials, now=now, seconds=seconds, **signed)
    ours = urlsplit(url)
    assert dict(parse_qsl(ours.query, keep_blank_values=True, strict_parsing=True)) == asked
    assert (ours.scheme, ours.netloc, ours.path) == (theirs.scheme, theirs.netloc, theirs.path)


def keys() -> st.SearchStrategy[str]:
    """Keys odder than any the service makes; never with a leading slash, which no client keeps."""
    text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
    return text.filter(lambda key: not key.startswith("/")).map(lambda key: f"blobs/fraud/{key}")


places = st.sampled_from(PLACES)
identities = st.sampled_from([PLAIN, SESSION])


@settings(max_examples=60, deadline=None)
@given(
    place=places,
    who=identities,
    key=keys(),
    version=st.text("aZ09._-", min_size=1),
    name=st.text(max_size=20),
)
@example(place=PLACES[0], who=SESSION, key="blobs/a//b/../c/./d", version="null", name='a b+c%"é\\;&=.bin')
@example(
    place=PLACES[2], who=SESSION, key="blobs/~a!b'(c)*d%2Fe+f g?h#i@j:k", version="v", name="\U0001f600\n"
)
def test_downloads_are_signed_as_botocore_does(
    place: tuple[str, str | None], who: ReadOnlyCredentials, key: str, version: str, name: str
) -> None:
    """A GET pinned to a version and saved under a name, whatever key and name."""
    try:
        disposition = f'attachment; filename="{name}"'.encode().decode()
    except UnicodeEncodeError:
        return
    query = {"versionId": version, "response-content-disposition": disposition}
    wanted = {"Key": key, "VersionId": version, "ResponseContentDisposition": disposition}
    assert_equal_to_botocores(place, who, "get_object", wanted, query=query)


@settings(max_examples=30, deadline=None)
@given(
    place=places,
    who=identities,
    key=keys(),
    digest=st.binary(min_size=32, max_size=32),
    seconds=st.integers(1, 3600),
)
def test_uploads_with_a_checksum_are_signed_as_botocore_does(
    place: tuple[str, str | None], who: ReadOnlyCredentials, key: str, digest: bytes, seconds: int
) -> None:
    """A PUT that must carry the SHA-256 as a signed header."""
    checksum = b64encode(digest).decode()
    headers = {"x-amz-checksum-sha256": checksum}
    wanted = {"Key": key, "ChecksumSHA256": checksum}
    assert_equal_to_botocores(place, who, "put_object", wanted, seconds, headers=headers)


@settings(max_examples=30, deadline=None)
@given(
    place=places,
    who=identities,
    key=keys(),
    number=st.integers(1, 10_000),
    upload=st.text("aZ09._-~+/=", min_size=1),
)
def test_parts_are_signed_as_botocore_does(
    place: tuple[str, str | None], who: ReadOnlyCredentials, key: str, number: int, upload: str
) -> None:
    """A PUT of one part, whatever S3 calls the upload."""
    query = {"partNumber": str(number), "uploadId": upload}
    wanted = {"Key": key, "PartNumber": number, "UploadId": upload}
    assert_equal_to_botocores(place, who, "upload_part", wanted, query=query)


@pytest.mark.parametrize(
    "changed", ["method", "key", "seconds", "query", "headers", "now", "secret", "token"]
)
def test_the_signature_covers_everything(changed: str) -> None:
    """A URL changed anywhere is another URL, and its signature another signature."""
    moment = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    request: dict[str, Any] = {
        "method": "PUT",
        "key": "blobs/a",
        "credentials": SESSION,
        "now": moment,
        "seconds": 900,
        "query": {"partNumber": "1"},
        "headers": {"x-amz-checksum-sha256": "YQ=="},
    }
    other: dict[str, Any] = {
        "method": {"method": "GET"},
        "key": {"key": "blobs/b"},
        "seconds": {"seconds": 901},
        "query": {"query": {"partNumber": "2"}},
        "headers": {"headers": {"x-amz-checksum-sha256": "Yg=="}},
        "now": {"now": moment + timedelta(seconds=1)},
        "secret": {"credentials": SESSION._replace(secret_key="x")},
        "token": {"credentials": SESSION._replace(token="x")},
    }
    signer = presigner("us-east-1", None)
    first, second = (signer.sign(**values) for values in (request, {**request, **other[changed]}))
    assert first.rpartition("=")[2] != second.rpartition("=")[2]


def test_the_secret_stays_out_of_the_url() -> None:
    """The URL names the key and carries the token, as AWS asks, and never the secret."""
    url = presigner("us-east-1", None).sign("GET", "k", SESSION, now=datetime.now(UTC), seconds=60)
    held = dict(parse_qsl(urlsplit(url).query))
    assert held["X-Amz-Credential"].startswith(f"{SESSION.access_key}/")
    assert held["X-Amz-Security-Token"] == SESSION.token
    assert "another" not in url


def test_credentials_given_to_a_client_are_the_ones_it_signs_with() -> None:
    """Whatever the process's own are."""
    given_client = s3_client(storage("us-east-1", None), Credentials("GIVEN", "secret"))
    url = given_client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "k"})
    assert "GIVEN" in url
