"""Downloads: URLs to exactly the bytes that were published, once they were verified."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from service import metrics
from service.domain.access import Role
from service.domain.models import Pointer, Releases
from service.domain.versions import VersionState
from service.errors import Fault, Forbidden, NotFound, NotYetVerified, Quarantined
from service.registry import keys
from service.registry.aliases import read_settings
from service.registry.records import find, find_many
from service.registry.versions import Version, read_number, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.domain.files import StoredFile
    from service.domain.names import ModelId
    from service.ports import Ticket, Workspace


class Download(msgspec.Struct, frozen=True):
    """A file and the URL that fetches it."""

    file: StoredFile
    ticket: Ticket


def download(
    workspace: Workspace, model: ModelId, reference: int | str, paths: Sequence[str] | None
) -> tuple[Version, list[Download]]:
    """URLs for ``paths`` of a version, in order (None: all of its files).

    Raises ``NotFound`` naming unknown paths, ``Quarantined`` while the version may not be served,
    ``Forbidden`` to deployers for what no protected alias points to.
    """
    version = read_number(workspace.objects, model, resolve(workspace, model, reference))
    number = version.manifest.version
    by_path = {file.path: file for file in version.manifest.files}
    chosen = list(by_path) if paths is None else list(paths)
    if unknown := [path for path in chosen if path not in by_path]:
        message = f"version {number} of {model} has no file {unknown[0]!r}"
        raise NotFound(message, errors=[Fault(f"paths[{chosen.index(path)}]", path) for path in unknown])
    if version.state is not VersionState.AVAILABLE:
        if version.state is VersionState.VERIFYING:
            message = f"version {number} of {model} is still being verified: ask again in a moment"
            raise NotYetVerified(message)
        message = f"version {number} of {model} is {version.state}: {version.reason}"
        raise Quarantined(message)
    if workspace.grant.role is Role.DEPLOYER:
        _require_released(workspace, model, number)
    files = [by_path[path] for path in chosen]
    metrics.add(metrics.DOWNLOAD_URLS, len(files))
    metrics.add(metrics.DOWNLOAD_BYTES, sum(file.size for file in files))
    return version, [Download(file, _ticket(workspace, model, number, file)) for file in files]


def _ticket(workspace: Workspace, model: ModelId, number: int, file: StoredFile) -> Ticket:
    return workspace.blobs.download_ticket(
        keys.blob(model, file.sha256), file.s3_version_id, _disposition(model, number, file.path)
    )


def _disposition(model: ModelId, number: int, path: str) -> str:
    """How the browser saves the file, and what CloudTrail's record of the read will say was read.

    The file's own name in both forms of RFC 6266, and in an extension parameter the version and path:
    versions share blobs, so the key alone does not tell which of them was fetched.
    """
    name = path.rpartition("/")[2]
    plain = "".join(c if c.isascii() and c not in '"%' else "_" for c in name)
    source = quote(f"{model}/{number}/{path}", safe="/")
    return f'attachment; filename="{plain}"; filename*=UTF-8\'\'{quote(name, safe="")}; smas="{source}"'


def _require_released(workspace: Workspace, model: ModelId, number: int) -> None:
    """Deployers get what a protected alias points to, once the verifier has released its bytes."""
    names = read_settings(workspace.objects, model).protected_aliases
    pointers = find_many(
        workspace.objects, [keys.alias(model, name, protected=True) for name in names], Pointer
    )
    if number not in {pointer.version for pointer in pointers if pointer}:
        message = f"deployers fetch only what a protected alias points to; none points to version {number}"
        raise Forbidden(message)
    releases = find(workspace.objects, keys.releases(model), Releases)
    if releases is None or number not in releases.value.versions:
        message = f"version {number} of {model} is being released to deployers: ask again in a moment"
        raise NotYetVerified(message)
