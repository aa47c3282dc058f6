"""Uploads: URLs to send bytes to S3 with, and what S3 has of them so far."""

from __future__ import annotations

from flask import Blueprint

from service.domain.access import Permission
from service.domain.names import DIGEST, parse_digest
from service.domain.parts import MAX_PARTS, MAX_TICKETS
from service.domain.times import written
from service.errors import Fault, ValidationFailed
from service.ports import Ticket
from service.registry import uploads
from service.registry.uploads import AlreadyStored, Wanted
from service.web import bodies, problems
from service.web.access import Call, needs
from service.web.operations import Answer, operation
from service.web.parameters import CURSOR, LIMIT, UPLOAD_ID
from service.web.wire import uploads as wire
from service.web.wire.base import Page

routes = Blueprint("uploads", __name__)
_WRITE = needs(Permission.UPLOAD_WRITE)
_BASE = "/v1/models/<team>/<model>/uploads"


@operation(
    routes,
    "POST",
    _BASE,
    access=_WRITE,
    body=wire.UploadsWanted,
    answers={200: wire.UploadsStarted},
    problems=[problems.CONFLICT],
)
def start_uploads(call: Call) -> Answer:
    """Ask where to send bytes; the answer for each file depends on what the model already holds.

    Up to 64 MiB one PUT, above that a multipart upload; one that is already open is found again, whoever
    of the team opened it. The model need not exist yet.
    """
    body: wire.UploadsWanted = call.body
    wanted = [Wanted(file.sha256, file.size) for file in body.files]
    started = uploads.start(call.workspace, call.model, wanted, call.now)
    answers = [_rendered(file, start) for file, start in zip(wanted, started, strict=True)]
    return Answer(wire.UploadsStarted(answers))


@operation(
    routes,
    "GET",
    _BASE,
    access=_WRITE,
    answers={200: Page[wire.OpenUpload]},
    parameters=[LIMIT, CURSOR],
)
def list_uploads(call: Call) -> Answer:
    """The model's open multipart uploads."""
    page = uploads.open_uploads(
        call.workspace, call.model, after=bodies.cursor(DIGEST.pattern), limit=bodies.limit()
    )
    items = [wire.OpenUpload.of(upload) for upload in page.items]
    return Answer(Page(items, bodies.written_cursor(page.next)))


@operation(
    routes,
    "GET",
    f"{_BASE}/<sha256>/parts",
    access=_WRITE,
    answers={200: Page[wire.Part]},
    parameters=[UPLOAD_ID, LIMIT, CURSOR],
)
def list_parts(call: Call) -> Answer:
    """The parts S3 already has."""
    cursor = bodies.cursor("[0-9]{1,5}")
    page = uploads.parts(
        call.workspace,
        call.model,
        _digest(call),
        bodies.required("upload_id"),
        after=int(cursor or 0),
        limit=bodies.limit(),
    )
    return Answer(Page([wire.Part.of(part) for part in page.items], bodies.written_cursor(page.next)))


@operation(
    routes,
    "POST",
    f"{_BASE}/<sha256>/parts",
    access=_WRITE,
    body=wire.PartsWanted,
    answers={200: wire.PartTickets},
)
def presign_parts(call: Call) -> Answer:
    """Ask where to PUT parts; a part may carry Content-MD5, and S3 then refuses wrong bytes."""
    body: wire.PartsWanted = call.body
    if not 1 <= len(body.numbers) <= MAX_TICKETS:
        raise ValidationFailed.at("numbers", f"must hold 1 to {MAX_TICKETS} part numbers")
    tickets = uploads.part_tickets(call.workspace, call.model, _digest(call), body.upload_id, body.numbers)
    parts = [
        wire.PartTicket(number, ticket.url, ticket.headers)
        for number, ticket in zip(body.numbers, tickets, strict=True)
    ]
    return Answer(wire.PartTickets(parts, written(min(ticket.expires_at for ticket in tickets))))


@operation(
    routes,
    "POST",
    f"{_BASE}/<sha256>/complete",
    access=_WRITE,
    body=wire.Completion,
    answers={200: wire.Completed},
    problems=[problems.UPLOAD_MISMATCH],
)
def complete_upload(call: Call) -> Answer:
    """Make one blob of all parts; repeating it, also after a time-out, is harmless."""
    body: wire.Completion = call.body
    digest = _digest(call)
    _check_parts(body.parts)
    listed = [(part.number, part.etag) for part in body.parts]
    size = uploads.complete(call.workspace, call.model, digest, body.upload_id, listed)
    return Answer(wire.Completed(digest, size, "received"))


@operation(
    routes,
    "DELETE",
    f"{_BASE}/<sha256>",
    access=_WRITE,
    answers={204: None},
    parameters=[UPLOAD_ID],
)
def abort_upload(call: Call) -> Answer:
    """Give an open upload up; its parts are freed."""
    uploads.abort(call.workspace, call.model, _digest(call), bodies.required("upload_id"))
    return Answer(status=204)


def _digest(call: Call) -> str:
    return parse_digest(call.path["sha256"])


def _check_parts(parts: list[wire.SentPart]) -> None:
    if not 1 <= len(parts) <= MAX_PARTS:
        raise ValidationFailed.at("parts", f"must hold 1 to {MAX_PARTS} parts")
    seen: set[int] = set()
    faults: list[Fault] = []
    for index, part in enumerate(parts):
        if not 1 <= part.number <= MAX_PARTS:
            faults.append(Fault(f"parts[{index}].number", f"must be 1 to {MAX_PARTS}"))
        if part.number in seen:
            faults.append(Fault(f"parts[{index}].number", "stands twice"))
        seen.add(part.number)
    if faults:
        raise ValidationFailed.of(faults)


def _rendered(
    file: Wanted, start: uploads.Start
) -> wire.StoredAnswer | wire.SingleAnswer | wire.MultipartAnswer:
    if isinstance(start, AlreadyStored):
        return wire.StoredAnswer(file.sha256, file.size)
    if isinstance(start, Ticket):
        return wire.SingleAnswer(
            sha256=file.sha256,
            size=file.size,
            method="PUT",
            url=start.url,
            headers=start.headers,
            expires_at=written(start.expires_at),
        )
    return wire.MultipartAnswer(
        sha256=file.sha256,
        size=file.size,
        upload_id=start.upload_id,
        part_size=start.part_size,
        part_count=start.plan.part_count,
    )
