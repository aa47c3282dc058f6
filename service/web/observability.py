"""Every request has an id and leaves one line in the log: who did what, how it ended, how long it took."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from flask import g, request

from service.logs import request_id

if TYPE_CHECKING:
    from flask import Flask, Response

log = logging.getLogger("service.request")

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


def install(app: Flask) -> None:
    """Give each request of ``app`` its id, its log line, and headers that keep answers private."""

    @app.before_request
    def begin() -> None:
        sent = request.headers.get("X-Request-Id", "")
        g.request_id = sent if _WELL_FORMED.fullmatch(sent) else uuid4().hex
        g.started = time.perf_counter()
        request_id.set(g.request_id)

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        request_id.set(None)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        principal = g.get("principal")
        log.info(
            "request",
            extra={
                "method": request.method,
                "route": request.url_rule.rule if request.url_rule else None,
                "model": g.get("model"),
                "status": response.status_code,
                "duration_ms": round((time.perf_counter() - g.started) * 1000, 2),
                "principal": principal.name if principal else None,
                "subject": principal.subject if principal else None,
                "token_id": principal.token_id if principal else None,
                "role": g.get("role"),
            },
        )
        return response
