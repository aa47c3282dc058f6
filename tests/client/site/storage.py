"""S3 as presigned URLs show it, over the bucket in memory: the URLs are those of ``FakeBlobStore``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from typing import TYPE_CHECKING

from service.ports import KeyMissing, Ticket
from tests.client.site.answers import Given, s3_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.in_memory import InMemoryBucket

SCHEME = "memory://"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(frozen=True)
class Storage:
    """Answers PUT and GET of presigned URLs."""

    bucket: InMemoryBucket

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Given:
        """One request."""
        action = url.removeprefix(SCHEME).partition("|")[0]
        if (method, action) == ("GET", "get"):
            return self._get(url, headers)
        if headers.get("Content-Length") != str(len(body)):
            return s3_error(400, "IncompleteBody")
        if (method, action) == ("PUT", "put"):
            return self._put(url, headers, body)
        if (method, action) == ("PUT", "part"):
            return self._put_part(url, body)
        return s3_error(403, "SignatureDoesNotMatch")

    def _put(self, url: str, headers: Mapping[str, str], body: bytes) -> Given:
        if headers.get("x-amz-checksum-sha256") != url.split("|")[2]:
            return s3_error(403, "SignatureDoesNotMatch")
        try:
            etag = self.bucket.send(Ticket(url, {}, datetime.now(UTC)), body)
        except ValueError:
            return s3_error(400, "BadDigest")
        return Given(200, {"ETag": etag})

    def _put_part(self, url: str, body: bytes) -> Given:
        _, _, upload_id, number = url.removeprefix(SCHEME).split("|")
        with self.bucket.lock:
            if upload_id not in self.bucket.uploads:
                return s3_error(404, "NoSuchUpload")
            self.bucket.uploads[upload_id][1][int(number)] = body
        return Given(200, {"ETag": f'"{md5(body, usedforsecurity=False).hexdigest()}"'})

    def _get(self, url: str, headers: Mapping[str, str]) -> Given:
        try:
            body = self.bucket.fetch(url)
        except KeyMissing:
            return s3_error(404, "NoSuchVersion")
        asked = _RANGE.fullmatch(headers.get("Range", ""))
        if not asked:
            return Given(200, {"Content-Length": str(len(body))}, body)
        first, last = int(asked.group(1)), min(int(asked.group(2)), len(body) - 1)
        if first >= len(body):
            return s3_error(416, "InvalidRange")
        of_range = {
            "Content-Range": f"bytes {first}-{last}/{len(body)}",
            "Content-Length": str(last - first + 1),
        }
        return Given(206, of_range, body[first : last + 1])
