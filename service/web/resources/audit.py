"""The audit: who touched what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from flask import Blueprint, request

from service.domain.access import Permission
from service.domain.names import VERSION, ModelId, parse_model_id
from service.domain.times import parse_moment
from service.errors import ValidationFailed
from service.web import bodies
from service.web.access import Call, needs
from service.web.operations import Answer, Parameter, operation
from service.web.parameters import CURSOR, LIMIT
from service.web.wire import audit as wire

if TYPE_CHECKING:
    from datetime import datetime

    from service.audit.events import Question

routes = Blueprint("audit", __name__)

_LONGEST: Final = 128
_OUTCOMES: Final = get_args(wire.Outcome)
_TIME: Final = {"type": "string", "format": "date-time"}
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": _LONGEST}


@operation(
    routes,
    "GET",
    "/v1/audit/events",
    access=needs(Permission.AUDIT_READ),
    answers={200: wire.EventPage},
    parameters=[
        Parameter("model", "only what was done to this model, as team/model"),
        Parameter(
            "version",
            "only what was done to this version of the model, which must be given, too",
            schema={"type": "integer", "minimum": 1, "maximum": 999_999_999},
        ),
        Parameter("actor", "only by this session's name or source identity", schema=_TEXT),
        Parameter(
            "action", "only this action, such as s3:GetObject; a final * matches any ending", schema=_TEXT
        ),
        Parameter(
            "outcome",
            "only calls that ended so",
            schema={"type": "string", "enum": list(_OUTCOMES)},
        ),
        Parameter("from", "from this time on; by default 24 hours before the end of the range", schema=_TIME),
        Parameter("to", "until before this time; by default now", schema=_TIME),
        LIMIT,
        CURSOR,
    ],
)
def list_audit_events(call: Call) -> Answer:
    """Who touched what, newest first: AWS's own record of every call, and the service's refusals.

    Calls appear some minutes after they were made, as CloudTrail delivers them. A cursor keeps the range of
    its first page, and goes with the same parameters. Log files are read in your own session.
    """
    # Here, because no other request needs it: a start does not wait for it.
    from service.audit.events import MAX_CURSOR, events  # noqa: PLC0415

    page = events(
        call.audit,
        _question(),
        cursor=_text("cursor", MAX_CURSOR),
        limit=bodies.limit(),
        now=call.now,
    )
    return Answer(wire.EventPage.of(page))


def _question() -> Question:
    from service.audit.events import Question  # noqa: PLC0415 - as above
    from service.domain.audit import Outcome  # noqa: PLC0415

    version, outcome = request.args.get("version"), request.args.get("outcome")
    if version is not None and not VERSION.fullmatch(version):
        raise ValidationFailed.at("version", "must be a version's number")
    if outcome is not None and outcome not in _OUTCOMES:
        raise ValidationFailed.at("outcome", f"must be {', '.join(_OUTCOMES)}")
    return Question(
        start=_moment("from"),
        end=_moment("to"),
        model=_model(),
        version=int(version) if version else None,
        actor=_text("actor", _LONGEST),
        action=_text("action", _LONGEST),
        outcome=Outcome(outcome) if outcome else None,
    )


def _model() -> ModelId | None:
    text = request.args.get("model")
    if text is None:
        return None
    team, _, model = text.partition("/")
    try:
        return parse_model_id(team, model)
    except ValidationFailed as error:
        raise ValidationFailed.at("model", f"must be team/model: {error.errors[0].message}") from error


def _moment(name: str) -> datetime | None:
    text = request.args.get(name)
    return parse_moment(text, name) if text is not None else None


def _text(name: str, longest: int) -> str | None:
    text = request.args.get(name)
    if text is not None and not 1 <= len(text) <= longest:
        raise ValidationFailed.at(name, f"must be 1 to {longest} characters")
    return text
