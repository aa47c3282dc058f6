"""gunicorn's log as the service's own: one record in JSON a line."""

# gunicorn has no types, so what derives from it derives from Any.
# mypy: disable-error-code="import-untyped,misc"

from __future__ import annotations

import sys
from typing import Any

from gunicorn.glogging import Logger

from service.logs import capture_output, configure


class Log(Logger):
    """gunicorn's log through the service's; without an access log, for the service logs every request."""

    def setup(self, cfg: Any) -> None:
        """Called at the start and again at every SIGHUP."""
        self.cfg = cfg
        configure()
        capture_output()
        self.error_log.setLevel(self.LOG_LEVELS.get(cfg.loglevel.lower(), self.loglevel))
        self.error_log.propagate = True

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """An error with its traceback; that a client stopped to read is none of ours."""
        if isinstance(sys.exception(), BlockingIOError):
            self.warning("a client does not take its answer")
        else:
            super().exception(msg, *args, **kwargs)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing."""
