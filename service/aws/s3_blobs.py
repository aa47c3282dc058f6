"""Bytes in S3: URLs for clients, streamed reads for the verifier."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from botocore.exceptions import ClientError

from service.aws.failures import code_of, translated
from service.aws.personas import acting_as
from service.aws.s3_objects import found
from service.ports import Page, Part, PartsMismatch, Ticket, UploadMissing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from service.aws.personas import PersonaSession
    from service.aws.presign import Presigner
    from service.aws.s3_objects import Bucket

CHUNK_BYTES: Final = 16 * 1024 * 1024
# Chunks under way at once while hashing: 64 MiB in memory whatever the blob's size.
_AHEAD: Final = 4
_PARTS_REFUSED: Final = frozenset(
    {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "EntityTooLarge", "MalformedXML", "InvalidRequest"}
)


class S3BlobStore(msgspec.Struct, frozen=True):
    """``BlobStore`` in one persona's session."""

    bucket: Bucket
    session: PersonaSession
    presigner: Presigner
    url_seconds: int

    def upload_ticket(self, key: str, sha256: str) -> Ticket:
        """See ``BlobStore.upload_ticket``."""
        headers = {"x-amz-checksum-sha256": b64encode(bytes.fromhex(sha256)).decode()}
        return self._ticket("PUT", key, headers=headers)

    def start_multipart(self, key: str) -> str:
        """See ``BlobStore.start_multipart``.

        Without a checksum algorithm: with one, every part would need a header that clients may not know;
        S3 keeps a whole-object CRC64NVME all the same, and the verifier reads the SHA-256 itself.
        """
        with acting_as(self.session), translated("S3"):
            return self.bucket.client.create_multipart_upload(Bucket=self.bucket.name, Key=key)["UploadId"]

    def parts(self, key: str, upload_id: str, *, after: int = 0, limit: int = 1000) -> Page[Part]:
        """See ``BlobStore.parts``."""
        with _uploading(key), acting_as(self.session), translated("S3"):
            answer = self.bucket.client.list_parts(
                Bucket=self.bucket.name, Key=key, UploadId=upload_id, PartNumberMarker=after, MaxParts=limit
            )
        items = tuple(
            Part(part["PartNumber"], part["Size"], part["ETag"].strip('"'))
            for part in answer.get("Parts", [])
        )
        return Page(items, str(items[-1].number) if answer.get("IsTruncated") and items else None)

    def part_tickets(self, key: str, upload_id: str, numbers: Sequence[int]) -> list[Ticket]:
        """See ``BlobStore.part_tickets``."""
        return [
            self._ticket("PUT", key, query={"partNumber": str(number), "uploadId": upload_id})
            for number in numbers
        ]

    def complete(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> None:
        """See ``BlobStore.complete``."""
        listed = [{"PartNumber": number, "ETag": f'"{etag}"'} for number, etag in parts]
        with _uploading(key), acting_as(self.session), translated("S3"):
            self.bucket.client.complete_multipart_upload(
                Bucket=self.bucket.name,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},  # type: ignore[typeddict-item]
            )

    def abort(self, key: str, upload_id: str) -> None:
        """See ``BlobStore.abort``."""
        with _uploading(key), acting_as(self.session), translated("S3"):
            self.bucket.client.abort_multipart_upload(Bucket=self.bucket.name, Key=key, UploadId=upload_id)

    def download_ticket(self, key: str, version_id: str, disposition: str) -> Ticket:
        """See ``BlobStore.download_ticket``."""
        query = {"versionId": version_id, "response-content-disposition": disposition}
        return self._ticket("GET", key, query=query)

    def checksum(self, key: str, version_id: str) -> tuple[int, str | None]:
        """See ``BlobStore.checksum``."""

        def head() -> HeadObjectOutputTypeDef:
            return self.bucket.client.head_object(
                Bucket=self.bucket.name, Key=key, VersionId=version_id, ChecksumMode="ENABLED"
            )

        answer = found(head, self.bucket, self.session, key, version_id)
        checksum = answer.get("ChecksumSHA256")
        # A multipart upload's SHA-256 is a checksum of its parts' checksums, not of the object.
        if checksum is None or answer.get("ChecksumType") == "COMPOSITE" or "-" in checksum:
            return answer["ContentLength"], None
        return answer["ContentLength"], b64decode(checksum).hex()

    def chunks(self, key: str, version_id: str) -> Iterator[bytes]:
        """See ``BlobStore.chunks``: ranges are read ahead on several connections and handed out in order."""
        size, _ = self.checksum(key, version_id)
        under_way: deque[Future[bytes]] = deque()
        for start in range(0, size, CHUNK_BYTES):
            end = min(start + CHUNK_BYTES, size) - 1
            under_way.append(self.bucket.threads.submit(self._range, key, version_id, start, end))
            if len(under_way) >= _AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def _range(self, key: str, version_id: str, start: int, end: int) -> bytes:
        def fetch() -> bytes:
            answer = self.bucket.client.get_object(
                Bucket=self.bucket.name, Key=key, VersionId=version_id, Range=f"bytes={start}-{end}"
            )
            with answer["Body"] as body:
                return body.read()

        return found(fetch, self.bucket, self.session, key, version_id)

    def _ticket(
        self,
        method: str,
        key: str,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Ticket:
        now = datetime.now(UTC)
        url = self.presigner.sign(
            method,
            key,
            self.session.credentials,
            now=now,
            seconds=self.url_seconds,
            query=query,
            headers=headers,
        )
        return Ticket(url, headers or {}, now + timedelta(seconds=self.url_seconds))


@contextmanager
def _uploading(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if code_of(error) == "NoSuchUpload":
            raise UploadMissing(key) from error
        if code_of(error) in _PARTS_REFUSED:
            raise PartsMismatch(key) from error
        raise
