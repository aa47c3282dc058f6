"""Uploads: bytes go from the client straight to storage, and an interrupted one is found again.

An open multipart upload is remembered in a record of its own, which anybody of the team can read, so
whoever asks to upload the same bytes continues it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from service import metrics
from service.domain.files import check_count, fault_in_digest, fault_in_size
from service.domain.parts import SINGLE_UPLOAD_BYTES, PartPlan, plan_parts
from service.domain.times import written
from service.errors import Conflict, Fault, NotFound, UploadMismatch, ValidationFailed
from service.ports import KeyChanged, KeyExists, Page, PartsMismatch, Ticket, UploadMissing
from service.registry import keys
from service.registry.blobs import stored_versions, verified_versions
from service.registry.records import encode, find, find_many

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.domain.names import ModelId
    from service.ports import BlobStore, Part, Workspace

# Each lost race means somebody else opened or closed the same upload in between.
_RACES: Final = 20
_UPLOAD_ID: Final = re.compile(r"[!-~]{1,1024}", re.ASCII)


class Wanted(msgspec.Struct, frozen=True):
    """Bytes a client wants to have stored; ``size`` in bytes."""

    sha256: str
    size: int


class OpenUpload(msgspec.Struct, frozen=True):
    """The record of an open multipart upload; sizes in bytes."""

    sha256: str
    size: int
    upload_id: str
    part_size: int
    created_at: str
    created_by: str

    @property
    def plan(self) -> PartPlan:
        """How the file is cut."""
        return PartPlan(self.size, self.part_size)


class AlreadyStored(msgspec.Struct, frozen=True):
    """The model holds these verified bytes; nothing to send."""


Start: TypeAlias = AlreadyStored | OpenUpload | Ticket


def start(workspace: Workspace, model: ModelId, files: Sequence[Wanted], now: datetime) -> list[Start]:
    """For each file, in order: ``AlreadyStored``, a ``Ticket`` for one PUT, or an ``OpenUpload``.

    Raises ``ValidationFailed`` naming every fault.
    """
    check_count(len(files))
    _check(files)
    verified = verified_versions(
        workspace.objects, stored_versions(workspace.objects, model, (file.sha256 for file in files))
    )
    _check_sizes_against(files, {digest: entry.size for digest, entry in verified.items()})
    answers: dict[str, Start] = {}
    for file in files:
        if file.sha256 in answers:
            continue
        if file.sha256 in verified:
            answers[file.sha256] = AlreadyStored()
        elif file.size <= SINGLE_UPLOAD_BYTES:
            key = keys.blob(model, file.sha256)
            answers[file.sha256] = workspace.blobs.upload_ticket(key, file.sha256)
            _count_begun(file.size)
        else:
            answers[file.sha256] = _find_or_open(workspace, model, file, now)
    return [answers[file.sha256] for file in files]


def parts(
    workspace: Workspace, model: ModelId, digest: str, upload_id: str, *, after: int, limit: int
) -> Page[Part]:
    """The parts storage already has. Raises ``NotFound``."""
    _require_possible(digest, upload_id)
    try:
        return workspace.blobs.parts(keys.blob(model, digest), upload_id, after=after, limit=limit)
    except UploadMissing as error:
        raise _not_open(digest) from error


def part_tickets(
    workspace: Workspace, model: ModelId, digest: str, upload_id: str, numbers: Sequence[int]
) -> list[Ticket]:
    """A URL for each part in ``numbers``. Raises ``NotFound``, ``ValidationFailed``."""
    upload = _recorded(workspace, model, digest, upload_id)
    if upload is None:
        raise _not_open(digest)
    count = upload.plan.part_count
    faults = [
        Fault(f"numbers[{index}]", f"must be 1 to {count}: this upload has {count} parts")
        for index, number in enumerate(numbers)
        if not 1 <= number <= count
    ]
    if faults:
        raise ValidationFailed.of(faults)
    return workspace.blobs.part_tickets(keys.blob(model, digest), upload_id, numbers)


def complete(
    workspace: Workspace, model: ModelId, digest: str, upload_id: str, listed: Sequence[tuple[int, str]]
) -> int:
    """Make the blob of its parts ``(number, etag)``; answers its size in bytes. Repeating it is harmless.

    Raises ``UploadMismatch`` if storage does not confirm the parts, ``NotFound`` for an upload that
    neither is open nor ever became these bytes.
    """
    _require_possible(digest, upload_id)
    key = keys.blob(model, digest)
    upload = _recorded(workspace, model, digest, upload_id)
    named = [(number, _unquoted(etag)) for number, etag in listed]
    try:
        if upload:
            _confirm(workspace.blobs, key, upload, named)
        workspace.blobs.complete(key, upload_id, sorted(named))
    except PartsMismatch as error:
        message = "storage holds other parts than listed: GET …/parts shows what it has"
        raise UploadMismatch(message) from error
    except UploadMissing as error:
        # Completed before, by us or a twin whose answer was lost; or never.
        (held,) = workspace.objects.versions_of([key])
        if not held or (upload and held[0].size != upload.size):
            raise _not_open(digest) from error
        size = held[0].size
    else:
        size = upload.size if upload else workspace.objects.versions_of([key])[0][0].size
        metrics.add(metrics.UPLOADS_COMPLETED)
        metrics.add(metrics.UPLOAD_BYTES_COMPLETED, size)
    if upload:
        workspace.objects.delete(keys.upload(model, digest))
    return size


def abort(workspace: Workspace, model: ModelId, digest: str, upload_id: str) -> None:
    """Give an open upload up. Raises ``NotFound``."""
    _require_possible(digest, upload_id)
    upload = _recorded(workspace, model, digest, upload_id)
    try:
        workspace.blobs.abort(keys.blob(model, digest), upload_id)
    except UploadMissing as error:
        if upload is None:
            raise _not_open(digest) from error
    if upload:
        workspace.objects.delete(keys.upload(model, digest))


def open_uploads(workspace: Workspace, model: ModelId, *, after: str | None, limit: int) -> Page[OpenUpload]:
    """The model's open multipart uploads, by digest; ``after`` is a digest."""
    page = workspace.objects.entries(
        keys.uploads(model), after=keys.upload(model, after) if after else None, limit=limit
    )
    found = find_many(workspace.objects, [entry.key for entry in page.items], OpenUpload)
    alive = [upload for upload in found if upload and _is_open(workspace.blobs, model, upload)]
    return Page(tuple(alive), keys.last_segment(page.next) if page.next else None)


def _check(files: Sequence[Wanted]) -> None:
    faults: list[Fault] = []
    sizes: dict[str, int] = {}
    for index, file in enumerate(files):
        checks = {"sha256": fault_in_digest(file.sha256), "size": fault_in_size(file.size)}
        faults += [Fault(f"files[{index}].{name}", text) for name, text in checks.items() if text]
        if sizes.setdefault(file.sha256, file.size) != file.size:
            faults.append(Fault(f"files[{index}].size", "differs from another file with the same sha256"))
    if faults:
        raise ValidationFailed.of(faults)


def _check_sizes_against(files: Sequence[Wanted], known: dict[str, int]) -> None:
    faults = [
        Fault(f"files[{index}].size", f"the bytes with this sha256 are {known[file.sha256]} long")
        for index, file in enumerate(files)
        if known.get(file.sha256, file.size) != file.size
    ]
    if faults:
        raise ValidationFailed.of(faults)


def _find_or_open(workspace: Workspace, model: ModelId, file: Wanted, now: datetime) -> OpenUpload:
    """The open upload of these bytes, whoever opened it; else a new one."""
    record_key = keys.upload(model, file.sha256)
    for _ in range(_RACES):
        known = find(workspace.objects, record_key, OpenUpload)
        if known and known.value.size == file.size and _is_open(workspace.blobs, model, known.value):
            return known.value
        plan = plan_parts(file.size)
        upload_id = workspace.blobs.start_multipart(keys.blob(model, file.sha256))
        opened = OpenUpload(
            sha256=file.sha256,
            size=file.size,
            upload_id=upload_id,
            part_size=plan.part_size,
            created_at=written(now),
            created_by=workspace.principal.name,
        )
        try:
            if known:
                workspace.objects.replace(record_key, encode(opened), known.etag)
            else:
                workspace.objects.create(record_key, encode(opened))
        except (KeyExists, KeyChanged):
            workspace.blobs.abort(keys.blob(model, file.sha256), upload_id)
            continue
        _count_begun(file.size)
        return opened
    message = f"the upload of {file.sha256} is being opened and closed by others: try again"
    raise Conflict(message)


def _count_begun(size: int) -> None:
    metrics.add(metrics.UPLOADS_BEGUN)
    metrics.add(metrics.UPLOAD_BYTES_BEGUN, size)


def _is_open(blobs: BlobStore, model: ModelId, upload: OpenUpload) -> bool:
    try:
        blobs.parts(keys.blob(model, upload.sha256), upload.upload_id, limit=1)
    except UploadMissing:
        return False
    return True


def _recorded(workspace: Workspace, model: ModelId, digest: str, upload_id: str) -> OpenUpload | None:
    known = find(workspace.objects, keys.upload(model, digest), OpenUpload)
    return known.value if known and known.value.upload_id == upload_id else None


def _confirm(blobs: BlobStore, key: str, upload: OpenUpload, listed: Sequence[tuple[int, str]]) -> None:
    """Raise ``UploadMismatch`` unless all parts are listed, held, and of the planned sizes."""
    count = upload.plan.part_count
    if missing := sorted(set(range(1, count + 1)) - {number for number, _ in listed}):
        some = ", ".join(map(str, missing[:10]))
        message = f"the upload has {count} parts; missing from the list: {some}"
        raise UploadMismatch(message)
    if len(listed) != count:
        message = f"the upload has {count} parts, and {len(listed)} are listed"
        beyond = [index for index, (number, _) in enumerate(listed) if number > count]
        faults = [Fault(f"parts[{index}]", f"the upload has {count} parts") for index in beyond[:100]]
        raise UploadMismatch(message, errors=faults)
    held: dict[int, Part] = {}
    after: str | None = "0"
    while after is not None:
        page = blobs.parts(key, upload.upload_id, after=int(after))
        held |= {part.number: part for part in page.items}
        after = page.next
    wrong = [
        Fault(f"parts[{index}]", _difference(held.get(number), etag, upload.plan.size_of(number)))
        for index, (number, etag) in enumerate(listed)
        if _difference(held.get(number), etag, upload.plan.size_of(number))
    ]
    if wrong:
        message = (
            f"storage does not confirm part {listed[int(wrong[0].location[6:-1])][0]}: {wrong[0].message}"
        )
        raise UploadMismatch(message, errors=wrong[:100])


def _difference(held: Part | None, etag: str, size: int) -> str:
    if held is None:
        return "it was never uploaded"
    if _unquoted(held.etag) != etag:
        return "its etag is another"
    if held.size != size:
        return f"it holds {held.size} bytes, not {size}"
    return ""


def _unquoted(etag: str) -> str:
    return etag.strip('"')


def _require_possible(digest: str, upload_id: str) -> None:
    """Raise ``NotFound`` for what storage never gave out as an id and might trip over."""
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise _not_open(digest)


def _not_open(digest: str) -> NotFound:
    message = f"no such open upload of {digest}: POST …/uploads finds or opens one"
    return NotFound(message)
