"""The SDK: one object that stands for a store."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from smas import loading
from smas.audit import EventQuery, checks, event_pages, merged, moment, require_readable
from smas.comparison import difference
from smas.errors import NotFound, WrongUsage
from smas.progress import Progress, Silent
from smas.ranged_file import BUFFER_BYTES, RangedFile
from smas.references import ModelName, parse_alias, parse_model, parse_reference
from smas.retries import RetryPolicy, Stop
from smas.session import Places, open_session
from smas.transfer.cache import BlobCache
from smas.transfer.digests import DigestCache
from smas.transfer.download import Downloads, Urls
from smas.transfer.options import TransferOptions
from smas.transfer.pull import PullOptions, pull
from smas.transfer.push import DEFAULT_WAIT_SECONDS, PushOptions, push
from smas.transfer.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Literal

    from smas.api import Api
    from smas.audit_results import AuditEvent, AuditIntegrity, AuditPage
    from smas.results import (
        Alias,
        AliasMove,
        Difference,
        File,
        Model,
        OpenUpload,
        Pulled,
        Pushed,
        Version,
        VersionSummary,
        WhoAmI,
    )
    from smas.transport import Transport


class Store:
    """A store, as one of its users. Safe to use from several threads.

    Models are named ``team/model``; versions ``team/model@ref``, where the ref is a number, an alias, or
    ``latest`` (also when it is left out). Sizes are bytes, digests lower-case hex SHA-256, times RFC 3339
    texts in UTC. Every method may raise ``NotSignedIn``, ``Forbidden``, ``NotFound`` and ``Unavailable`` of
    ``smas.errors``; what else is said with each.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        token: str | None = None,
        cache: str | os.PathLike[str] | None = None,
        connections: int = 4,
        bytes_per_second: int | None = None,
        retries: RetryPolicy | None = None,
        progress: Progress | bool = False,
        transport: Transport | None = None,
    ) -> None:
        """Connect to nothing yet.

        ``address`` and ``token`` default to ``SMAS_STORE`` and ``SMAS_TOKEN``, to a machine's
        ``SMAS_CLIENT_ID`` and ``SMAS_CLIENT_SECRET``, or to what `smas login` left. ``cache`` is the folder
        of fetched blobs. ``progress=True`` shows a bar, in notebooks too.

        Raises ``NotSignedIn`` if nothing names a store, ``WrongUsage`` for an address that is not encrypted,
        ``ValueError`` for impossible limits.
        """
        self._transfer = TransferOptions(connections, bytes_per_second, retries or RetryPolicy())
        self._session = open_session(
            address, token=token, transport=transport, connections=connections, retries=self._transfer.retries
        )
        places = Places.of(os.environ)
        self._cache = BlobCache(Path(cache) if cache else places.cache)
        self._digests = DigestCache((Path(cache) if cache else places.cache) / "digests.sqlite3")
        if progress is True:
            from smas.progress_bar import Bar  # noqa: PLC0415 - only who wants it pays for it

            progress = Bar()
        self._progress: Progress = progress or Silent()

    def __repr__(self) -> str:
        return f"Store({self.address!r})"

    @property
    def address(self) -> str:
        """Where the store is."""
        return self._session.store

    # --- looking -------------------------------------------------------------------------------------

    def whoami(self) -> WhoAmI:
        """Identity, roles and permissions as the store sees them."""
        return self._api().whoami()

    def token(self) -> str:
        """A fresh access token, for other tools."""
        return self._session.tokens.token()

    def models(self, team: str | None = None, prefix: str = "") -> Iterator[Model]:
        """The models one may see, of one team or all, whose names begin with ``prefix``."""
        return self._api().models(team, prefix)

    def model(self, model: str) -> Model:
        """One model."""
        return self._api().model(parse_model(model))

    def edit(
        self, model: str, *, description: str | None = None, tags: Mapping[str, str | None] | None = None
    ) -> Model:
        """Change the description, and set tags (None removes one); what is left out stays.

        Raises ``Invalid`` for what the store does not take.
        """
        change: dict[str, Any] = {}
        if description is not None:
            change["description"] = description
        if tags is not None:
            change["tags"] = dict(tags)
        if not change:
            message = "nothing to change: name a description or tags"
            raise WrongUsage(message)
        return self._api().describe(parse_model(model), change)

    def versions(self, model: str) -> Iterator[VersionSummary]:
        """The versions of a model, newest first."""
        return self._api().versions(parse_model(model))

    def version(self, reference: str) -> Version:
        """A version with its files and metadata."""
        wanted = parse_reference(reference)
        return self._api().version(wanted.model, wanted.ref)

    def diff(self, before: str, after: str) -> Difference:
        """What changed from one version to another, of the same model or not."""
        return difference(self.version(before), self.version(after))

    # --- moving bytes --------------------------------------------------------------------------------

    def push(
        self,
        source: str | os.PathLike[str],
        model: str,
        *,
        message: str = "",
        metadata: Mapping[str, Any] | None = None,
        alias: str | None = None,
        wait_seconds: float = DEFAULT_WAIT_SECONDS,
        hidden: bool = False,
        follow_symlinks: bool = False,
        rehash: bool = False,
    ) -> Pushed:
        """Publish a folder or file as the model's next version.

        Sends only what the model does not hold; run again after any failure, it goes on where it stopped.
        Waits up to ``wait_seconds`` (0: not at all) until the version is verified, then moves ``alias``.
        ``metadata`` is free JSON up to 64 KiB. ``rehash`` reads files anew whose digests are remembered.

        Raises ``Invalid`` for files that can't be published (before anything is sent) or that change
        meanwhile, ``NotServed`` if the version was refused or time is up, ``Conflict`` if the alias may not
        move, ``LocalFault`` for what this machine refuses.
        """
        stop = Stop()
        return push(
            Path(source),
            parse_model(model),
            message=message,
            metadata=dict(metadata or {}),
            options=PushOptions(
                alias=alias,
                wait_seconds=wait_seconds,
                hidden=hidden,
                follow_symlinks=follow_symlinks,
                rehash=rehash,
                transfer=self._transfer,
            ),
            api=self._session.api(stop),
            transport=self._session.transport,
            digests=self._digests,
            progress=self._progress,
            stop=stop,
        )

    def pull(
        self,
        reference: str,
        folder: str | os.PathLike[str] | None = None,
        *,
        overwrite: bool = False,
        verify: bool = False,
        copy: bool = False,
        use_cache: bool = True,
        wait_seconds: float = 60.0,
    ) -> Pulled:
        """Make ``folder`` (default: the model's name, here) hold a version's files.

        Fetches what differs, from the cache where it can. Files are read-only hard links into the cache;
        ``copy`` makes them files of their own, and so does ``use_cache=False``, which keeps nothing else.
        Files that an earlier pull left and this version lacks are removed; all others stay, and one that is
        in the way is replaced only with ``overwrite``. ``verify`` reads what is there already.

        Raises ``NotServed`` for versions that may not be read, ``Corrupt`` if bytes are not what was
        published, ``Invalid`` for names that can't be written here, ``LocalFault`` where something is in the
        way or the disk is full.
        """
        stop, wanted = Stop(), parse_reference(reference)
        return pull(
            wanted,
            Path(folder) if folder is not None else Path(wanted.model.model),
            options=PullOptions(
                overwrite=overwrite,
                verify=verify,
                copy=copy,
                use_cache=use_cache,
                wait_seconds=wait_seconds,
                transfer=self._transfer,
            ),
            api=self._session.api(stop),
            transport=self._session.transport,
            cache=self._cache,
            progress=self._progress,
            stop=stop,
        )

    def fetch(self, reference: str, path: str) -> Path:
        """One file of a version, in the cache and held against its digest; do not write to it.

        Raises as ``pull`` does.
        """
        return self._fetch(self.version(reference), path)

    def open(self, reference: str, path: str) -> IO[bytes]:
        """One file of a version, seekable, read by ranges as needed (from the cache if it is there).

        Ranges are not held against the digest of the whole file: ``fetch`` does that.
        """
        version = self.version(reference)
        file = _file(version, path)
        stop = Stop()
        if cached := self._cache.find(file.sha256, file.size, stop):
            return cached.open("rb")
        urls = Urls(self._session.api(stop), version, [file.path], 60.0, stop)
        raw = RangedFile(file, urls, self._session.transport, self._transfer.retries, stop)
        return io.BufferedReader(raw, BUFFER_BYTES)

    # --- loading -------------------------------------------------------------------------------------

    def load_joblib(self, reference: str, path: str | None = None) -> Any:
        """What ``joblib.dump`` saved; ``path`` may be left out if only one file fits.

        Loading runs code of whoever published it: do it with models of people you trust.
        """
        version = self.version(reference)
        return loading.load_joblib(lambda path: self._fetch(version, path), version, path)

    def load_safetensors(
        self,
        reference: str,
        path: str | None = None,
        *,
        framework: Literal["numpy", "torch", "flax", "tensorflow"] = "numpy",
    ) -> dict[str, Any]:
        """Tensors by name, from one file or all shards of an index; safe to load from anybody."""
        version = self.version(reference)
        return loading.load_safetensors(lambda path: self._fetch(version, path), version, path, framework)

    def load_torch(
        self,
        reference: str,
        path: str | None = None,
        *,
        map_location: Any = "cpu",
        weights_only: bool = True,
    ) -> Any:
        """What ``torch.save`` saved.

        ``weights_only=False`` runs code of whoever published it: do it with models of people you trust.
        """
        version = self.version(reference)
        return loading.load_torch(
            lambda path: self._fetch(version, path),
            version,
            path,
            map_location=map_location,
            weights_only=weights_only,
        )

    # --- aliases -------------------------------------------------------------------------------------

    def aliases(self, model: str) -> Iterator[Alias]:
        """The aliases of a model."""
        return self._api().aliases(parse_model(model))

    def alias(self, model: str, alias: str, *, at: str | None = None) -> Alias:
        """Where an alias points, or pointed at a time (RFC 3339, inclusive)."""
        return self._api().alias(parse_model(model), parse_alias(alias), at)

    def set_alias(
        self, model: str, alias: str, ref: int | str, *, expected: int | Literal["any"] | None = "any"
    ) -> Alias:
        """Point an alias at a version (a number, ``latest``, or another alias).

        With ``expected`` only if it points there now (None: if it does not exist). Raises ``Conflict`` if it
        does not, or if the alias is protected and may not move there.
        """
        name, number = parse_model(model), self._number(parse_model(model), str(ref))
        return self._api().move_alias(name, parse_alias(alias), number, expected)

    def alias_history(self, model: str, alias: str) -> Iterator[AliasMove]:
        """Every move of an alias, newest first."""
        return self._api().alias_history(parse_model(model), parse_alias(alias))

    def remove_alias(self, model: str, alias: str) -> None:
        """Remove an alias; its history stays."""
        self._api().remove_alias(parse_model(model), parse_alias(alias))

    # --- uploads -------------------------------------------------------------------------------------

    def open_uploads(self, model: str) -> Iterator[OpenUpload]:
        """Uploads of large files that were begun and not completed; pushing the same file continues them."""
        return self._api().open_uploads(parse_model(model))

    def abort_upload(self, model: str, sha256: str) -> None:
        """Give an open upload up, and free what S3 has of it."""
        name = parse_model(model)
        for upload in self._api().open_uploads(name):
            if upload.sha256 == sha256:
                self._api().abort_upload(name, sha256, upload.upload_id)
                return
        message = f"{model} has no open upload of {sha256}"
        raise NotFound(message, hint=f"smas uploads ls {model}")

    # --- audit: for compliance and auditors ----------------------------------------------------------

    def audit_events(
        self,
        *,
        model: str | None = None,
        version: int | None = None,
        who: str | None = None,
        action: str | None = None,
        outcome: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
    ) -> Iterator[AuditEvent]:
        """Who did what, newest first: calls that AWS recorded, and those that the store refused.

        All of what is given holds. ``who`` is the session's name (a person's user name) or the source
        identity; ``action`` is exact, as in ``s3:GetObject``, or ends in ``*``; ``outcome`` is success,
        denied or error; a ``version`` needs its ``model``. ``since`` <= time < ``until`` are RFC 3339
        texts, or datetimes with a time zone; without ``since`` it is the last 24 hours. CloudTrail delivers
        within minutes: what happened just now may come later, in its place.

        Reads as it goes, a page at a time, whatever the length. Raises ``Invalid`` for filters that can't be
        answered, ``WrongUsage`` for a version without its model; and after the last event ``Corrupt`` if log
        files are gone or damaged, so that events are missing.
        """
        query = EventQuery(model, version, who, action, outcome, moment(since), moment(until))
        unreadable: dict[str, None] = {}
        for page in self.audit_pages(query):
            unreadable |= dict.fromkeys(page.unreadable_files)
            yield from page.items
        require_readable(unreadable)

    def audit_pages(self, query: EventQuery, size: int = 1000) -> Iterator[AuditPage]:
        """The same in pages of at most ``size`` (1-1,000), short and empty ones too: for showing progress."""
        return event_pages(self._api(), query, size)

    def audit_integrity(
        self, since: str | datetime | None = None, until: str | datetime | None = None
    ) -> AuditIntegrity:
        """Whether the log files of a range (default: the last 24 hours) are what CloudTrail delivered.

        Ranges of any length, in as many parts as it takes; where two meet, a digest and its log files are
        counted twice. ``sound`` of the answer says that nothing was found wrong, neither with the files nor
        with the sessions of the store's personas. Raises ``Invalid`` for a range in which nothing can be.
        """
        return merged(self.audit_checks(since, until))

    def audit_checks(
        self, since: str | datetime | None = None, until: str | datetime | None = None
    ) -> Iterator[AuditIntegrity]:
        """The same, each part as soon as it is checked, from the beginning of the range."""
        return checks(self._api(), moment(since), moment(until), lambda: datetime.now(UTC))

    # --- inside --------------------------------------------------------------------------------------

    def _api(self) -> Api:
        return self._session.api(Stop())

    def _number(self, name: ModelName, ref: str) -> int:
        wanted = parse_reference(f"{name}@{ref}")
        return int(ref) if ref.isdecimal() else self._api().version(name, wanted.ref).version

    def _fetch(self, version: Version, path: str) -> Path:
        file, stop = _file(version, path), Stop()
        if cached := self._cache.find(file.sha256, file.size, stop):
            return cached
        found: list[Path] = []
        downloads = Downloads(
            Urls(self._session.api(stop), version, [file.path], 60.0, stop),
            self._session.transport,
            self._cache,
            self._transfer,
            RateLimit(self._transfer.bytes_per_second, stop),
            self._progress,
            stop,
            lambda _, blob: found.append(blob),
        )
        self._progress.begin(f"fetching {path}", file.size)
        try:
            downloads.fetch([file])
        finally:
            self._progress.end()
        return found[0]


def _file(version: Version, path: str) -> File:
    for file in version.files:
        if file.path == path:
            return file
    message = f"{version.reference} has no file {path!r}"
    raise NotFound(message, hint=f"`smas ls {version.reference}` lists its files")
