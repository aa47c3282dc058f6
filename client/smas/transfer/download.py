"""Fetching blobs from S3: in parallel ranges, on from where a pull stopped, each held against its digest."""

from __future__ import annotations

import errno
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial as partial_call
from typing import TYPE_CHECKING, Final

from smas.errors import Corrupt, LocalFault, NotServed
from smas.references import parse_model
from smas.transfer.crew import Crew
from smas.transfer.partial_file import PartialFile
from smas.transfer.presigned import get, persist
from smas.transfer.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from smas.api import Api, DownloadTarget
    from smas.progress import Progress
    from smas.results import File, Version
    from smas.retries import Stop
    from smas.transfer.cache import BlobCache
    from smas.transfer.options import TransferOptions
    from smas.transfer.rate_limit import RateLimit
    from smas.transport import Transport

# URLs to ask for at once: few enough that none expires before it is used.
_WINDOW: Final = 100
# A blob that came wrong is fetched anew once: a cache or proxy may have mixed something up.
_WHOLE_TRIES: Final = 2
# Ranges to ask for with one request: S3 answers few large requests faster than many small ones.
_RUN: Final = 8


class Urls:
    """Presigned URLs for files of one version, fetched as they are needed.

    While the store says that they will be served in a moment, it is asked again, for ``wait_seconds``.
    """

    def __init__(
        self, api: Api, version: Version, paths: Sequence[str], wait_seconds: float, stop: Stop
    ) -> None:
        self._api = api
        self._version = version
        self._model = parse_model(version.model)
        self._paths = list(paths)
        self._position = {path: index for index, path in enumerate(self._paths)}
        self._deadline = time.monotonic() + wait_seconds
        self._stop = stop
        self._urls: dict[str, str] = {}
        self._lock = threading.Lock()

    def url(self, path: str) -> str:
        """A URL for ``path``; asks for those of the next files too. Raises ``NotServed`` when time is up."""
        with self._lock:
            if path not in self._urls:
                start = self._position[path]
                window = [p for p in self._paths[start : start + _WINDOW] if p not in self._urls]
                self._urls |= {target.path: target.url for target in self._ask(window)}
            return self._urls[path]

    def forget(self, path: str, refused: str) -> None:
        """Forget a URL that was refused, and with it all others: those handed out together end together."""
        with self._lock:
            if self._urls.get(path) == refused:
                self._urls.clear()

    def _ask(self, paths: Sequence[str]) -> list[DownloadTarget]:
        while True:
            try:
                return self._api.downloads(self._model, str(self._version.version), paths)
            except NotServed as refusal:
                # A deployer's version, say, that the verifier has not released yet.
                if refusal.retry_after_seconds is None or time.monotonic() >= self._deadline:
                    raise
                self._stop.pause(refusal.retry_after_seconds)


@dataclass(frozen=True, slots=True)
class Downloads:
    """The downloads of one pull; ``on_blob`` is called with each file whose bytes are in the cache."""

    urls: Urls
    transport: Transport
    cache: BlobCache
    options: TransferOptions
    limit: RateLimit
    progress: Progress
    stop: Stop
    on_blob: Callable[[File, Path], None]
    fetched: Tally = field(default_factory=Tally)

    def fetch(self, files: Sequence[File]) -> None:
        """Fetch the bytes of ``files``, of which no two have the same digest. Raises ``SmasError``."""
        connections = self.options.connections
        share = sum(file.size for file in files) / connections
        with ExitStack() as locks, Crew(connections, self.stop) as crew:
            for file in files:
                crew.wait(at_most=2 * connections)
                # Beside enough others, a file is best left to one thread.
                BlobDownload(self, file, connections if file.size > share else 1, crew, locks).begin()


class BlobDownload:
    """One blob: its missing ranges are fetched by whoever is free; who completes the last one finishes it."""

    def __init__(self, downloads: Downloads, file: File, threads: int, crew: Crew, locks: ExitStack) -> None:
        self._all = downloads
        self._file = file
        self._threads = threads
        self._crew = crew
        self._open = ExitStack()
        locks.callback(self._open.close)
        self._tries = 0

    def begin(self) -> None:
        """Have it fetched; returns at once."""
        self._crew.submit(self._begin)

    def _begin(self) -> None:
        downloads, file = self._all, self._file
        self._open.enter_context(downloads.cache.working_on(file.sha256, downloads.stop))
        # Somebody else may have fetched it while we waited for our turn.
        if blob := downloads.cache.find(file.sha256, file.size, downloads.stop):
            downloads.progress.advance(file.size)
            return self._hand_over(blob)
        return self._start()

    def _start(self) -> None:
        self._tries += 1
        downloads, file = self._all, self._file
        try:
            partial = PartialFile(downloads.cache.partial(file.sha256), file.size, downloads.stop)
            self._open.enter_context(partial)
        except OSError as error:
            raise self._fault(error) from error
        self._partial = partial
        held = sum(end - start for start, end in map(partial.bounds, partial.done))
        downloads.progress.advance(held)
        if held:
            percent = 100 * held // file.size
            downloads.progress.say(f"{file.path}: {percent} % are here already, fetching the rest")
        runs = partial.missing_runs(_RUN, self._threads)
        if not runs:
            return self._finish()
        # This thread takes the first one; the others go before files that have not begun.
        for run in reversed(runs[1:]):
            self._crew.submit(partial_call(self._fetch, run), first=True)
        return self._fetch(runs[0])

    def _fetch(self, run: range) -> None:
        """Fetch ranges that follow each other with one request, or more if it breaks."""
        downloads, file, partial = self._all, self._file, self._partial
        position, end = partial.bounds(run.start)[0], partial.bounds(run.stop - 1)[1]
        left, last, url = list(run), False, ""

        def attempt() -> None:
            nonlocal position, last, url
            url = downloads.urls.url(file.path)
            for data in get(downloads.transport, url, position, end, file.size, downloads.limit.block_bytes):
                downloads.limit.take(len(data))
                partial.write(data, position)
                position += len(data)
                downloads.progress.advance(len(data))
                downloads.fetched.add(len(data))
                while left and partial.bounds(left[0])[1] <= position:
                    last = partial.complete(left.pop(0))

        try:
            persist(
                attempt,
                downloads.options.retries,
                downloads.stop,
                renew_url=lambda: downloads.urls.forget(file.path, url),
                position=lambda: position,
            )
        except OSError as error:
            raise self._fault(error) from error
        if last:
            self._finish()

    def _finish(self) -> None:
        downloads, file, partial = self._all, self._file, self._partial
        if partial.hexdigest() != file.sha256:
            partial.discard()
            if self._tries >= _WHOLE_TRIES:
                message = f"{file.path}: what S3 serves is not what was published (SHA-256 differs)"
                raise Corrupt(message, hint="tell whoever administers the store; nothing was written")
            downloads.progress.say(f"{file.path}: came wrong (SHA-256 differs), fetching it anew")
            downloads.progress.advance(-file.size)
            return self._start()
        try:
            blob = downloads.cache.admit(file.sha256, partial.path)
        except OSError as error:
            raise self._fault(error) from error
        partial.finish()
        downloads.fetched.add(files=1)
        return self._hand_over(blob)

    def _hand_over(self, blob: Path) -> None:
        self._all.on_blob(self._file, blob)
        self._open.close()

    def _fault(self, error: OSError) -> LocalFault:
        where = self._all.cache.root
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"the disk is full: {self._file.path} could not be written to {where}"
            return LocalFault(message, hint="free some space, then run the same command: it continues")
        return LocalFault(f"{where} can't be written to: {error.strerror}")
