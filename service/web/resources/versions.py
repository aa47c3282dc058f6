"""Versions: publishing, reading and fetching them."""

from __future__ import annotations

import re

from flask import Blueprint, request
from msgspec import UNSET

from service import metrics
from service.domain.access import Permission
from service.domain.files import MAX_FILES, FileEntry
from service.domain.names import parse_reference
from service.domain.times import written
from service.domain.versions import VersionState
from service.errors import ValidationFailed
from service.registry import downloads, keys, publishing, versions
from service.web import bodies, pages, problems
from service.web.access import Call, needs
from service.web.operations import Answer, Parameter, operation
from service.web.parameters import CURSOR, LIMIT
from service.web.wire import versions as wire
from service.web.wire.base import Page

routes = Blueprint("versions", __name__)
_BASE = "/v1/models/<team>/<model>/versions"
_REDIRECT = Parameter(
    "redirect",
    "false answers the URL as JSON instead of redirecting to it",
    schema={"type": "boolean", "default": True},
)


@operation(
    routes,
    "POST",
    _BASE,
    access=needs(Permission.VERSION_PUBLISH),
    body=wire.Draft,
    answers={201: wire.Version, 200: wire.Version},
    parameters=[
        Parameter(
            "Idempotency-Key",
            "1-128 printable ASCII characters; for 24 hours the same key and body answer the same version",
            place="header",
        )
    ],
    problems=[problems.CONFLICT, problems.BLOB_MISSING],
)
def publish_version(call: Call) -> Answer:
    """Publish uploaded files as the model's next version; it is immutable from then on.

    It is `verifying` until its bytes were held against their digests, then `available` or `rejected`.
    """
    body: wire.Draft = call.body
    draft = publishing.Draft(
        files=tuple(FileEntry(file.path, file.sha256, file.size) for file in body.files),
        message=body.message,
        metadata={} if body.metadata is UNSET else bodies.free_json(body.metadata, "metadata"),
    )
    key = request.headers.get("Idempotency-Key")
    published = publishing.publish(call.workspace, call.model, draft, key, call.now)
    if published.created:
        metrics.add(metrics.VERSIONS_PUBLISHED)
        version = versions.Version(published.manifest, VersionState.VERIFYING, None)
    else:
        version = versions.read_number(call.workspace.objects, call.model, published.manifest.version)
    # Behind an API's own address the stage stands before it.
    location = f"{request.script_root}/v1/models/{call.model}/versions/{published.manifest.version}"
    return Answer(wire.Version.of(version), 201 if published.created else 200, {"Location": location})


@operation(
    routes,
    "GET",
    _BASE,
    access=needs(Permission.VERSION_READ),
    answers={200: Page[wire.VersionSummary]},
    parameters=[LIMIT, CURSOR],
)
def list_versions(call: Call) -> Answer:
    """The model's versions, newest first."""
    after = bodies.cursor(re.escape(keys.manifests(call.model)) + ".+")
    model = call.model
    page = versions.list_versions(call.workspace, model, after=after, limit=bodies.limit())

    def place(version: versions.Summary) -> str:
        return keys.manifest(model, version.manifest.version)

    return Answer(pages.fitting(page.items, wire.VersionSummary.of, place, page.next))


@operation(
    routes,
    "GET",
    f"{_BASE}/<ref>",
    access=needs(Permission.VERSION_READ),
    answers={200: wire.Version},
)
def read_version(call: Call) -> Answer:
    """A version, by its number, an alias, or `latest` (the newest that is available)."""
    reference = parse_reference(call.path["ref"])
    return Answer(wire.Version.of(versions.read(call.workspace, call.model, reference)))


@operation(
    routes,
    "GET",
    f"{_BASE}/<ref>/files/<path:path>",
    access=needs(Permission.VERSION_DOWNLOAD),
    answers={302: None, 200: wire.FileUrl},
    parameters=[_REDIRECT],
    problems=[problems.QUARANTINED],
)
def fetch_file(call: Call) -> Answer:
    """Fetch one file: a redirect to S3, pinned to exactly the bytes that were published."""
    return _fetch(call, call.path["path"])


@operation(
    routes,
    "GET",
    f"{_BASE}/<ref>/file",
    access=needs(Permission.VERSION_DOWNLOAD),
    answers={302: None, 200: wire.FileUrl},
    parameters=[Parameter("path", "the file's path", required=True), _REDIRECT],
    problems=[problems.QUARANTINED],
)
def fetch_file_by_query(call: Call) -> Answer:
    """The same for names that a gateway might mangle (`?`, `%`, `#`)."""
    return _fetch(call, bodies.required("path"))


@operation(
    routes,
    "POST",
    f"{_BASE}/<ref>/downloads",
    access=needs(Permission.VERSION_DOWNLOAD),
    body=wire.DownloadsWanted,
    answers={200: wire.Downloads},
    problems=[problems.QUARANTINED],
)
def fetch_files(call: Call) -> Answer:
    """URLs for several files of a version at once, or for all of them."""
    body: wire.DownloadsWanted = call.body
    if body.paths is not None and not 1 <= len(body.paths) <= MAX_FILES:
        raise ValidationFailed.at("paths", f"must be null for all files, or 1 to {MAX_FILES} paths")
    reference = parse_reference(call.path["ref"])
    version, found = downloads.download(call.workspace, call.model, reference, body.paths)
    files = [
        wire.FileDownload(item.file.path, item.ticket.url, item.file.sha256, item.file.size) for item in found
    ]
    until = written(min(item.ticket.expires_at for item in found))
    return Answer(wire.Downloads(version.manifest.version, files, until))


def _fetch(call: Call, path: str) -> Answer:
    wants_redirect = bodies.flag("redirect", default=True)
    reference = parse_reference(call.path["ref"])
    _, (found,) = downloads.download(call.workspace, call.model, reference, [path])
    if wants_redirect:
        return Answer(status=302, headers={"Location": found.ticket.url})
    until = written(found.ticket.expires_at)
    return Answer(wire.FileUrl(found.ticket.url, found.file.sha256, found.file.size, until))
