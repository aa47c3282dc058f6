"""The bucket that these tests stand on answers as S3 does, and the client understands it so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from typing import TYPE_CHECKING

import pytest
from smas.errors import SmasError
from smas.transfer.presigned import Passing, UploadGone, UrlRefused, WrongBytes, get, put

from tests.client.site.answers import s3_error
from tests.fakes.in_memory import FakeBlobStore

if TYPE_CHECKING:
    from smas.transport import Transport

    from tests.client.site.wire import WsgiTransport

DATA = b"bytes of a model"
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture
def blobs(wire: WsgiTransport) -> FakeBlobStore:
    """Where URLs come from."""
    return FakeBlobStore(wire.site.bucket)


def test_it_is_a_transport(wire: WsgiTransport) -> None:
    """The protocol is the client's own: mypy holds this assignment to it."""
    transport: Transport = wire
    with pytest.raises(Exception, match="no whole answer"):
        transport.send("GET", "https://unknown.example/", {})


def test_whole_files_are_put_with_their_checksum(wire: WsgiTransport, blobs: FakeBlobStore) -> None:
    """The right bytes are stored; others are a BadDigest; without the signed header nothing is."""
    ticket = blobs.upload_ticket("blobs/fraud/m/x", DIGEST)
    with pytest.raises(WrongBytes, match=r"400 \(BadDigest\)"):
        put(wire, ticket.url, ticket.headers, b"other", 5)
    with pytest.raises(UrlRefused, match="403"):
        put(wire, ticket.url, {}, DATA, len(DATA))
    with pytest.raises(Passing, match="IncompleteBody"):
        put(wire, ticket.url, ticket.headers, DATA, len(DATA) + 1)
    assert wire.site.bucket.objects == {}
    assert put(wire, ticket.url, ticket.headers, DATA, len(DATA))
    current = wire.site.bucket.current("blobs/fraud/m/x")
    assert current is not None
    assert current.body == DATA


def test_parts_are_put_while_the_upload_is_open(wire: WsgiTransport, blobs: FakeBlobStore) -> None:
    """A part's ETag is the MD5 of its bytes; of an upload that has ended, S3 knows nothing any more."""
    upload_id = blobs.start_multipart("blobs/fraud/m/x")
    (ticket,) = blobs.part_tickets("blobs/fraud/m/x", upload_id, [1])
    etag = put(wire, ticket.url, ticket.headers, DATA, len(DATA))
    assert etag == md5(DATA, usedforsecurity=False).hexdigest()
    blobs.abort("blobs/fraud/m/x", upload_id)
    with pytest.raises(UploadGone, match=r"404 \(NoSuchUpload\)"):
        put(wire, ticket.url, ticket.headers, DATA, len(DATA))


def test_ranges_are_answered_as_asked(wire: WsgiTransport, blobs: FakeBlobStore) -> None:
    """206 with the very range, in blocks; beyond the end 416; a version that is gone 404."""
    stored = wire.site.bucket.put("blobs/fraud/m/x", DATA)
    url = blobs.download_ticket("blobs/fraud/m/x", stored.version_id, "attachment").url
    for start, end in ((0, len(DATA)), (0, 1), (3, 9), (len(DATA) - 1, len(DATA))):
        assert b"".join(get(wire, url, start, end, len(DATA), 4)) == DATA[start:end]
    answer = wire.send("GET", url, {"Range": "bytes=2-99"})
    assert (answer.status, answer.headers["content-range"]) == (206, f"bytes 2-15/{len(DATA)}")
    assert (wire.send("GET", url, {}).status, wire.send("GET", url, {"Range": "bytes=16-20"}).status) == (
        200,
        416,
    )
    gone = blobs.download_ticket("blobs/fraud/m/x", "other", "attachment").url
    with pytest.raises(SmasError, match=r"404 \(NoSuchVersion\)"):
        list(get(wire, gone, 0, 1, 1, 1))


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (403, "AccessDenied", UrlRefused),
        (403, "SignatureDoesNotMatch", UrlRefused),
        (400, "ExpiredToken", UrlRefused),
        (400, "TokenRefreshRequired", UrlRefused),
        (400, "RequestTimeout", Passing),
        (500, "InternalError", Passing),
        (503, "SlowDown", Passing),
        (409, "OperationAborted", Passing),
        (400, "InvalidDigest", WrongBytes),
        (400, "XAmzContentChecksumMismatch", WrongBytes),
        (404, "NoSuchUpload", UploadGone),
        (404, "NoSuchBucket", SmasError),
        (400, "EntityTooLarge", SmasError),
        (301, "PermanentRedirect", SmasError),
    ],
)
def test_s3_s_refusals_have_their_meaning(
    wire: WsgiTransport, blobs: FakeBlobStore, status: int, code: str, meaning: type[Exception]
) -> None:
    """Codes of the S3 API reference: what another try, another URL, or nothing would cure."""
    ticket = blobs.upload_ticket("blobs/fraud/m/x", DIGEST)
    wire.instead("PUT", ticket.url, lambda _: s3_error(status, code))
    with pytest.raises(meaning, match=rf"{status} \({code}\)"):
        put(wire, ticket.url, ticket.headers, DATA, len(DATA))


def test_tickets_say_how_long_they_last(blobs: FakeBlobStore) -> None:
    """Some minutes: what the client asks for at once must be used within them."""
    left = blobs.upload_ticket("blobs/fraud/m/x", DIGEST).expires_at - datetime.now(UTC)
    assert timedelta(minutes=10) < left < timedelta(hours=1)
