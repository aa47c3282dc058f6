"""The store's HTTP contract, one method a route, each retried where that is harmless.

Nothing here touches model bytes: uploads and downloads are answered with presigned URLs.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from smas.audit_results import AuditEvent, AuditIntegrity, AuditPage
from smas.errors import Conflict, NotFound, SmasError
from smas.problems import error_of
from smas.results import Alias, AliasMove, Model, OpenUpload, Version, VersionSummary, WhoAmI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from smas.http import HttpClient
    from smas.references import ModelName

Decoded = TypeVar("Decoded")

_PAGE: Final = 1000
# The store gives back what it found before its own time is up; this is for the slowest way there.
_AUDIT_SECONDS: Final = 120
_UNAUTHORIZED: Final = 401
_FAILED: Final = 400


class Tokens(Protocol):
    """Where access tokens come from; safe to use from several threads."""

    def token(self) -> str:
        """A token that is good for at least some seconds. Raises ``NotSignedIn``."""

    def renewed(self, refused: str) -> str | None:
        """Another token in place of one that the store refused; None if there is none to be had."""


class UploadTarget(msgspec.Struct, frozen=True):
    """Where the bytes of one digest go; which fields are set depends on ``state``.

    ``stored``: nowhere, the model holds them. ``single``: one ``method`` to ``url`` with ``headers``.
    ``multipart``: parts of ``part_size`` bytes to ``upload_id``.
    """

    sha256: str
    size: int
    state: str
    method: str = ""
    url: str = ""
    headers: dict[str, str] = {}
    upload_id: str = ""
    part_size: int = 0
    part_count: int = 0


class HeldPart(msgspec.Struct, frozen=True):
    """A part that S3 has."""

    number: int
    size: int
    etag: str


class PartTarget(msgspec.Struct, frozen=True):
    """Where to PUT one part."""

    number: int
    url: str
    headers: dict[str, str]


class DownloadTarget(msgspec.Struct, frozen=True):
    """Where the bytes of one file are."""

    path: str
    url: str
    sha256: str
    size: int


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]
    next_cursor: str | None
    unreadable_files: list[str] = []  # of the audit's pages alone


class _UploadsStarted(msgspec.Struct):
    files: list[UploadTarget]


class _PartTargets(msgspec.Struct):
    parts: list[PartTarget]


class _Downloads(msgspec.Struct):
    version: int
    files: list[DownloadTarget]


class Api:
    """The store at ``store`` (its address), as whoever ``tokens`` stand for.

    Every method raises the errors of ``smas.errors`` that its route can answer, ``Unavailable`` when the
    store stays out of reach, and ``NotSignedIn``.
    """

    def __init__(self, store: str, http: HttpClient, tokens: Tokens) -> None:
        self.store = store
        self._http = http
        self._tokens = tokens

    # --- who, models ---------------------------------------------------------------------------------

    def whoami(self) -> WhoAmI:
        """The caller as the store sees it."""
        return self._get("/v1/whoami", WhoAmI)

    def models(self, team: str | None = None, prefix: str = "") -> Iterator[Model]:
        """The models the caller may see, page by page."""
        query = {"team": team, "prefix": prefix or None}
        return self._items("/v1/models", Model, query)

    def model(self, name: ModelName) -> Model:
        """One model."""
        return self._get(_model(name), Model)

    def describe(self, name: ModelName, change: Mapping[str, Any]) -> Model:
        """Change ``description`` and ``tags``; tags are merged, one set to None goes."""
        return self._send("PATCH", _model(name), change, Model)

    # --- uploads -------------------------------------------------------------------------------------

    def start_uploads(self, name: ModelName, blobs: Sequence[tuple[str, int]]) -> list[UploadTarget]:
        """Where each of ``blobs`` (digest, size in bytes; at most 1,000) goes, in order."""
        body = {"files": [{"sha256": sha256, "size": size} for sha256, size in blobs]}
        return self._send("POST", f"{_model(name)}/uploads", body, _UploadsStarted).files

    def open_uploads(self, name: ModelName) -> Iterator[OpenUpload]:
        """The model's open multipart uploads."""
        return self._items(f"{_model(name)}/uploads", OpenUpload)

    def held_parts(self, name: ModelName, sha256: str, upload_id: str) -> Iterator[HeldPart]:
        """The parts S3 already has."""
        where = f"{_model(name)}/uploads/{sha256}/parts"
        return self._items(where, HeldPart, {"upload_id": upload_id})

    def part_targets(
        self, name: ModelName, sha256: str, upload_id: str, numbers: Sequence[int]
    ) -> list[PartTarget]:
        """Where to PUT each part of ``numbers`` (at most 1,000)."""
        body = {"upload_id": upload_id, "numbers": list(numbers)}
        return self._send("POST", f"{_model(name)}/uploads/{sha256}/parts", body, _PartTargets).parts

    def complete_upload(
        self, name: ModelName, sha256: str, upload_id: str, parts: Sequence[tuple[int, str]]
    ) -> None:
        """Make one blob of all parts (number, etag)."""
        listed = [{"number": number, "etag": etag} for number, etag in parts]
        body = {"upload_id": upload_id, "parts": listed}
        # S3 joins the parts before it answers; for a large file that takes a while.
        self._send("POST", f"{_model(name)}/uploads/{sha256}/complete", body, dict, read_seconds=300)

    def abort_upload(self, name: ModelName, sha256: str, upload_id: str) -> None:
        """Give an open upload up."""
        query = urlencode({"upload_id": upload_id})
        self._delete(f"{_model(name)}/uploads/{sha256}?{query}")

    # --- versions ------------------------------------------------------------------------------------

    def publish(
        self,
        name: ModelName,
        files: Sequence[tuple[str, str, int]],
        message: str,
        metadata: Mapping[str, Any],
    ) -> Version:
        """Make uploaded ``files`` (path, digest, size) the model's next version.

        One call makes at most one version, however often it is repeated on the way.
        """
        body = {
            "files": [{"path": path, "sha256": sha256, "size": size} for path, sha256, size in files],
            "message": message,
            "metadata": metadata,
        }
        once = {"Idempotency-Key": uuid.uuid4().hex}
        return self._send("POST", f"{_model(name)}/versions", body, Version, headers=once)

    def versions(self, name: ModelName) -> Iterator[VersionSummary]:
        """The model's versions, newest first."""
        return self._items(f"{_model(name)}/versions", VersionSummary)

    def version(self, name: ModelName, ref: str) -> Version:
        """A version by number, alias, or ``latest``."""
        return self._get(f"{_model(name)}/versions/{ref}", Version)

    def downloads(self, name: ModelName, ref: str, paths: Sequence[str] | None) -> list[DownloadTarget]:
        """Where the bytes of ``paths`` (None: all files) of a version are."""
        body = {"paths": None if paths is None else list(paths)}
        return self._send("POST", f"{_model(name)}/versions/{ref}/downloads", body, _Downloads).files

    # --- aliases -------------------------------------------------------------------------------------

    def aliases(self, name: ModelName) -> Iterator[Alias]:
        """The model's aliases."""
        return self._items(f"{_model(name)}/aliases", Alias)

    def alias(self, name: ModelName, alias: str, at: str | None = None) -> Alias:
        """An alias as it is, or as it was at a time (RFC 3339)."""
        query = f"?{urlencode({'at': at})}" if at else ""
        return self._get(f"{_model(name)}/aliases/{alias}{query}", Alias)

    def alias_history(self, name: ModelName, alias: str) -> Iterator[AliasMove]:
        """Every move of an alias, newest first."""
        return self._items(f"{_model(name)}/aliases/{alias}/history", AliasMove)

    def move_alias(
        self, name: ModelName, alias: str, version: int, expected: int | Literal["any"] | None = "any"
    ) -> Alias:
        """Point an alias at a version; ``expected`` is where it must be now.

        None says that it must not exist yet. Raises ``Conflict`` if it is somewhere else.
        """
        body: dict[str, Any] = {"version": version}
        if expected != "any":
            body["expected_version"] = expected
        where = f"{_model(name)}/aliases/{alias}"
        try:
            return self._send("PUT", where, body, Alias)
        except Conflict as conflict:
            # The answer to a try that succeeded may have been lost; then the repetition finds it moved.
            if conflict.code != "conflict" or not conflict.repeated:
                raise
            now = self.alias(name, alias)
            if now.version != version:
                raise
            return now

    def remove_alias(self, name: ModelName, alias: str) -> None:
        """Remove an alias; its history stays."""
        self._delete(f"{_model(name)}/aliases/{alias}")

    # --- audit ---------------------------------------------------------------------------------------

    def audit_events(self, query: Mapping[str, str], page: int = _PAGE) -> Iterator[AuditPage]:
        """What happened, newest first, page by page; a page may be short or empty and not be the last."""
        for found in self._pages("/v1/audit/events", query, page, _AUDIT_SECONDS):
            yield AuditPage(
                items=[_decoded(bytes(item), AuditEvent) for item in found.items],
                documents=[_decoded(bytes(item), dict) for item in found.items],
                more=found.next_cursor is not None,
                unreadable_files=found.unreadable_files,
            )

    def audit_integrity(self, query: Mapping[str, str]) -> AuditIntegrity:
        """Whether the trail's files of a range (at most 7 days) are what was delivered."""
        where = "/v1/audit/integrity" + (f"?{urlencode(query)}" if query else "")
        return _decoded(self._call("GET", where, read_seconds=_AUDIT_SECONDS), AuditIntegrity)

    # --- one request ---------------------------------------------------------------------------------

    def _get(self, path: str, kind: type[Decoded]) -> Decoded:
        return _decoded(self._call("GET", path), kind)

    def _send(
        self,
        method: str,
        path: str,
        body: object,
        kind: type[Decoded],
        *,
        headers: Mapping[str, str] | None = None,
        read_seconds: float = 60,
    ) -> Decoded:
        content = msgspec.json.encode(body)
        return _decoded(self._call(method, path, content, headers or {}, read_seconds), kind)

    def _delete(self, path: str) -> None:
        try:
            self._call("DELETE", path)
        except NotFound as missing:
            # Gone by an earlier try whose answer was lost.
            if not missing.repeated:
                raise

    def _items(
        self, path: str, kind: type[Decoded], query: Mapping[str, str | None] | None = None
    ) -> Iterator[Decoded]:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        for page in self._pages(path, given, _PAGE):
            for item in page.items:
                yield _decoded(bytes(item), kind)

    def _pages(
        self, path: str, query: Mapping[str, str], limit: int, read_seconds: float = 60
    ) -> Iterator[_Page]:
        """Page by page, until one says that it is the last."""
        cursor: str | None = ""
        while cursor is not None:
            asked = {**query, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
            answer = self._call("GET", f"{path}?{urlencode(asked)}", read_seconds=read_seconds)
            page = _decoded(answer, _Page)
            cursor = page.next_cursor
            yield page

    def _call(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float = 60,
    ) -> bytes:
        """The body of a good answer; tries again where that may help, with another token after a 401."""
        token = self._tokens.token()
        renewed = False
        while True:
            request_id = uuid.uuid4().hex
            sent = {
                "Authorization": f"Bearer {token}",
                "X-Request-Id": request_id,
                "Accept": "application/json",
                **({"Content-Type": "application/json"} if content is not None else {}),
                **(headers or {}),
            }
            reply = self._http.ask(method, self.store + path, sent, content, read_seconds=read_seconds)
            if reply.status < _FAILED:
                return reply.content
            # Once: a store that refuses a token just issued refuses the next one too.
            if reply.status == _UNAUTHORIZED and not renewed and (other := self._tokens.renewed(token)):
                token, renewed = other, True
                continue
            failure = error_of(reply.status, reply.headers, reply.content, request_id)
            failure.repeated = reply.repeated
            raise failure


def _model(name: ModelName) -> str:
    return f"/v1/models/{quote(name.team)}/{quote(name.model)}"


def _decoded(content: bytes, kind: type[Decoded]) -> Decoded:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        message = f"the store answered with something that is not its contract: {error}"
        raise SmasError(message, hint="is this the store's address, and this command new enough?") from error
