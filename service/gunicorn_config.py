"""How gunicorn runs the service: ``gunicorn -c service/gunicorn_config.py service.wsgi:app``.

Requests wait for S3 far more than they compute, so a few processes with threads each. What each setting
means for clients, and what was measured: docs/operations.md.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from typing import Any

from service.settings import SettingsError, service_settings
from service.web.bulkhead import PERMITS

# Lets requests finish that stock workers reset, and answers what is no request as a problem.
worker_class = "service.gunicorn_worker.Worker"
# Everything as lines of JSON; no access log, for the service logs each request itself.
logger_class = "service.gunicorn_log.Log"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# PERMITS of them may use S3 at once; the others wait for a permit, and answer what needs none.
threads = 4 * PERMITS
# A worker whose accepting thread stands still for this long is replaced; slow requests do not stop it.
timeout = 60
# For requests in flight when a worker stops; longer than API Gateway waits for any.
graceful_timeout = 30
# Clients send bytes to S3 between two requests to us; their connection should still be there.
keepalive = 75
# Connections of a worker, idle ones too: with those to AWS it stays below the usual 1,024 open files.
worker_connections = 800
# Waiting to be accepted, as while workers start; the kernel's net.core.somaxconn may allow fewer.
backlog = 2048
# Beyond these a request is answered with 414 or 431. API Gateway allows 10,240 bytes for all of it.
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
# Workers are not replaced after so many requests: none of them leaks.
max_requests = 0
# No process control from outside: it would be a file in the home directory, which may be read-only.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Called once, before anything listens. Exits 1 with one sentence when a setting is missing or wrong."""
    # Else SIGINT drops requests, unlike SIGTERM. A second one still does.
    server.handle_int = server.handle_term
    try:
        service_settings(os.environ)
        _require_workers(server.cfg.workers)
    except SettingsError as error:
        logging.getLogger("service").critical("The service cannot start: %s.", error)
        sys.exit(1)
    # Six sevenths of a worker's start are imports. Workers inherit them, so that one that is replaced is
    # missed for a moment only; each builds the application itself.
    importlib.import_module("service.bootstrap")


def _require_workers(count: int) -> None:
    """Refuse none at all: gunicorn would listen all the same, and answer nobody."""
    if count < 1:
        message = f"WEB_CONCURRENCY must be 1 or more, not {count}"
        raise SettingsError(message)
