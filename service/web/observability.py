"""Every request has an id and leaves one line in the log: who did what, how it ended, what it came to."""

from __future__ import annotations

import logging
import re
import time
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from flask import g, request

from service import metrics
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
        g.measuring = ExitStack()
        g.measurements = g.measuring.enter_context(metrics.measuring())

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        if "measuring" in g:
            g.pop("measuring").close()
        request_id.set(None)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        principal = g.get("principal")
        milliseconds = round((time.perf_counter() - g.started) * 1000, 2)
        _measure(g.measurements, response.status_code, milliseconds)
        log.info(
            "request",
            extra={
                "method": request.method,
                "route": request.url_rule.rule if request.url_rule else None,
                "model": g.get("model"),
                "status": response.status_code,
                "duration_ms": milliseconds,
                "principal": principal.name if principal else None,
                "subject": principal.subject if principal else None,
                "token_id": principal.token_id if principal else None,
                "role": g.get("role"),
                **g.measurements.taken(),
            },
        )
        return response


def _measure(measurements: metrics.Measurements, status: int, milliseconds: float) -> None:
    """Add how the request ended. Routes are known beforehand, unlike what else callers may ask for."""
    measurements.describe("Route", (request.endpoint or "").rpartition(".")[2])
    measurements.describe("Persona", g.get("role"))
    measurements.add(metrics.REQUESTS)
    measurements.add(metrics.LATENCY, milliseconds)
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    measurements.add(metrics.CLIENT_ERRORS, int(status >= HTTPStatus.BAD_REQUEST and not is_ours))
    measurements.add(metrics.SERVER_ERRORS, int(is_ours))
    measurements.add(metrics.THROTTLED, int(status == HTTPStatus.TOO_MANY_REQUESTS))
