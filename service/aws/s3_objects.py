"""Records in S3: compare-and-set with conditional writes, history with versioning."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from botocore.exceptions import ClientError

from service.aws.failures import code_of, translated
from service.aws.personas import acting_as
from service.errors import Forbidden
from service.ports import (
    MAX_RECORD_BYTES,
    Entry,
    EntryVersion,
    KeyChanged,
    KeyExists,
    KeyMissing,
    Page,
    Record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        GetObjectRequestTypeDef,
        ListObjectsV2RequestTypeDef,
        ListObjectVersionsRequestTypeDef,
        PutObjectRequestTypeDef,
    )

    from service.aws.known_keys import KnownKeys
    from service.aws.personas import PersonaSession

Argument = TypeVar("Argument")
Result = TypeVar("Result")

# A GET of a missing key is NoSuchKey (NoSuchVersion for a version); a HEAD has but its status.
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405"})
# A version id that S3 never gave out is no missing version to it but a wrong argument.
_DOUBTFUL: Final = frozenset({"InvalidArgument", "400"})
# 409: another conditional write of the key was under way, so ours must be tried again
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
_IN_FLIGHT: Final = "ConditionalRequestConflict"
_ATTEMPTS: Final = 10
_CURSOR_SEPARATOR: Final = " "


class Bucket(msgspec.Struct, frozen=True):
    """What the adapters of one process share: the client that signs as whoever acts, threads, known keys."""

    client: S3Client
    name: str
    metadata_key_arn: str
    threads: Executor
    known: KnownKeys


class S3ObjectStore(msgspec.Struct, frozen=True):
    """``ObjectStore`` in one persona's session."""

    bucket: Bucket
    session: PersonaSession

    def get(self, key: str, version_id: str | None = None) -> Record:
        """See ``ObjectStore.get``."""
        request: GetObjectRequestTypeDef = {"Bucket": self.bucket.name, "Key": key}
        if version_id:
            request["VersionId"] = version_id

        def fetch() -> Record:
            answer = self.bucket.client.get_object(**request)
            with answer["Body"] as body:
                return Record(
                    key=key,
                    body=body.read(MAX_RECORD_BYTES),
                    etag=answer["ETag"],
                    version_id=answer.get("VersionId", "null"),
                    last_modified=answer["LastModified"],
                )

        if version_id is not None:
            return self._found(fetch, key, version_id)
        return self._looked_for(fetch, key)

    def get_many(self, keys: Sequence[tuple[str, str | None]]) -> list[Record | None]:
        """See ``ObjectStore.get_many``."""
        return self._each(self._get_or_none, keys)

    def create(self, key: str, body: bytes) -> str:
        """See ``ObjectStore.create``."""
        try:
            etag = self._put({**self._request(key, body), "IfNoneMatch": "*"})
        except ClientError as error:
            if code_of(error) == "PreconditionFailed":
                raise KeyExists(key) from error
            raise
        self.bucket.known.add([key])
        return etag

    def replace(self, key: str, body: bytes, etag: str) -> str:
        """See ``ObjectStore.replace``."""
        try:
            return self._put({**self._request(key, body), "IfMatch": etag})
        except ClientError as error:
            if code_of(error) in {"PreconditionFailed", "NoSuchKey", "404"}:
                raise KeyChanged(key) from error
            raise

    def delete(self, key: str) -> None:
        """See ``ObjectStore.delete``."""
        with acting_as(self.session), translated("S3"):
            self.bucket.client.delete_object(Bucket=self.bucket.name, Key=key)

    def entries(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[Entry]:
        """See ``ObjectStore.entries``."""
        request: ListObjectsV2RequestTypeDef = {
            "Bucket": self.bucket.name,
            "Prefix": prefix,
            "MaxKeys": limit,
        }
        if after:
            request["StartAfter"] = after
        with acting_as(self.session), translated("S3"):
            answer = self.bucket.client.list_objects_v2(**request)
        items = tuple(
            Entry(item["Key"], item["Size"], item["LastModified"]) for item in answer.get("Contents", [])
        )
        self.bucket.known.add(entry.key for entry in items)
        return Page(items, items[-1].key if answer["IsTruncated"] and items else None)

    def first_of(self, prefixes: Sequence[str]) -> list[Entry | None]:
        """See ``ObjectStore.first_of``."""
        pages = self._each(lambda prefix: self.entries(prefix, limit=1), prefixes)
        return [page.items[0] if page.items else None for page in pages]

    def versions(self, prefix: str, *, limit: int = 1000, cursor: str | None = None) -> Page[EntryVersion]:
        """See ``ObjectStore.versions``."""
        request: ListObjectVersionsRequestTypeDef = {
            "Bucket": self.bucket.name,
            "Prefix": prefix,
            "MaxKeys": limit,
        }
        if cursor:
            # From the right: anybody's own session may write keys with spaces; version ids have none.
            key, _, version_id = cursor.rpartition(_CURSOR_SEPARATOR)
            request["KeyMarker"] = key
            if version_id:
                request["VersionIdMarker"] = version_id
        with acting_as(self.session), translated("S3"):
            answer = self.bucket.client.list_object_versions(**request)
        items = tuple(
            EntryVersion(item["Key"], item["VersionId"], item["Size"], item["LastModified"])
            for item in answer.get("Versions", [])
        )
        if not answer["IsTruncated"]:
            return Page(items, None)
        following = f"{answer['NextKeyMarker']}{_CURSOR_SEPARATOR}{answer.get('NextVersionIdMarker', '')}"
        return Page(items, following)

    def versions_of(self, keys: Sequence[str]) -> list[tuple[EntryVersion, ...]]:
        """See ``ObjectStore.versions_of``."""

        def of(key: str) -> tuple[EntryVersion, ...]:
            return tuple(entry for entry in self.versions(key).items if entry.key == key)

        return self._each(of, keys)

    def tags(self, key: str, version_id: str) -> dict[str, str]:
        """See ``ObjectStore.tags``."""
        answer = self._found(
            lambda: self.bucket.client.get_object_tagging(
                Bucket=self.bucket.name, Key=key, VersionId=version_id
            ),
            key,
            version_id,
        )
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def tags_many(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        """See ``ObjectStore.tags_many``."""
        return self._each(lambda pair: self.tags(*pair), keys)

    def set_tags(self, key: str, version_id: str, tags: dict[str, str]) -> None:
        """See ``ObjectStore.set_tags``."""
        self._found(
            lambda: self.bucket.client.put_object_tagging(
                Bucket=self.bucket.name,
                Key=key,
                VersionId=version_id,
                Tagging={"TagSet": [{"Key": name, "Value": value} for name, value in sorted(tags.items())]},
            ),
            key,
            version_id,
        )

    def _get_or_none(self, pair: tuple[str, str | None]) -> Record | None:
        try:
            return self.get(*pair)
        except KeyMissing:
            return None

    def _each(self, work: Callable[[Argument], Result], arguments: Sequence[Argument]) -> list[Result]:
        """``work`` on each, side by side; one argument needs no thread, and the last one runs in ours."""
        if not arguments:
            return []
        others = [self.bucket.threads.submit(work, argument) for argument in arguments[:-1]]
        last = work(arguments[-1])
        return [*(other.result() for other in others), last]

    def _request(self, key: str, body: bytes) -> PutObjectRequestTypeDef:
        return {
            "Bucket": self.bucket.name,
            "Key": key,
            "Body": body,
            "ContentType": "application/json",
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": self.bucket.metadata_key_arn,
        }

    def _put(self, request: PutObjectRequestTypeDef) -> str:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with acting_as(self.session), translated("S3"):
                    return self.bucket.client.put_object(**request)["ETag"]
            except ClientError as error:
                if code_of(error) != _IN_FLIGHT or attempt == _ATTEMPTS:
                    raise
                time.sleep(0.01 * attempt)
        raise AssertionError

    def _looked_for(self, fetch: Callable[[], Record], key: str) -> Record:
        """A record by its key: fetched at once where it is known to be there, else after a list of it."""
        if key in self.bucket.known:
            try:
                return self._found(fetch, key, None)
            except KeyMissing:
                self.bucket.known.discard(key)
                raise
        if not _listed(self.bucket, self.session, key, None):
            raise KeyMissing(key)
        try:
            with acting_as(self.session), translated("S3"):
                return fetch()
        except ClientError as error:
            if code_of(error) in _MISSING:
                raise KeyMissing(key) from error
            raise

    def _found(self, call: Callable[[], Result], key: str, version_id: str | None) -> Result:
        return found(call, self.bucket, self.session, key, version_id)


def found(
    call: Callable[[], Result], bucket: Bucket, session: PersonaSession, key: str, version_id: str | None
) -> Result:
    """``call`` in a session; ``KeyMissing`` when the object, or that version of it, is not there.

    S3 answers 403 for a missing key to a session that may not list, so whether the key can be listed
    decides (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions"). A key that is
    listed may have come into being meanwhile: it is asked for again, and a refusal then is meant.
    """

    def asked() -> Result:
        with acting_as(session), translated("S3"):
            return call()

    try:
        return asked()
    except ClientError as error:
        code = code_of(error)
        if code in _MISSING:
            raise KeyMissing(key) from error
        if version_id is None or code not in _DOUBTFUL:
            raise
    except Forbidden:
        pass
    if not _listed(bucket, session, key, version_id):
        raise KeyMissing(key)
    return asked()


def _listed(bucket: Bucket, session: PersonaSession, key: str, version_id: str | None) -> bool:
    store = S3ObjectStore(bucket, session)
    if version_id is None:
        return any(entry.key == key for entry in store.entries(key, limit=1).items)
    cursor: str | None = None
    while True:
        page = store.versions(key, cursor=cursor)
        if any((entry.key, entry.version_id) == (key, version_id) for entry in page.items):
            return True
        cursor = page.next
        if cursor is None:
            return False
