"""The audit's own proof: whether what CloudTrail recorded is as it recorded it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from service.domain.access import Permission
from service.domain.times import parse_moment
from service.web.access import Call, needs
from service.web.operations import Answer, Parameter, operation
from service.web.wire import integrity as wire

if TYPE_CHECKING:
    from datetime import datetime

routes = Blueprint("integrity", __name__)

_TIME: Final = {"type": "string", "format": "date-time"}


@operation(
    routes,
    "GET",
    "/v1/audit/integrity",
    access=needs(Permission.AUDIT_READ),
    answers={200: wire.Integrity},
    parameters=[
        Parameter(
            "from",
            "from this time on, at most 7 days before the end; by default 24 hours before it",
            schema=_TIME,
        ),
        Parameter("to", "until this time; by default now", schema=_TIME),
    ],
)
def check_audit_integrity(call: Call) -> Answer:
    """Whether the trail's files are what CloudTrail delivered.

    The chain of signed digests is checked, and every log file against its digest, as
    `aws cloudtrail validate-logs` does, by the service's own code and in your own session. What is too much
    for one answer is answered in part, oldest first: complete is false then, and checked_until says from
    where to ask again. Sessions of personas that the service never announced are named beside it.
    """
    # Here, because no other request needs it, and it is a tenth of all that a start imports.
    from service.audit.integrity.report import integrity_report  # noqa: PLC0415

    report = integrity_report(call.audit, _moment("from"), _moment("to"), now=call.now)
    return Answer(wire.Integrity.of(report))


def _moment(name: str) -> datetime | None:
    text = request.args.get(name)
    return parse_moment(text, name) if text is not None else None
