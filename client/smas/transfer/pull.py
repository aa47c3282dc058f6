"""Fetching a version into a folder: only what differs, from the cache where it can, nothing lost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from smas.errors import LocalFault, NotServed
from smas.results import Pulled
from smas.transfer.cache import BlobCache
from smas.transfer.destination import Comparison, Destination
from smas.transfer.download import Downloads, Urls
from smas.transfer.options import TransferOptions
from smas.transfer.push import settled
from smas.transfer.rate_limit import RateLimit

if TYPE_CHECKING:
    from pathlib import Path

    from smas.api import Api
    from smas.progress import Progress
    from smas.references import Reference
    from smas.results import File, Version
    from smas.retries import Stop
    from smas.transport import Transport

DEFAULT_WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class PullOptions:
    """How a pull behaves.

    ``overwrite`` replaces local files that are neither of the version nor written by an earlier pull;
    ``verify`` reads every file that is there already; ``copy`` makes files of their own instead of hard links
    into the cache; without ``use_cache`` nothing is kept but the folder itself. ``wait_seconds`` is how long
    to wait for a version that is about to be served.
    """

    overwrite: bool = False
    verify: bool = False
    copy: bool = False
    use_cache: bool = True
    wait_seconds: float = DEFAULT_WAIT_SECONDS
    transfer: TransferOptions = field(default_factory=TransferOptions)


def pull(
    reference: Reference,
    folder: Path,
    *,
    options: PullOptions,
    api: Api,
    transport: Transport,
    cache: BlobCache,
    progress: Progress,
    stop: Stop,
) -> Pulled:
    """Make ``folder`` hold the files of a version, beside whatever else is in it.

    Stopped at any point, it can be run again and goes on from there. Raises ``NotServed`` for a version that
    may not be read, ``LocalFault`` where something is in the way or the disk is full, ``Corrupt`` if bytes
    do not match their digest, and whatever the store answers.
    """
    version = _readable(api, reference, options.wait_seconds, progress, stop)
    destination = Destination(folder, stop)
    with destination.opened():
        destination.check_names(version.files)
        found = destination.compare(version.files, read_all=options.verify)
        _require_room(destination, found, version, overwrite=options.overwrite)
        for file in found.unchanged:
            destination.keep(file)
        used = cache if options.use_cache else BlobCache(destination.own_folder)
        how = ("copy" if options.copy else "link") if options.use_cache else "move"
        # Before anything is placed: a file may have become a folder, or the other way round.
        removed, kept = destination.remove_all_but(version.files)
        for path in kept:
            progress.say(
                f"kept {path}: it is not part of {version.reference}, but was changed since it was pulled"
            )
        destination.announce(found.wanted)
        steps = _Steps(destination, used, how, found.wanted, progress, stop)
        progress.begin("fetching", sum(file.size for file in found.wanted))
        try:
            missing = steps.place_cached()
            _check_space(destination, used, how, found.wanted, missing)
            urls = Urls(api, version, [file.path for file in missing], options.wait_seconds, stop)
            limit = RateLimit(options.transfer.bytes_per_second, stop)
            downloads = Downloads(urls, transport, used, options.transfer, limit, progress, stop, steps.place)
            downloads.fetch(missing)
        finally:
            progress.end()
        # What this pull needed without a cache, and earlier ones that were interrupted.
        BlobCache(destination.own_folder).clear()
        destination.record.placing = {}
        destination.record.store, destination.record.reference = api.store, version.reference
    return Pulled(
        version=version,
        folder=str(folder),
        fetched_files=downloads.fetched.files,
        fetched_bytes=downloads.fetched.bytes,
        cached_files=steps.cached,
        unchanged_files=len(found.unchanged),
        removed=removed,
    )


class _Steps:
    """Giving files their names: at once those that are cached, the others as they come."""

    def __init__(
        self,
        destination: Destination,
        cache: BlobCache,
        how: str,
        wanted: list[File],
        progress: Progress,
        stop: Stop,
    ) -> None:
        self._destination = destination
        self._cache = cache
        self._how = how
        self._progress = progress
        self._stop = stop
        self._by_digest: dict[str, list[File]] = defaultdict(list)
        for file in wanted:
            self._by_digest[file.sha256].append(file)
        self.cached = 0

    def place_cached(self) -> list[File]:
        """Place what the cache holds; answers one file of each digest that it does not."""
        missing = []
        for sha256, files in self._by_digest.items():
            self._stop.check()
            blob = self._cache.find(sha256, files[0].size, self._stop)
            if blob is None:
                missing.append(files[0])
                continue
            self.place(files[0], blob)
            self._progress.advance(files[0].size)
            self.cached += len(files)
        return missing

    def place(self, file: File, blob: Path) -> None:
        """Place ``blob`` as ``file``, and as all others with the same digest."""
        files = self._by_digest[file.sha256]
        for other in files[1:]:
            self._destination.place(other, blob, "copy" if self._how == "move" else self._how)
            self._progress.advance(other.size)
        self._destination.place(file, blob, self._how)
        if self._how == "move":
            self._cache.remove(file.sha256)


def _readable(api: Api, reference: Reference, wait_seconds: float, progress: Progress, stop: Stop) -> Version:
    version = api.version(reference.model, reference.ref)
    if version.state == "verifying":
        return settled(api, reference.model, version, wait_seconds, progress, stop)
    if version.state != "available":
        message = f"{version.reference} is {version.state}: {version.reason}"
        raise NotServed(
            message, code=version.state, hint=f"`smas ls {version.model}` lists the other versions"
        )
    return version


def _require_room(destination: Destination, found: Comparison, version: Version, *, overwrite: bool) -> None:
    if not found.in_the_way or overwrite:
        return
    first, count = found.in_the_way[0], len(found.in_the_way)
    more = f", and {count - 1} more" if count > 1 else ""
    message = (
        f"{destination.root / first.location} is not what {version.reference} has: {first.message}{more}"
    )
    raise LocalFault(
        message,
        hint="move it away, pull into another folder, or replace it with --overwrite",
        errors=found.in_the_way,
    )


def _check_space(
    destination: Destination, cache: BlobCache, how: str, wanted: list[File], missing: list[File]
) -> None:
    """Better told now than after half of the bytes."""
    arriving = sum(file.size for file in missing) - cache.partial_bytes(file.sha256 for file in missing)
    digests = {file.sha256 for file in missing}
    placed = [file for file in wanted if file.sha256 in digests]
    shared = destination.is_on_device_of(cache.root)
    copied = 0
    if how == "copy" or (how == "link" and not shared):
        copied = sum(file.size for file in placed)
    elif how == "move":
        copied = sum(file.size for file in placed) - sum(file.size for file in missing)
    if shared:
        destination.require_space(arriving + copied, destination.root)
    else:
        destination.require_space(arriving, cache.root)
        destination.require_space(copied, destination.root)
