"""The service's own worker, less patient: for tests of what slow clients come to."""

from __future__ import annotations

from service import gunicorn_worker
from service.gunicorn_worker import Worker

__all__ = ["Worker"]

gunicorn_worker.REQUEST_SECONDS = 1.0  # type: ignore[misc]  # final for everybody but this test
gunicorn_worker.SEND_SECONDS = 1  # type: ignore[misc]  # the same
