"""Presigned URLs, as the store signs them: what S3 takes, and that it takes nothing else."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import urllib3
from botocore.credentials import ReadOnlyCredentials

from service.aws.presign import Presigner
from tests.stack.sessions import persona
from tests.stack.stored_models import BYTES, OPENED

if TYPE_CHECKING:
    from tests.accounts import Keys
    from tests.aws.deployed import Deployed
    from tests.stack.stored_models import StoredModels

HTTP = urllib3.PoolManager(retries=False)
PART = b"a part of a model"
VERIFIED = {"smas-state": "verified"}


@dataclass(frozen=True)
class Signer:
    """Signs as the service does, in somebody's session."""

    keys: Keys
    presigner: Presigner

    @classmethod
    def of(cls, deployed: Deployed, keys: Keys) -> Signer:
        """For the store's bucket, at the address that AWS's own SDK has for it."""
        place = {"Bucket": deployed.bucket, "Key": "x"}
        url = urlsplit(keys.client(deployed, "s3").generate_presigned_url("get_object", Params=place))
        base = f"{url.scheme}://{url.netloc}{url.path.removesuffix('/x')}"
        return cls(keys, Presigner(base, deployed.stack["region"]))

    def url(self, method: str, key: str, *, age: int = 0, seconds: int = 300, **more: Any) -> str:
        """The URL for one request, signed `age` seconds ago for so many `seconds`."""
        credentials = ReadOnlyCredentials(self.keys.id, self.keys.secret, self.keys.token, None)
        begun = datetime.now(UTC) - timedelta(seconds=age)
        return self.presigner.sign(method, key, credentials, now=begun, seconds=seconds, **more)


@pytest.fixture(scope="module")
def signer(deployed: Deployed) -> Signer:
    """A data scientist of `fraud` signs."""
    return Signer.of(deployed, persona(deployed, "data-scientist", name="matrix", subject="sub-of-matrix"))


def answer(method: str, url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Status and body of a request with exactly these headers of its own."""
    said = HTTP.request(
        method, url, body=body, headers={name.replace("_", "-"): headers[name] for name in headers}
    )
    return said.status, said.data


def test_a_url_gives_these_bytes_and_nothing_else(models: StoredModels, signer: Signer) -> None:
    """Not another key, version, method, time or owner: whatever is changed, S3 refuses."""
    blob = models.new_blob(**VERIFIED)
    url = signer.url("GET", blob["Key"], query={"versionId": blob["VersionId"]})
    assert answer("GET", url) == (200, BYTES)
    head, _, signature = url.rpartition("X-Amz-Signature=")
    changed = {
        "key": url.replace(blob["Key"], models.place("blobs")["Key"]),
        "team": url.replace("/blobs/fraud/", "/blobs/nlp/"),
        "version": url.replace("versionId=", "versionId=x"),
        "no version": url.replace(f"&versionId={blob['VersionId']}", ""),
        "time": url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"),
        "signature": f"{head}X-Amz-Signature={signature[::-1]}",
        "session": url.replace("X-Amz-Security-Token=", "X-Amz-Security-Token=x"),
        "unsigned": url.partition("?")[0],
    }
    assert url not in changed.values()
    assert {why: answer("GET", each)[0] for why, each in changed.items()} == dict.fromkeys(changed, 403)
    assert answer("PUT", url, b"x")[0] == 403
    assert answer("DELETE", url)[0] == 403


def test_a_url_ends_when_it_says(models: StoredModels, signer: Signer) -> None:
    """Two minutes old, it is worth nothing if it was for one, and something if it was for five."""
    key = models.place("blobs")["Key"]
    assert answer("GET", signer.url("GET", key, age=120, seconds=300)) == (200, BYTES)
    assert answer("GET", signer.url("GET", key, age=120, seconds=60))[0] == 403


def test_a_signature_older_than_an_hour_is_refused(models: StoredModels, signer: Signer) -> None:
    """Whatever time the URL gives itself: the bucket's policy looks at the signature's age."""
    key = models.place("blobs")["Key"]
    assert answer("GET", signer.url("GET", key, age=3400, seconds=7200)) == (200, BYTES)
    status, body = answer("GET", signer.url("GET", key, age=3700, seconds=7200))
    assert status == 403
    assert b"expired" not in body.lower()


def test_a_new_tag_ends_every_url(models: StoredModels, signer: Signer) -> None:
    """At once, however long it would live; and it lives again when the bytes are verified again."""
    blob, s3 = models.new_blob(**VERIFIED), models.account.root_client("s3")
    url = signer.url("GET", blob["Key"], query={"versionId": blob["VersionId"]})
    assert answer("GET", url) == (200, BYTES)
    s3.put_object_tagging(**blob, Tagging={"TagSet": [{"Key": "smas-state", "Value": "quarantined"}]})
    assert answer("GET", url)[0] == 403
    s3.put_object_tagging(**blob, Tagging={"TagSet": [{"Key": "smas-state", "Value": "verified"}]})
    assert answer("GET", url) == (200, BYTES)
    s3.delete_object_tagging(**blob)
    assert answer("GET", url)[0] == 403


@pytest.mark.parametrize("role", ["deployer", "auditor", "custodian"])
def test_verified_bytes_are_for_whom_they_are_for(
    deployed: Deployed, models: StoredModels, role: str
) -> None:
    """A deployer's have to be released, too; auditors and custodians get no byte, whatever is in the tags."""
    team = "fraud" if role == "deployer" else None
    signed = Signer.of(deployed, persona(deployed, role, team=team, name="matrix"))
    verified, released = models.new_blob(**VERIFIED), models.new_blob(**OPENED)
    assert answer("GET", signed.url("GET", verified["Key"]))[0] == 403
    assert answer("GET", signed.url("GET", released["Key"]))[0] == (200 if role == "deployer" else 403)


def test_an_upload_takes_the_bytes_that_were_signed(models: StoredModels, signer: Signer) -> None:
    """A digest that was signed must come as it was, and be that of the bytes."""
    digest = base64.b64encode(hashlib.sha256(BYTES).digest()).decode()
    other = base64.b64encode(hashlib.sha256(b"others").digest()).decode()
    signed = {"x-amz-checksum-sha256": digest}
    url = signer.url("PUT", models.new("blobs")["Key"], headers=signed)
    assert answer("PUT", url, BYTES)[0] == 403
    assert answer("PUT", url, BYTES, x_amz_checksum_sha256=other)[0] == 403
    assert answer("PUT", url, b"others", **{"x-amz-checksum-sha256": digest})[0] == 400
    assert answer("PUT", url, BYTES, **signed)[0] == 200


def test_no_header_of_amazons_is_added_to_a_url(models: StoredModels, signer: Signer) -> None:
    """What was not signed is refused: no tags, no other key, no checksum of the sender's own."""
    url = signer.url("PUT", models.new("blobs")["Key"])
    digest = base64.b64encode(hashlib.sha256(BYTES).digest()).decode()
    for added in (
        {"x-amz-tagging": "smas-state=verified"},
        {"x-amz-server-side-encryption": "AES256"},
        {"x-amz-checksum-sha256": digest},
    ):
        assert answer("PUT", url, BYTES, **added)[0] == 403
    assert answer("PUT", url, BYTES)[0] == 200


def test_a_part_may_bring_its_md5_unsigned(deployed: Deployed, models: StoredModels, signer: Signer) -> None:
    """S3 holds the part against it, although the URL does not name the header."""
    s3 = signer.keys.client(deployed, "s3")
    place = models.new("blobs")
    upload = s3.create_multipart_upload(**place)["UploadId"]
    try:
        url = signer.url("PUT", place["Key"], query={"partNumber": "1", "uploadId": upload})
        md5 = {
            body: base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
            for body in (PART, b"other")
        }
        assert answer("PUT", url, PART, Content_MD5=md5[b"other"])[0] == 400
        assert answer("PUT", url, PART, Content_MD5=md5[PART])[0] == 200
        assert answer("PUT", url, b"without")[0] == 200
    finally:
        s3.abort_multipart_upload(**place, UploadId=upload)


def test_a_condition_that_was_signed_holds(deployed: Deployed, models: StoredModels, signer: Signer) -> None:
    """`If-None-Match` in a URL creates once: not without the header, and not again."""
    signed = {
        "if-none-match": "*",
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": deployed.stack["metadata_key_arn"],
    }
    url = signer.url("PUT", models.new("manifests")["Key"], headers=signed)
    without = {name: value for name, value in signed.items() if name != "if-none-match"}
    assert answer("PUT", url, b"{}", **without)[0] == 403
    assert answer("PUT", url, b"{}", **signed)[0] == 200
    assert answer("PUT", url, b"{}", **signed)[0] == 412


def test_what_is_missing_looks_refused_to_who_may_not_list_everything(
    deployed: Deployed, models: StoredModels, signer: Signer
) -> None:
    """The leave to list that S3 asks for has no prefix, so a right by prefix is none: 403, 404 to others."""
    administrator = Signer.of(deployed, deployed.caller_keys)
    for kind in ("cards", "blobs"):
        key = models.new(kind)["Key"]
        assert answer("GET", signer.url("GET", key))[0] == 403
        assert answer("GET", administrator.url("GET", key))[0] == 404
    listed = signer.keys.client(deployed, "s3").list_objects_v2(
        Bucket=deployed.bucket, Prefix=f"cards/fraud/{models.model}-{uuid.uuid4().hex}"
    )
    assert listed["KeyCount"] == 0
