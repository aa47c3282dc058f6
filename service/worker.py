"""The verifier and the watch as a process: ``python -m service.worker``. SIGTERM lets them finish."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

from service.bootstrap import build_watch, build_worker
from service.logs import capture_output, configure
from service.settings import SettingsError, worker_settings

log = logging.getLogger(__name__)


def main() -> None:
    """Work until SIGTERM or SIGINT. Exits 1 with one sentence when a setting is missing."""
    configure()
    capture_output()
    try:
        settings = worker_settings(os.environ)
    except SettingsError as error:
        log.critical("The worker cannot start: %s.", error)
        sys.exit(1)
    consumer, watch = build_worker(settings), build_watch(settings)

    def stop(*_: object) -> None:
        consumer.stop()
        watch.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    loops = [threading.Thread(target=consumer.consume) for _ in range(settings.threads)]
    loops.append(threading.Thread(target=consumer.sweep, args=[settings.sweep_seconds]))
    loops.append(threading.Thread(target=watch.run, args=[settings.sweep_seconds]))
    for loop in loops:
        loop.start()
    log.info("verifier ready", extra={"threads": settings.threads, "sweep_seconds": settings.sweep_seconds})
    for loop in loops:
        loop.join()
    log.info("verifier stopped")


if __name__ == "__main__":
    main()
