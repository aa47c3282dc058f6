"""A multipart upload is completed by one caller at a time, as in AWS."""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from localstack.services.s3.provider import S3Provider

if TYPE_CHECKING:
    from collections.abc import Iterator


class _OneAtATime:
    """A lock for each upload, kept for as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._locks: WeakValueDictionary[str, threading.RLock] = WeakValueDictionary()

    @contextmanager
    def turn(self, upload_id: str) -> Iterator[None]:
        with self._mutex:
            lock = self._locks.get(upload_id) or threading.RLock()
            self._locks[upload_id] = lock
        with lock:
            yield


def complete_one_at_a_time() -> None:
    """Let a second call for an upload find it completed.

    LocalStack would begin both: the second joins parts that the first has removed meanwhile, and so leaves an
    empty object behind, newer than the whole one.
    """
    complete = S3Provider.complete_multipart_upload
    uploads = _OneAtATime()

    @wraps(complete)
    def complete_multipart_upload(
        self: Any, context: Any, bucket: str, key: str, upload_id: str, **request: Any
    ) -> Any:
        with uploads.turn(upload_id):
            return complete(self, context, bucket, key, upload_id, **request)

    S3Provider.complete_multipart_upload = complete_multipart_upload
