"""Sending files to S3: hashed and sent side by side, in parallel, from where an earlier push stopped."""

from __future__ import annotations

import os
import queue
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from smas.errors import Conflict, Invalid, NotFound, SmasError
from smas.references import LATEST
from smas.transfer.crew import Crew
from smas.transfer.digests import hash_selected
from smas.transfer.presigned import UploadGone, WrongBytes, persist, put
from smas.transfer.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smas.api import Api, UploadTarget
    from smas.progress import Progress
    from smas.references import ModelName
    from smas.retries import Stop
    from smas.transfer.options import TransferOptions
    from smas.transfer.rate_limit import RateLimit
    from smas.transfer.selection import LocalFile
    from smas.transport import Transport

# Files to ask the store about at once, while others are being sent.
_BATCH: Final = 100
# Part URLs to ask for at once: few enough that none expires before it is used.
_WINDOW: Final = 32
_LOOK_SECONDS: Final = 0.2
# An upload that somebody else ends again and again is given up after so many beginnings.
_BEGINNINGS: Final = 5
_MAX_HASHERS: Final = 4
# From some seconds on, silence looks like a fault.
_TELL_HASHING_BYTES: Final = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploads of one push to one model."""

    api: Api
    transport: Transport
    model: ModelName
    options: TransferOptions
    progress: Progress
    stop: Stop
    limit: RateLimit
    sent: Tally = field(default_factory=Tally)

    def send(
        self, files: Sequence[LocalFile], known: Mapping[str, str], *, trust_latest: bool = True
    ) -> tuple[dict[str, str], list[tuple[LocalFile, str, int]]]:
        """Send what the model does not hold; answers digests by path, and what was hashed anew.

        ``known`` are digests by path that need no hashing. The smallest files are hashed first, so that
        sending begins at once. The store is not asked about files of the newest available version, unless
        ``trust_latest`` is false. Raises ``SmasError``.
        """
        hashed: queue.SimpleQueue[tuple[LocalFile, str, int]] = queue.SimpleQueue()
        fresh: list[tuple[LocalFile, str, int]] = []
        digests = dict(known)
        asked: set[str] = set()
        hashers = max(1, min(_MAX_HASHERS, (os.cpu_count() or 2) // 2))
        with Crew(self.options.connections, self.stop) as senders, Crew(hashers, self.stop) as hashing:
            for file in sorted(files, key=lambda file: (file.path not in known, file.size)):
                if file.path in known:
                    hashed.put((file, known[file.path], 0))
                else:
                    hashing.submit(partial(self._hash, file, hashed))
            # Asked while the first files are being hashed.
            held = self._held_by_latest() if trust_latest else set()
            left = len(files)
            while left:
                batch = self._next_batch(hashed, senders, hashing)
                left -= len(batch)
                for file, sha256, begun in batch:
                    if file.path not in known:
                        fresh.append((file, sha256, begun))
                        digests[file.path] = sha256
                new = {sha256: file for file, sha256, _ in batch if sha256 not in asked | held}
                asked |= set(new)
                # A file that the model holds, or a twin of one in this push, has nothing to send.
                self.progress.advance(
                    sum(file.size for file, _, _ in batch) - sum(f.size for f in new.values())
                )
                self._start(new, senders)
        return digests, fresh

    def _held_by_latest(self) -> set[str]:
        """Digests of verified bytes that the model certainly holds."""
        try:
            return {file.sha256 for file in self.api.version(self.model, LATEST).files}
        except NotFound:
            return set()

    def _hash(self, file: LocalFile, hashed: queue.SimpleQueue[tuple[LocalFile, str, int]]) -> None:
        if file.size >= _TELL_HASHING_BYTES:
            self.progress.say(f"hashing {file.path} first: its digest is its name in the store")
        hashed.put(hash_selected(file, self.stop))

    def _next_batch(
        self, hashed: queue.SimpleQueue[tuple[LocalFile, str, int]], senders: Crew, hashing: Crew
    ) -> list[tuple[LocalFile, str, int]]:
        """At least one hashed file, and all others that are ready once the senders are nearly idle."""
        while True:
            try:
                batch = [hashed.get(timeout=_LOOK_SECONDS)]
                break
            except queue.Empty:
                hashing.check()
                senders.check()
        senders.wait(at_most=self.options.connections)
        while len(batch) < _BATCH:
            try:
                batch.append(hashed.get_nowait())
            except queue.Empty:
                break
        return batch

    def _start(self, blobs: Mapping[str, LocalFile], senders: Crew) -> None:
        if not blobs:
            return
        asked = [(sha256, file.size) for sha256, file in blobs.items()]
        for target in self.api.start_uploads(self.model, asked):
            file = blobs[target.sha256]
            if target.state == "stored":
                self.progress.advance(file.size)
            elif target.state == "single":
                senders.submit(partial(self._send_whole, file, target))
            else:
                MultipartUpload(self, file, target, senders).begin()

    def _send_whole(self, file: LocalFile, target: UploadTarget) -> None:
        """One PUT, which S3 itself holds against the digest."""
        current = target

        def renew() -> None:
            nonlocal current
            (current,) = self.api.start_uploads(self.model, [(target.sha256, target.size)])

        def attempt() -> bool:
            if current.state == "stored":
                self.progress.advance(file.size)
                return False
            with FileSlice(file, 0, file.size, self) as body:
                put(self.transport, current.url, current.headers, body, file.size)
                body.keep()
            return True

        try:
            if persist(attempt, self.options.retries, self.stop, renew_url=renew):
                self.sent.add(file.size, files=1)
        except WrongBytes as wrong:
            file.check_unchanged()
            message = f"{file.source}: what was read is not what was hashed; nothing was published"
            raise Invalid(message, hint="the disk may be failing; push again with --rehash") from wrong


class MultipartUpload:
    """One large file, sent in parts; whoever sends the last one completes it."""

    def __init__(self, uploads: Uploads, file: LocalFile, target: UploadTarget, senders: Crew) -> None:
        self._uploads = uploads
        self._api = uploads.api
        self._model = uploads.model
        self._file = file
        self._target = target
        self._senders = senders
        self._lock = threading.Lock()
        self._beginnings = 0
        self._etags: dict[int, str] = {}
        self._urls: dict[int, tuple[str, dict[str, str]]] = {}
        self._waiting: list[int] = []
        self._unfinished = 0
        self._counted = 0

    def begin(self) -> None:
        """Have every part sent that S3 does not have; returns at once."""
        self._senders.submit(self._begin)

    def _begin(self) -> None:
        target = self._target
        self._beginnings += 1
        try:
            held = {
                part.number: part
                for part in self._api.held_parts(self._model, target.sha256, target.upload_id)
                if part.size == self._size_of(part.number)
            }
        except NotFound as gone:
            return self._restart(target.upload_id, gone)
        self._count(sum(part.size for part in held.values()))
        self._etags = {number: part.etag.strip('"') for number, part in held.items()}
        self._urls = {}
        self._waiting = [number for number in range(1, target.part_count + 1) if number not in held]
        self._unfinished = len(self._waiting)
        if held:
            there = f"{len(held)} of {target.part_count} parts are there already"
            self._uploads.progress.say(f"{self._file.path}: {there}, sending the rest")
        if not self._waiting:
            self._complete()
        upload_id = target.upload_id
        for number in list(self._waiting):
            self._senders.submit(partial(self._send, number, upload_id))
        return None

    def _send(self, number: int, upload_id: str) -> None:
        if upload_id != self._target.upload_id:
            return None  # of an upload that is gone
        uploads, size = self._uploads, self._size_of(number)
        url = ""

        def attempt() -> str:
            nonlocal url
            url, headers = self._url(number)
            with FileSlice(self._file, (number - 1) * self._target.part_size, size, uploads) as body:
                etag = put(uploads.transport, url, headers, body, size)
                body.keep()
                return etag

        try:
            etag = persist(
                attempt, uploads.options.retries, uploads.stop, renew_url=lambda: self._forget(number, url)
            )
        except (UploadGone, NotFound) as gone:  # S3 says the one, the store the other
            return self._restart(upload_id, gone)
        except WrongBytes as wrong:
            message = f"{self._file.source}: S3 refused part {number} ({wrong})"
            raise SmasError(message) from wrong
        uploads.sent.add(size)
        with self._lock:
            if upload_id != self._target.upload_id:
                return None
            self._counted += size
            self._etags[number] = etag
            self._unfinished -= 1
            last = self._unfinished == 0
        if last:
            self._complete()
        return None

    def _complete(self) -> None:
        self._file.check_unchanged()
        target = self._target
        for _ in range(_BEGINNINGS):
            try:
                self._api.complete_upload(
                    self._model, target.sha256, target.upload_id, sorted(self._etags.items())
                )
            except Conflict as conflict:
                if conflict.code != "upload_mismatch":
                    raise
                # Somebody else sends the same file: S3 keeps whichever part came last.
                held = self._api.held_parts(self._model, target.sha256, target.upload_id)
                self._etags = {part.number: part.etag.strip('"') for part in held}
                failure = conflict
            except NotFound as gone:
                return self._restart(target.upload_id, gone)
            else:
                self._uploads.sent.add(files=1)
                return None
        raise failure

    def _restart(self, upload_id: str, gone: Exception) -> None:
        """Somebody else completed or aborted this upload: find out, and send again what is needed."""
        with self._lock:
            if upload_id != self._target.upload_id:
                return
            if self._beginnings >= _BEGINNINGS:
                message = f"{self._file.path}: somebody else keeps ending this upload"
                raise Conflict(message) from gone
            (self._target,) = self._api.start_uploads(self._model, [(self._target.sha256, self._file.size)])
            self._count(-self._counted)
        if self._target.state == "stored":
            self._count(self._file.size)
        else:
            self._begin()

    def _count(self, size: int) -> None:
        self._counted += size
        self._uploads.progress.advance(size)

    def _url(self, number: int) -> tuple[str, dict[str, str]]:
        """The part's URL; asks for those of the next parts too."""
        with self._lock:
            if number not in self._urls:
                served = self._urls.keys() | self._etags.keys()
                after = [other for other in self._waiting if other > number and other not in served]
                wanted = [number, *after[: _WINDOW - 1]]
                targets = self._api.part_targets(
                    self._model, self._target.sha256, self._target.upload_id, wanted
                )
                self._urls |= {part.number: (part.url, part.headers) for part in targets}
            return self._urls[number]

    def _forget(self, number: int, url: str) -> None:
        """Forget a URL that was refused, and with it all others: those handed out together end together."""
        with self._lock:
            if self._urls.get(number, ("", {}))[0] == url:
                self._urls.clear()

    def _size_of(self, number: int) -> int:
        start = (number - 1) * self._target.part_size
        return min(self._target.part_size, self._file.size - start)


class FileSlice:
    """Bytes of a file as a request's body: read as they are sent, counted, limited, never all in memory.

    Leaving the context takes the counted bytes back from the progress, unless ``keep`` was called.
    """

    def __init__(self, file: LocalFile, start: int, size: int, uploads: Uploads) -> None:
        self._file = file
        self._offset = start
        self._left = size
        self._uploads = uploads
        self._shown = 0

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self._file.source, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self._file.check_unchanged()
            message = f"{self._file.source} can't be read any more: {error.strerror}"
            raise Invalid(message) from error
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
        if self._shown:
            self._uploads.progress.advance(-self._shown)

    def keep(self) -> None:
        """What was sent arrived."""
        self._shown = 0

    def read(self, limit: int = -1) -> bytes:
        """The next bytes. Raises ``Invalid`` if the file has become too short."""
        limits = self._uploads.limit
        count = min(self._left, limits.block_bytes, limit if limit >= 0 else self._left)
        if not count:
            return b""
        limits.take(count)
        data = os.pread(self._descriptor, count, self._offset)
        if not data:
            message = f"{self._file.source} became shorter while it was pushed; nothing was published"
            raise Invalid(message, hint="wait until whatever writes it is done, then push again")
        self._offset += len(data)
        self._left -= len(data)
        self._shown += len(data)
        self._uploads.progress.advance(len(data))
        return data
