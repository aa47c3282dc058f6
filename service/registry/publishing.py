"""Publishing: a version comes into being whole, with the next number, in its author's name.

The manifest is created under the next free number, only if nobody else took it meanwhile; whoever loses
tries the number after. Then the author's own record is written, where IAM lets nobody write but that
person: the verifier accepts a version only when the two agree.

With an idempotency key the number tried and the time are first agreed on in the key's own record, so that
a retry, even a concurrent one after a crash, writes the very same manifest instead of another version.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import msgspec
from msgspec.structs import asdict, replace

from service.domain.files import FileEntry, StoredFile, check_files
from service.domain.models import Card
from service.domain.times import age, written
from service.domain.versions import (
    Author,
    JsonObject,
    Manifest,
    canonical,
    check_description,
    revision_of,
)
from service.errors import BlobMissing, Conflict, Fault, ValidationFailed
from service.ports import KeyChanged, KeyExists
from service.registry import keys
from service.registry.blobs import stored_versions, verified_versions
from service.registry.records import encode, find, find_many
from service.registry.versions import newest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.domain.access import Principal
    from service.domain.names import ModelId
    from service.ports import ObjectStore, Workspace
    from service.registry.records import Stored

MAX_KEY_LENGTH: Final = 128
KEY_LIFETIME: Final = timedelta(hours=24)
# Every lost race is another version published, or a twin's progress, in between.
_RACES: Final = 1_000


class Draft(msgspec.Struct, frozen=True):
    """What a publisher sends."""

    files: tuple[FileEntry, ...]
    message: str
    metadata: JsonObject


class Claim(msgspec.Struct, frozen=True):
    """The record of an idempotency key: the request it stands for, and the number it is tried under."""

    body: str
    number: int
    created_at: str


class Published(msgspec.Struct, frozen=True):
    """The version, and whether this very request made it."""

    manifest: Manifest
    created: bool


def publish(
    workspace: Workspace, model: ModelId, draft: Draft, idempotency_key: str | None, now: datetime
) -> Published:
    """Publish ``draft`` as the model's next version.

    Raises ``ValidationFailed``; ``BlobMissing`` naming the files whose bytes are not here; ``Conflict``
    when the idempotency key was used with another body within 24 hours.
    """
    check_files(draft.files)
    check_description(draft.message, draft.metadata)
    if idempotency_key is None:
        manifest = _template(workspace, model, draft, now)
        _ensure_card(workspace, model, now)
        manifest = _create_next(workspace.objects, model, manifest)
        _sign(workspace.objects, model, manifest)
        return Published(manifest, created=True)
    check_idempotency_key(idempotency_key)
    return _publish_once(workspace, model, draft, idempotency_key, now)


def check_idempotency_key(text: str) -> None:
    """Raise ``ValidationFailed`` unless ``text`` is 1-128 printable ASCII characters."""
    if not 1 <= len(text) <= MAX_KEY_LENGTH or not (text.isascii() and text.isprintable()):
        limit = f"must be 1 to {MAX_KEY_LENGTH} printable ASCII characters"
        raise ValidationFailed.at("Idempotency-Key", limit)


def _publish_once(
    workspace: Workspace, model: ModelId, draft: Draft, idempotency_key: str, now: datetime
) -> Published:
    objects = workspace.objects
    key = keys.request(model, workspace.principal.subject, idempotency_key)
    request = keys.last_segment(key)
    body = _digest_of(draft)
    template: Manifest | None = None
    for _ in range(_RACES):
        claim = find(objects, key, Claim)
        if claim is None or age(claim.value.created_at, now) >= KEY_LIFETIME:
            # Refuse what cannot be published before the key remembers anything of it.
            template = template or _template(workspace, model, draft, now)
            fresh = Claim(body, newest(objects, model) + 1, written(now))
            _agree(objects, key, fresh, claim)
            continue
        if claim.value.body != body:
            message = "this Idempotency-Key was used with another body in the last 24 hours"
            raise Conflict(message)
        number = claim.value.number
        taken = find(objects, keys.manifest(model, number), Manifest)
        if taken and _is_of(taken.value, claim.value, request, workspace.principal):
            _sign(objects, model, taken.value)
            return Published(taken.value, created=False)
        if taken:
            following = max(newest(objects, model), number) + 1
            _agree(objects, key, replace(claim.value, number=following), claim)
            continue
        template = template or _template(workspace, model, draft, now)
        _ensure_card(workspace, model, now)
        timed = replace(template, created_at=claim.value.created_at, request=request)
        manifest = _numbered(timed, number)
        try:
            objects.create(keys.manifest(model, number), encode(manifest))
        except KeyExists:
            continue  # by a twin of this request, or by another publisher: the next round sees which
        _sign(objects, model, manifest)
        return Published(manifest, created=True)
    message = "too many versions are being published at once: try again"
    raise Conflict(message)


def _is_of(manifest: Manifest, claim: Claim, request: str, principal: Principal) -> bool:
    """Whether the manifest is what this request wrote, so that its author may sign it.

    Its own word for that is not enough: anybody of the team may write a manifest in their own S3 session,
    and the key's digest stands in every earlier manifest made with that key.
    """
    said = (manifest.request, manifest.subject, manifest.created_by, manifest.created_at)
    if said != (request, principal.subject, principal.name, claim.created_at):
        return False
    files = tuple(FileEntry(file.path, file.sha256, file.size) for file in manifest.files)
    try:
        return _digest_of(Draft(files, manifest.message, manifest.metadata)) == claim.body
    except ValidationFailed:
        return False


def _agree(objects: ObjectStore, key: str, claim: Claim, known: Stored[Claim] | None) -> None:
    """Write the claim if nobody else did meanwhile; the caller reads what was agreed on either way."""
    with suppress(KeyExists, KeyChanged):
        if known:
            objects.replace(key, encode(claim), known.etag)
        else:
            objects.create(key, encode(claim))


def _create_next(objects: ObjectStore, model: ModelId, template: Manifest) -> Manifest:
    number = newest(objects, model) + 1
    for attempt in range(number, number + _RACES):
        manifest = _numbered(template, attempt)
        key = keys.manifest(model, attempt)
        try:
            objects.create(key, encode(manifest))
        except KeyExists:
            taken = find_many(objects, [key], Manifest)[0]
            if taken != manifest:
                continue
            # It is ours: the first answer went astray and the write was sent again.
        return manifest
    message = "too many versions are being published at once: try again"
    raise Conflict(message)


def _template(workspace: Workspace, model: ModelId, draft: Draft, now: datetime) -> Manifest:
    """The manifest but for its number and revision."""
    return Manifest(
        model=str(model),
        version=0,
        created_at=written(now),
        created_by=workspace.principal.name,
        subject=workspace.principal.subject,
        message=draft.message,
        metadata=draft.metadata,
        files=_pinned(workspace.objects, model, draft.files),
        revision="",
        # Tells this very request from another of the same person, body and second.
        request=uuid4().hex,
    )


def _numbered(template: Manifest, number: int) -> Manifest:
    manifest = replace(template, version=number)
    return replace(manifest, revision=revision_of(manifest))


def _pinned(objects: ObjectStore, model: ModelId, files: Sequence[FileEntry]) -> tuple[StoredFile, ...]:
    """The files, each with the S3 version of its bytes: a verified one if there is, else the newest."""
    held = stored_versions(objects, model, (file.sha256 for file in files))
    several = {digest: entries for digest, entries in held.items() if len(entries) > 1}
    pins = {digest: entries[0] for digest, entries in held.items()} | verified_versions(objects, several)
    faults: list[Fault] = []
    pinned: list[StoredFile] = []
    for index, file in enumerate(files):
        pin = pins.get(file.sha256)
        if pin is None:
            missing = f"{file.path}: its bytes ({file.sha256}) were not uploaded to {model}"
            faults.append(Fault(f"files[{index}]", missing))
        elif pin.size != file.size:
            fault = f"{file.path}: {pin.size} bytes were uploaded, not {file.size}"
            faults.append(Fault(f"files[{index}].size", fault))
        else:
            pinned.append(StoredFile(file.path, file.sha256, file.size, pin.version_id))
    if faults:
        message = (
            f"{len(faults)} of {len(files)} files are not completely uploaded: POST …/uploads, then publish"
        )
        raise BlobMissing(message, errors=faults)
    return tuple(pinned)


def _ensure_card(workspace: Workspace, model: ModelId, now: datetime) -> None:
    """Publishing to a model that does not exist creates it."""
    key = keys.card(model)
    if find(workspace.objects, key, Card):
        return
    moment = written(now)
    card = Card("", {}, created_at=moment, created_by=workspace.principal.name, updated_at=moment)
    with suppress(KeyExists):  # a twin created it first, which is all we wanted
        workspace.objects.create(key, encode(card))


def _sign(objects: ObjectStore, model: ModelId, manifest: Manifest) -> None:
    """Write the author's own record; what one that is there already says, the verifier judges."""
    author = Author(manifest.revision, manifest.subject)
    with suppress(KeyExists):
        objects.create(keys.author(model, manifest.version, manifest.subject), encode(author))


def _digest_of(draft: Draft) -> str:
    body = {
        "files": [asdict(file) for file in draft.files],
        "message": draft.message,
        "metadata": draft.metadata,
    }
    return sha256(canonical(body)).hexdigest()
