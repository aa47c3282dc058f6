"""A line in the log for each caller whom the service itself refuses, as evidence: auditors read it back.

What AWS refuses is in CloudTrail and gets no line here.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from flask import g, request

from service import metrics
from service.domain.files import fault_in_path
from service.domain.names import VERSION, parse_model_id
from service.errors import Forbidden, Invisible, RefusedByAws, Unauthenticated, ValidationFailed

if TYPE_CHECKING:
    from service.errors import StoreError

log = logging.getLogger("service.audit")

MAX_USER_AGENT: Final = 256


def record_refusal(error: StoreError, code: str) -> None:
    """Write the line if ``error`` refuses the caller of the current request; ``code`` is the problem's.

    Time and request id come with every line of the log. Nothing of a token that failed a check is in it:
    whoever sent one is nobody. ``source_ip`` is who connected; what a header says of it proves nothing.
    """
    if isinstance(error, RefusedByAws):
        metrics.add(metrics.REFUSED_BY_AWS)
    if not _refuses(error):
        return
    metrics.add(metrics.REFUSED_BY_SERVICE)
    principal = g.get("principal")
    log.warning(
        "refused",
        extra={
            "audit": "refusal",
            "event_id": str(uuid4()),
            "actor": principal.name if principal else None,
            "subject": principal.subject if principal else None,
            "role": g.get("role"),
            "action": f"smas:{(request.endpoint or '').rpartition('.')[2]}",
            **_named(request.view_args or {}),
            "outcome": "denied",
            "error_code": code,
            "source_ip": request.remote_addr,
            "user_agent": _harmless(request.headers.get("User-Agent")),
            "auth_method": "bearer" if _sent_a_token() else None,
        },
    )


def _refuses(error: StoreError) -> bool:
    return isinstance(error, Unauthenticated | Forbidden | Invisible) and not isinstance(error, RefusedByAws)


def _named(path: dict[str, Any]) -> dict[str, object]:
    """What the route names, as far as it can be such a thing: anybody may send anything."""
    try:
        model = str(parse_model_id(path["team"], path["model"]))
    except (KeyError, ValidationFailed):
        model = None
    reference, file = path.get("ref", ""), path.get("path")
    return {
        "model": model,
        "version": int(reference) if VERSION.fullmatch(reference) else None,
        "path": file if file is not None and fault_in_path(file) is None else None,
    }


def _harmless(text: str | None) -> str | None:
    """A text of the caller's, cut to a length, without what a terminal would obey."""
    if text is None:
        return None
    return "".join(character if character.isprintable() else "\ufffd" for character in text[:MAX_USER_AGENT])


def _sent_a_token() -> bool:
    return request.headers.get("Authorization", "").partition(" ")[0].lower() == "bearer"
