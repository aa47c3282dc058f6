"""Multipart uploads that several callers work at, at the same time, as two of a team do with one file.

LocalStack keeps one file for each number of a part, and joins and removes these files whoever else is at
work. A part sent again while its upload is being completed emptied what was being joined, or ended the
completion when its object was stored already; the repeated completion then gave that object another version
id than the one that it lies under, so that no call could read or delete it.
"""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from localstack.services.s3.provider import S3Provider
from localstack.services.s3.storage import ephemeral

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


class _PartFiles(ephemeral.EphemeralS3StoredMultipart):  # type: ignore[misc]
    """The files of an upload's parts: one for each time that a part is sent, and never written again.

    `parts` has them by what LocalStack knows of a part, which it enters under the part's number once all
    bytes are there. So a part that is being sent, or fails, changes nothing about the one that it would
    replace; one that was replaced goes with the last who knows of it.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.parts: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def open(self, s3_part: Any, mode: str = "r") -> Any:
        if mode == "w":
            self.parts[s3_part] = ephemeral.LockedSpooledTemporaryFile(
                dir=self.upload_dir, max_size=ephemeral.S3_MAX_FILE_SIZE_BYTES
            )
        return ephemeral.EphemeralS3StoredObject(s3_part, self.parts[s3_part], mode=mode)

    def remove_part(self, s3_part: Any) -> None:
        file = self.parts.pop(s3_part, None)
        if file is not None:
            file.close()

    def close(self) -> None:
        # Not in a loop over `parts`, to which a part may come meanwhile: its sender finds the upload gone.
        for part in list(self.parts):
            self.remove_part(part)


def work_together() -> None:
    """Let an upload be completed or aborted by one caller at a time, and parts be sent meanwhile, as in AWS.

    Whoever comes second finds it gone.
    """
    ephemeral.EphemeralS3StoredMultipart = _PartFiles
    uploads = _OneAtATime()
    for name in ("complete_multipart_upload", "abort_multipart_upload"):
        setattr(S3Provider, name, _in_turn(getattr(S3Provider, name), uploads))


def _in_turn(operation: Any, uploads: _OneAtATime) -> Any:
    @wraps(operation)
    def called(self: Any, context: Any, bucket: str, key: str, upload_id: str, **request: Any) -> Any:
        with uploads.turn(upload_id):
            return operation(self, context, bucket, key, upload_id, **request)

    return called
