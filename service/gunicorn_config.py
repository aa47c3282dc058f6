"""How gunicorn runs the service: ``gunicorn -c service/gunicorn_config.py service.wsgi:app``.

Requests wait for S3 far more than they compute, so a few processes with threads each. The service logs
every request itself, so gunicorn's access log stays off; its own log is JSON like ours.
"""

from __future__ import annotations

import os

from service.logs import configure

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
# A worker that answers nothing for this long is replaced; threads keep the heartbeat during slow calls.
timeout = 60
graceful_timeout = 30
# Clients send bytes to S3 between two requests to us; their connection should still be there.
keepalive = 75
accesslog = None
# No process control from outside: it would be a file in the home directory, which may be read-only.
control_socket_disable = True
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "INFO", "handlers": ["json"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True}},
    "formatters": {"json": {"()": "service.logs.SafeJsonFormatter"}},
    "handlers": {"json": {"class": "logging.StreamHandler", "formatter": "json"}},
}


def post_fork(server: object, worker: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """Each worker logs as the service does."""
    configure()
